// What an IOLoop asks of its surroundings. The real host (node-host.ts) is the only file of the stack with clock
// calls; a virtual one is thirty lines (virtual-host.ts), which is what makes everything above testable in virtual time.

import type { Poller } from "@tw/poller";
import type { LoopMeter } from "./metrics.js";

/** The four things a loop asks for, and a fifth that a host without a process has no answer to. */
export interface LoopHost {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Wall-clock milliseconds since 1970 (cookies, `Date`, logs). */
  wallNow(): number;
  /**
   * Runs `turn` once: as soon as I/O had its chance when `at` is not after {@link now}, else when `at` has come,
   * never earlier and never during the call. Turns of the same time run in the order they were scheduled.
   * The loop has at most two turns scheduled: one for callbacks, one for the earliest timer.
   */
  schedule(at: number, turn: () => void): ScheduledTurn;
  /** Polls descriptors; `undefined` where no poller can be had. Asked once, when first needed. */
  poller(): Poller | undefined;
  /**
   * Keeps the process alive until the returned function is called, and meanwhile hands these signals to `onSignal`
   * instead of letting them end the process.
   */
  hold?(signals: readonly LoopSignal[], onSignal: (signal: LoopSignal) => void): () => void;
  /**
   * Calls `beat` about every `everyMs` of real time as long as the thread turns, without keeping the process alive,
   * until the returned function is called. Only a host in real time has a pulse, and can be watched.
   */
  pulse?(everyMs: number, beat: () => void): () => void;
  /** Begins to measure lag and utilisation; `undefined` where time is not real. Asked once, when first needed. */
  meter?(): LoopMeter;
}

/** A turn that has not run yet. */
export interface ScheduledTurn {
  /** The turn will not run. May be repeated, also after it ran. */
  cancel(): void;
  /** Whether the turn keeps the process alive (it does at first). */
  setRef(ref: boolean): void;
}

/** A signal that asks a server to finish. */
export type LoopSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGQUIT" | "SIGUSR2";
