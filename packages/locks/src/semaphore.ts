// A number of permits, and those who wait for one (Tornado's locks.Semaphore).
//
//   acquire() ── value > 0 ──► value − 1            release() ── nobody waits ──► value + 1
//             └─ value = 0 ──► waits, FIFO                    └─ somebody does ─► the permit is handed on, value stays 0
//
// A permit never lies about while somebody waits: nobody can overtake, and who is woken has it already.

import type { LoopOption, WaitOptions } from "@tw/gen";
import { checkLoopOption, checkWait, timeOut, Waiters } from "@tw/gen/waiters";
import { IOLoop } from "@tw/ioloop";
import { checkFunction, checkInteger } from "@tw/util";
import { NotAcquiredError } from "./errors.js";
import { Guard, holding } from "./guard.js";

/**
 * Lets as many in at a time as it has permits; the others wait in the order they came.
 *
 * A waiter whose time is up (`TimeoutError`) or whose signal aborts (`signal.reason`) takes no permit along. Releasing
 * more often than acquiring adds permits; {@link BoundedSemaphore} refuses that.
 *
 * @throws TypeError, RangeError when `value` is not an integer from 0 on; TypeError on options that are none
 * @example
 * const downloads = new Semaphore(4);
 * const page = await downloads.with(() => fetch(url));
 */
export class Semaphore {
  readonly #waiters: Waiters<Guard>;
  #value: number;

  constructor(value = 1, options: LoopOption = {}) {
    checkInteger("value", value);
    checkLoopOption(options);
    this.#waiters = new Waiters(options.loop ?? IOLoop.current());
    this.#value = value;
  }

  /** Permits that are free. */
  get value(): number {
    return this.#value;
  }

  /** How many wait for a permit. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Takes a permit, as soon as there is one. What it resolves with gives it back when disposed, as does
   * {@link release}: do one of both.
   *
   * @throws TypeError, RangeError on options that are none, at once
   * @example
   * await using permit = await semaphore.acquire({ timeoutMs: 100 });
   */
  acquire(options: WaitOptions = {}): Promise<Guard> {
    checkWait(options);
    if (this.#value === 0 || options.signal?.aborted) {
      return this.#waiters.wait(undefined, options, timeOut(options, "in Semaphore.acquire()"));
    }
    this.#value--;
    return Promise.resolve(this.#guard());
  }

  /** Gives a permit back: to whoever waits longest, else it is free. */
  release(): void {
    if (this.#waiters.size === 0) this.#value++;
    else this.#waiters.wake(this.#guard());
  }

  /**
   * Runs `fn` while holding a permit, and resolves with its result once the permit is given back, whatever `fn` did.
   * (Tornado's `async with semaphore:`.)
   *
   * @throws TypeError when `fn` is not a function
   */
  with<T>(fn: () => T | PromiseLike<T>, options: WaitOptions = {}): Promise<Awaited<T>> {
    checkFunction("with()'s argument", fn);
    return holding(this.acquire(options), fn);
  }

  /** The guard of a permit that is being handed out. */
  #guard(): Guard {
    return new Guard(() => this.release());
  }
}

/**
 * A semaphore that is never released above the value it began with: that would be a mistake.
 *
 * @example
 * const seats = new BoundedSemaphore(2);
 */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  constructor(value = 1, options: LoopOption = {}) {
    super(value, options);
    this.#bound = value;
  }

  /** @throws NotAcquiredError `ERR_TW_NOT_ACQUIRED` when every permit is free */
  override release(): void {
    if (this.value >= this.#bound) throw new NotAcquiredError("This BoundedSemaphore");
    super.release();
  }
}
