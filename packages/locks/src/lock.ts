// One holder at a time (Tornado's locks.Lock).

import type { LoopOption, WaitOptions } from "@tw/gen";
import { checkLoopOption, checkWait, timeOut, Waiters } from "@tw/gen/waiters";
import { IOLoop } from "@tw/ioloop";
import { checkFunction } from "@tw/util";
import { NotAcquiredError } from "./errors.js";
import { Guard, holding } from "./guard.js";

/**
 * Mutual exclusion among coroutines: what one does between two awaits, others cannot interrupt anyway; a lock is for
 * what spans awaits. It is handed on in the order of asking, and it is not reentrant: who holds it and asks again waits
 * for ever.
 *
 * A waiter whose time is up (`TimeoutError`) or whose signal aborts (`signal.reason`) does not get the lock.
 *
 * @example
 * const lock = new Lock();
 * {
 *   await using guard = await lock.acquire();
 *   await save(await load());
 * }
 * await lock.with(async () => save(await load())); // the same
 */
export class Lock {
  readonly #waiters: Waiters<Guard>;
  #holder: Guard | undefined;

  /** @throws TypeError on options that are none */
  constructor(options: LoopOption = {}) {
    checkLoopOption(options);
    this.#waiters = new Waiters(options.loop ?? IOLoop.current());
  }

  /** Whether somebody holds it. */
  get locked(): boolean {
    return this.#holder !== undefined;
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Takes the lock as soon as it is free. What it resolves with gives it back when disposed, as does {@link release};
   * the second of both does nothing where it is the guard.
   *
   * @throws TypeError, RangeError on options that are none, at once
   */
  acquire(options: WaitOptions = {}): Promise<Guard> {
    checkWait(options);
    if (this.#holder !== undefined || options.signal?.aborted) {
      return this.#waiters.wait(undefined, options, timeOut(options, "in Lock.acquire()"));
    }
    this.#holder = this.#guard();
    return Promise.resolve(this.#holder);
  }

  /**
   * Takes the lock from whoever holds it and hands it on. The holder's guard no longer counts then.
   *
   * @throws NotAcquiredError `ERR_TW_NOT_ACQUIRED` when nobody holds it
   */
  release(): void {
    if (this.#holder === undefined) throw new NotAcquiredError("This Lock");
    this.#holder.release();
  }

  /**
   * Runs `fn` while holding the lock, and resolves with its result once the lock is given back, whatever `fn` did.
   * (Tornado's `async with lock:`.)
   *
   * @throws TypeError when `fn` is not a function
   */
  with<T>(fn: () => T | PromiseLike<T>, options: WaitOptions = {}): Promise<Awaited<T>> {
    checkFunction("with()'s argument", fn);
    return holding(this.acquire(options), fn);
  }

  #guard(): Guard {
    return new Guard(() => this.#handOn());
  }

  #handOn(): void {
    this.#holder = this.#waiters.size > 0 ? this.#guard() : undefined;
    if (this.#holder !== undefined) this.#waiters.wake(this.#holder);
  }
}
