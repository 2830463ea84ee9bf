// How fast a body comes. It may stand still for `bodyTimeoutMs`, and a body that comes in single bytes makes progress:
// so from the first `bodyTimeoutMs` on it also has to be as fast as `minRate` on average (a slow-body attack). The time
// in which we hold the peer back is not its own.

import type { Deadlines } from "./deadlines.js";

/** The clock of one body, in ticks. */
export class BodyPace {
  readonly #deadlines: Deadlines;
  readonly #timeoutTicks: number;
  readonly #bytesPerTick: number;
  #began: number;
  #heldSince = 0;

  constructor(deadlines: Deadlines, timeoutMs: number, minRate: number) {
    this.#deadlines = deadlines;
    this.#timeoutTicks = deadlines.ticks(timeoutMs);
    this.#bytesPerTick = (minRate * deadlines.tickMs) / 1000;
    this.#began = deadlines.tick;
  }

  /** The delegate takes no more just now. */
  hold(): void {
    if (this.#heldSince === 0) this.#heldSince = this.#deadlines.tick;
  }

  /** More is awaited now, behind so many bytes: the tick by which it must have come, 0 is never. */
  next(bytes: number): number {
    const { tick } = this.#deadlines;
    if (this.#heldSince !== 0) this.#began += tick - this.#heldSince;
    this.#heldSince = 0;
    if (this.#timeoutTicks === 0) return 0;
    const still = tick + this.#timeoutTicks;
    if (this.#bytesPerTick === 0) return still;
    return Math.min(still, this.#began + this.#timeoutTicks + bytes / this.#bytesPerTick);
  }
}
