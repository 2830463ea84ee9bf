// What an IOLoop asks of its surroundings. The real host (node-host.ts) is the only file of the stack with clock
// calls; a virtual one is thirty lines (testing.ts), which is what makes everything above testable in virtual time.

import type { Poller } from "@tw/poller";

/** The four things a loop asks for. */
export interface LoopHost {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Wall-clock milliseconds since 1970 (cookies, `Date`, logs). */
  wallNow(): number;
  /**
   * Runs `turn` once: as soon as I/O had its chance when `at` is not after {@link now}, else when `at` has come.
   * The loop has at most two turns scheduled: one for callbacks, one for the earliest timer.
   */
  schedule(at: number, turn: () => void): ScheduledTurn;
  /** Polls descriptors; `undefined` where no poller can be had. Asked once, when first needed. */
  poller(): Poller | undefined;
}

/** A turn that has not run yet. */
export interface ScheduledTurn {
  cancel(): void;
  /** Whether the turn keeps the process alive (it does at first). */
  setRef(ref: boolean): void;
}
