// All timers of a loop over one turn of its host.

import type { LoopHost, ScheduledTurn } from "./host.js";
import { type Callback, Job, type JobOwner } from "./job.js";
import { type HeapEntry, TimerHeap } from "./timer-heap.js";

/** A timer that was set with `callLater` or `callAt`. */
export interface Timeout {
  /** When it fires, in `loop.time()`. */
  readonly when: number;
  /** Whether it is still going to fire. */
  readonly pending: boolean;
  /** Lets the timer keep the process alive (it does at first). */
  ref(): this;
  /** Lets the process end although the timer has not fired. */
  unref(): this;
}

const NOTHING: readonly unknown[] = [];
const nothing = (): void => undefined;

class TimerJob extends Job implements Timeout, HeapEntry {
  readonly when: number;
  readonly order: number;
  readonly #timers: Timers;
  live = true;
  held = true;

  constructor(
    timers: Timers,
    owner: JobOwner,
    when: number,
    order: number,
    fn: Callback<never>,
    args: readonly unknown[],
  ) {
    super("IOLoopTimeout", owner, fn, args);
    this.#timers = timers;
    this.when = when;
    this.order = order;
  }

  get pending(): boolean {
    return this.live;
  }

  ref(): this {
    this.#timers.setRef(this, true);
    return this;
  }

  unref(): this {
    this.#timers.setRef(this, false);
    return this;
  }

  static belongsTo(value: unknown, timers: Timers): value is TimerJob {
    return typeof value === "object" && value !== null && #timers in value && value.#timers === timers;
  }
}

/** Adds, removes and fires timers. The host's turn is armed for the earliest; a turn that comes too early re-arms. */
export class Timers {
  readonly #host: LoopHost;
  readonly #heap = new TimerHeap<TimerJob>();
  readonly #turn: () => void = () => this.#fire();
  #armed: ScheduledTurn | undefined;
  #armedAt = 0;
  #armedRef = true;
  #refs = 0;
  #orders = 0;
  #running = false;

  constructor(host: LoopHost) {
    this.#host = host;
  }

  /** Whether timers are firing at this moment: what is added now runs after a poll pass. */
  get running(): boolean {
    return this.#running;
  }

  /** Timers that are going to fire. */
  get size(): number {
    return this.#heap.size;
  }

  add(owner: JobOwner, when: number, fn: Callback<never>, args: readonly unknown[]): Timeout {
    const timer = new TimerJob(this, owner, when, this.#orders++, fn, args);
    this.#heap.add(timer);
    this.#refs++;
    if (!this.#running) this.#arm(when);
    return timer;
  }

  /** @throws TypeError when `handle` is not a timer of this loop */
  remove(handle: Timeout): void {
    if (!TimerJob.belongsTo(handle, this))
      throw new TypeError("removeTimeout() takes what callLater() of this loop returned");
    if (!handle.live) return;
    this.#heap.remove(handle);
    this.#forget(handle);
    // What it would have called, and all that hangs on it, is not kept until the sweep.
    handle.fn = nothing;
    handle.args = NOTHING;
    this.#applyRef();
  }

  setRef(timer: TimerJob, ref: boolean): void {
    if (timer.held === ref) return;
    timer.held = ref;
    if (!timer.live) return;
    this.#refs += ref ? 1 : -1;
    this.#applyRef();
  }

  #forget(timer: TimerJob): void {
    if (timer.held) this.#refs--;
  }

  #arm(at: number): void {
    if (this.#armed === undefined || at < this.#armedAt) {
      this.#armed?.cancel();
      this.#armed = this.#host.schedule(at, this.#turn);
      this.#armedAt = at;
      this.#armedRef = true;
    }
    this.#applyRef();
  }

  /** The armed turn is left armed when the last timer goes: it comes early for the next one, and holds nobody. */
  #applyRef(): void {
    const ref = this.#refs > 0;
    if (this.#armedRef === ref || this.#armed === undefined) return;
    this.#armedRef = ref;
    this.#armed.setRef(ref);
  }

  #fire(): void {
    this.#armed = undefined;
    const now = this.#host.now();
    const end = this.#orders;
    this.#running = true;
    try {
      for (let next = this.#heap.first(); next !== undefined; next = this.#heap.first()) {
        // A timer set by one of these timers waits for the next turn, so that I/O has its chance.
        if (next.when > now || next.order >= end) break;
        this.#heap.takeFirst();
        this.#forget(next);
        next.run();
      }
    } finally {
      this.#running = false;
      const next = this.#heap.first();
      if (next !== undefined) this.#arm(next.when);
    }
  }
}
