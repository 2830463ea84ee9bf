// The callbacks of the next turn.
//
//   turn n                      turn n + 1
//   ┌────┬────┬────┐  poll      ┌────┬────┐
//   │ a  │ b  │ c  │ ─────────► │ a' │ c' │      a' was added by a: it waits, and I/O has its chance in between
//   └────┴────┴────┘            └────┴────┘

import { Batch, Bound, Contextual } from "./batch.js";
import { forgetCaptures, isNowhere, nowhere } from "./context/capture.js";
import type { LoopHost, ScheduledTurn } from "./host.js";
import type { Callback, JobOwner } from "./job.js";

/** A batch that fills while the one before it runs. One host turn per batch, however many callbacks it holds. */
export class CallbackQueue {
  readonly #owner: JobOwner;
  readonly #host: LoopHost;
  readonly #turn: () => void = () => this.#runBatch();
  #waiting = new Batch();
  #spare: Batch | undefined;
  #scheduled: ScheduledTurn | undefined;
  #running = false;
  #closed = false;

  constructor(owner: JobOwner, host: LoopHost) {
    this.#owner = owner;
    this.#host = host;
  }

  /** Whether a batch is running at this moment: what is added now runs after a poll pass. */
  get running(): boolean {
    return this.#running;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Callbacks that wait for the next turn. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Adds a callback in the caller's context. */
  add(callback: Callback<never>, args: readonly unknown[]): void {
    const fn = callback as Callback;
    if (this.#scheduled === undefined) this.#schedule();
    const plain = args.length === 0 ? fn : new Bound(fn, args);
    this.#waiting.add(isNowhere() ? plain : new Contextual(plain));
  }

  /** Drops what waits. Nothing may be added any more. */
  close(): void {
    this.#closed = true;
    this.#scheduled?.cancel();
    this.#waiting = new Batch();
  }

  #schedule(): void {
    // 0 is never after now(): the clock is monotonic and starts at 0 or later.
    this.#scheduled = this.#host.schedule(0, this.#turn);
  }

  #runBatch(): void {
    const batch = this.#waiting;
    this.#waiting = this.#spare ?? new Batch();
    this.#spare = undefined;
    this.#scheduled = undefined;
    this.#running = true;
    forgetCaptures();
    batch.run(this.#owner, nowhere, this);
    this.#running = false;
    batch.reset();
    this.#spare = batch;
  }
}
