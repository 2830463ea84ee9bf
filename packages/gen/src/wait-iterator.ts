// Several promises, taken in the order in which they settle (Tornado's gen.WaitIterator).

import { IOLoop } from "@tw/ioloop";
import { isPromiseLike, TwError } from "@tw/util";
import { timeOut } from "./errors.js";
import { checkWait, type WaitOptions } from "./options.js";
import { Waiters } from "./waiters.js";

/** `ERR_TW_WAIT_ITERATOR`: `next()` while an earlier one is pending, or after the last result. */
export class WaitIteratorError extends TwError {
  constructor(message: string) {
    super("ERR_TW_WAIT_ITERATOR", message);
  }
}

/**
 * Gives the results of promises one by one, earliest first. The promises are arguments, which are then known by their
 * position, or one plain record, which are then known by their keys.
 *
 * `next()` and `for await` may be mixed. A promise that fails makes that one step throw; the others are still to be
 * had. A failure that nobody asks for is not reported.
 *
 * @throws TypeError when a record stands beside promises, or anything else does
 * @example
 * const answers = new WaitIterator({ north: ask("north"), south: ask("south") });
 * for await (const answer of answers) console.log(answers.currentIndex, answer);
 */
export class WaitIterator<T, K extends number | string = number> implements AsyncIterable<T> {
  readonly #settled: Settled<T, K>[] = [];
  readonly #waiters: Waiters<Settled<T, K>> = new Waiters(IOLoop.current());
  #left: number;
  #current: Settled<T, K> | undefined;

  constructor(...promises: readonly PromiseLike<T>[]);
  constructor(record: { readonly [key in K]: PromiseLike<T> });
  constructor(...args: readonly unknown[]) {
    const children = entriesOf(args) as [K, PromiseLike<T>][];
    this.#left = children.length;
    for (const [key, promise] of children) {
      // Of somebody else's thenable nothing is believed: it may settle twice, or throw.
      Promise.resolve(promise).then(
        (value) => this.#add({ key, promise, value }),
        (reason: unknown) => this.#add({ key, promise, failure: { reason } }),
      );
    }
  }

  /** Whether every result has been taken. */
  done(): boolean {
    return this.#left === 0;
  }

  /** Position or key of the promise whose result came last; `undefined` before the first. */
  get currentIndex(): K | undefined {
    return this.#current?.key;
  }

  /** The promise whose result came last; `undefined` before the first. */
  get currentFuture(): PromiseLike<T> | undefined {
    return this.#current?.promise;
  }

  /**
   * The next result; rejects with the failure where a promise failed. A timeout or an abort takes nothing.
   *
   * @throws TypeError, RangeError on options that are none
   * @throws WaitIteratorError `ERR_TW_WAIT_ITERATOR` when there is none any more, or while an earlier call is pending
   */
  next(options: WaitOptions = {}): Promise<T> {
    checkWait(options);
    if (this.#left === 0) throw new WaitIteratorError("All results of this WaitIterator have been taken");
    if (this.#waiters.size > 0) {
      throw new WaitIteratorError("An earlier next() of this WaitIterator is pending: await it first");
    }
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    const ready = this.#settled.shift();
    if (ready !== undefined) return resultOf(this.#take(ready));
    const timedOut = timeOut(options, "in WaitIterator.next()");
    return this.#waiters.wait(undefined, options, timedOut).then(resultOf);
  }

  /** Results until none is left. May be left and begun again: nothing is taken in advance. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this.items()[Symbol.asyncIterator]();
  }

  /**
   * As `for await` over the iterator itself, with a limit on each wait and a signal that ends the loop by an exception.
   *
   * @throws TypeError, RangeError on options that are none, at once
   * @example
   * for await (const answer of answers.items({ signal, timeoutMs: 1000 })) console.log(answer);
   */
  items(options: WaitOptions = {}): AsyncIterable<T, undefined> {
    checkWait(options);
    const next = async (): Promise<IteratorResult<T, undefined>> => {
      if (this.done()) return { done: true, value: undefined };
      return { done: false, value: await this.next(options) };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  #add(settled: Settled<T, K>): void {
    if (this.#waiters.size === 0) this.#settled.push(settled);
    else this.#waiters.wake(this.#take(settled));
  }

  #take(settled: Settled<T, K>): Settled<T, K> {
    this.#left--;
    this.#current = settled;
    return settled;
  }
}

/** A promise that has settled: with a value, or with a failure. */
type Settled<T, K> = { readonly key: K; readonly promise: PromiseLike<T> } & (
  | { readonly value: T; readonly failure?: undefined }
  | { readonly failure: { readonly reason: unknown } }
);

async function resultOf<T>(settled: Settled<T, unknown>): Promise<T> {
  if (settled.failure !== undefined) throw settled.failure.reason;
  return settled.value;
}

function entriesOf(args: readonly unknown[]): [number | string, unknown][] {
  const [only] = args;
  const children: [number | string, unknown][] =
    args.length === 1 && isPlainRecord(only) ? Object.entries(only) : [...args.entries()];
  for (const [key, promise] of children) {
    if (!isPromiseLike(promise)) {
      throw new TypeError(`WaitIterator takes promises, or one record of promises; ${key} is something else`);
    }
  }
  return children;
}

function isPlainRecord(value: unknown): value is object {
  if (typeof value !== "object" || value === null || isPromiseLike(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
