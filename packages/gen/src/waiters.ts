// Those who wait for one thing, in the order they came. What locks and queues are made of.
//
//   wait() ──► ┌───┬───┬───┬───┐                A waiter leaves from any place, in constant time and at once: when
//              │ a │ b │ c │ d │ ──► wake()     its time is up or its signal aborts. So whoever is woken is still
//              └───┴───┴───┴───┘                waiting, and what it is handed cannot get lost.

import type { IOLoop, Timeout } from "@tw/ioloop";
import { offAbort, onAbort } from "@tw/util";
import { waiting } from "./channels.js";
import { timeOut } from "./errors.js";
import { checkLoopOption, checkWait, type WaitOptions } from "./options.js";

export { checkLoopOption, checkWait, timeOut };

/**
 * A FIFO of waiting promises. `T` is what a waiter is woken with, `N` a note that it carries while it waits (the item
 * that a blocked `put` wants to place).
 *
 * A waiter is settled by exactly one of: {@link wake}, {@link fail}, its timeout, its signal. The first of them takes
 * it off the list synchronously; timer and listener are gone by then.
 *
 * @example
 * const waiters = new Waiters<string>(IOLoop.current());
 * const word = waiters.wait(undefined, { timeoutMs: 100 }, () => "nobody spoke");
 * waiters.wake("hello");
 * console.log(await word); // hello
 */
export class Waiters<T, N = undefined> {
  readonly #loop: IOLoop;
  #first: Waiter<T, N> | undefined;
  #last: Waiter<T, N> | undefined;
  #size = 0;

  constructor(loop: IOLoop) {
    this.#loop = loop;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Whoever waits longest, with its note; `undefined` when nobody does. */
  get first(): { readonly note: N } | undefined {
    return this.#first;
  }

  /**
   * Waits at the end of the line. With `timeoutMs` the promise gets what `timedOut` returns, or rejects with what it
   * throws; with 0 it does so at once.
   *
   * @throws TypeError, RangeError on options that are none, before anything has changed
   */
  wait(note: N, options: WaitOptions, timedOut: () => T): Promise<T> {
    checkWait(options);
    const { timeoutMs, signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<T>((resolve, reject) => {
      const waiter = new Waiter(note, resolve, reject);
      const expire = (): void => {
        this.#remove(waiter);
        try {
          resolve(timedOut());
        } catch (error) {
          reject(error);
        }
      };
      if (timeoutMs === 0) return expire();
      if (timeoutMs !== undefined) waiter.timer = this.#loop.callLater(timeoutMs, expire);
      if (signal !== undefined) {
        waiter.signal = signal;
        waiter.onAbort = () => {
          this.#remove(waiter);
          reject(signal.reason);
        };
        onAbort(signal, waiter.onAbort);
      }
      this.#append(waiter);
      // One with a timer cannot hang; its timer has been told of.
      if (waiting.hasSubscribers && timeoutMs === undefined) waiting.publish({ loop: this.#loop, waiter });
    });
  }

  /** Hands `value` to whoever waits longest. Returns false when nobody waits: the value is still the caller's. */
  wake(value: T): boolean {
    const waiter = this.#first;
    if (waiter === undefined) return false;
    this.#remove(waiter);
    waiter.resolve(value);
    return true;
  }

  /** As {@link wake}, with a failure. */
  fail(reason: unknown): boolean {
    const waiter = this.#first;
    if (waiter === undefined) return false;
    this.#remove(waiter);
    waiter.reject(reason);
    return true;
  }

  #append(waiter: Waiter<T, N>): void {
    waiter.pending = true;
    waiter.before = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.after = waiter;
    this.#last = waiter;
    this.#size++;
  }

  #remove(waiter: Waiter<T, N>): void {
    if (waiter.timer !== undefined) this.#loop.removeTimeout(waiter.timer);
    if (waiter.signal !== undefined && waiter.onAbort !== undefined) offAbort(waiter.signal, waiter.onAbort);
    if (!waiter.pending) return;
    waiter.pending = false;
    const { before, after } = waiter;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    this.#size--;
  }
}

class Waiter<T, N> {
  readonly note: N;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
  before: Waiter<T, N> | undefined = undefined;
  after: Waiter<T, N> | undefined = undefined;
  timer: Timeout | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  pending = false;

  constructor(note: N, resolve: (value: T) => void, reject: (reason: unknown) => void) {
    this.note = note;
    this.resolve = resolve;
    this.reject = reject;
  }
}
