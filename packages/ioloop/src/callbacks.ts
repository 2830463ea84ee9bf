// The callbacks of the next turn.
//
//   turn n                      turn n + 1
//   ┌────┬────┬────┐  poll      ┌────┬────┐
//   │ a  │ b  │ c  │ ─────────► │ a' │ c' │      a' was added by a: it waits, and I/O has its chance in between
//   └────┴────┴────┘            └────┴────┘

import type { LoopHost, ScheduledTurn } from "./host.js";
import type { Job } from "./job.js";

/** A batch that fills while the one before it runs. One host turn per batch, however many callbacks it holds. */
export class CallbackQueue {
  readonly #host: LoopHost;
  readonly #turn: () => void = () => this.#runBatch();
  #waiting: Job[] = [];
  #scheduled: ScheduledTurn | undefined;
  #running = false;
  #closed = false;

  constructor(host: LoopHost) {
    this.#host = host;
  }

  /** Whether a batch is running at this moment: what is added now runs after a poll pass. */
  get running(): boolean {
    return this.#running;
  }

  /** Callbacks that wait for the next turn. */
  get size(): number {
    return this.#waiting.length;
  }

  add(job: Job): void {
    // 0 is never after now(): the clock is monotonic and starts at 0 or later.
    if (this.#waiting.push(job) === 1) this.#scheduled = this.#host.schedule(0, this.#turn);
  }

  /** Drops what waits. Nothing may be added any more. */
  close(): void {
    this.#closed = true;
    this.#scheduled?.cancel();
    this.#waiting = [];
  }

  #runBatch(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#running = true;
    try {
      for (const job of batch) {
        job.run();
        if (this.#closed) break;
      }
    } finally {
      this.#running = false;
    }
  }
}
