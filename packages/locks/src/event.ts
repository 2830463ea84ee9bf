// Something that has happened, or not yet (Tornado's locks.Event).

import type { LoopOption, WaitOptions } from "@tw/gen";
import { checkLoopOption, checkWait, timeOut, Waiters } from "@tw/gen/waiters";
import { IOLoop } from "@tw/ioloop";

/**
 * Blocks coroutines until it is set. From then on nobody waits, until it is cleared again.
 *
 * @example
 * const ready = new Event();
 * loop.callLater(100, () => ready.set());
 * await ready.wait({ timeoutMs: 1000 });
 */
export class Event {
  readonly #waiters: Waiters<void>;
  #set = false;

  /** @throws TypeError on options that are none */
  constructor(options: LoopOption = {}) {
    checkLoopOption(options);
    this.#waiters = new Waiters(options.loop ?? IOLoop.current());
  }

  /** Whether it is set. */
  get isSet(): boolean {
    return this.#set;
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Sets it and wakes all who wait. Those stay woken, also when it is cleared at once. */
  set(): void {
    this.#set = true;
    while (this.#waiters.wake());
  }

  /** Makes later waits block until it is set again. */
  clear(): void {
    this.#set = false;
  }

  /**
   * Resolves when it is set, at once when it is. Rejects with `TimeoutError` or `signal.reason`.
   *
   * @throws TypeError, RangeError on options that are none, at once
   */
  wait(options: WaitOptions = {}): Promise<void> {
    checkWait(options);
    if (this.#set && !options.signal?.aborted) return Promise.resolve();
    return this.#waiters.wait(undefined, options, timeOut(options, "in Event.wait()"));
  }
}
