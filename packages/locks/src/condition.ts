// Waiting to be told (Tornado's locks.Condition).

import type { LoopOption, WaitOptions } from "@tw/gen";
import { checkLoopOption, Waiters } from "@tw/gen/waiters";
import { IOLoop } from "@tw/ioloop";
import { checkInteger } from "@tw/util";

/**
 * Lets coroutines wait until another one notifies them. A notification reaches those who wait at that moment and is
 * not kept: look at what you wait for first, and again when woken.
 *
 * @example
 * const changed = new Condition();
 * while (!done) if (!(await changed.wait({ timeoutMs: 1000 }))) console.log("still waiting");
 */
export class Condition {
  readonly #waiters: Waiters<boolean>;

  /** @throws TypeError on options that are none */
  constructor(options: LoopOption = {}) {
    checkLoopOption(options);
    this.#waiters = new Waiters(options.loop ?? IOLoop.current());
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Resolves with `true` when notified and with `false` when the time is up; rejects with `signal.reason`.
   *
   * @throws TypeError, RangeError on options that are none, at once
   */
  wait(options: WaitOptions = {}): Promise<boolean> {
    return this.#waiters.wait(undefined, options, () => false);
  }

  /**
   * Wakes the `n` who wait longest, or all if there are fewer. Who timed out or gave up is not counted.
   *
   * @throws TypeError, RangeError when `n` is not an integer from 0 on
   */
  notify(n = 1): void {
    checkInteger("n", n);
    for (let left = n; left > 0 && this.#waiters.wake(true); left--);
  }

  /** Wakes all who wait. */
  notifyAll(): void {
    this.notify(this.#waiters.size);
  }
}
