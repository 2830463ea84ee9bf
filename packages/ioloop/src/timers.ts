// All timers of a loop over one turn of its host.
//
//   turn n, at 100            poll      turn n + 1, at 103
//   ┌──────┬──────┬──────┐  ───────►    ┌──────┬──────┬───────┐
//   │ 90 a │ 98 b │ 98 c │              │ 50 d │ 98 e │ 102 f │    b set d and e, for times that had come: they wait
//   └──────┴──────┴──────┘              └──────┴──────┴───────┘

import { channel } from "node:diagnostics_channel";
import type { Logger } from "@tw/util";
import { forgetCaptures } from "./context/capture.js";
import type { DiagnosticsChannel, TimerAddedMessage } from "./diagnostics.js";
import type { LoopHost, ScheduledTurn } from "./host.js";
import type { IOLoop } from "./ioloop.js";
import { type Callback, type CallbackErrorHook, Job, type JobOwner, NOTHING } from "./job.js";
import { DEAD, type HeapEntry, TimerHeap } from "./timer-heap.js";
import { TIMER } from "./watchdog/memory.js";

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

const addedChannel: DiagnosticsChannel<TimerAddedMessage> = channel("tw:ioloop:timerAdded");

const nothing = (): void => undefined;

/** Pending without keeping the process alive, and keeping it; the third state is `DEAD`. */
const LOOSE = 1;
const HOLDING = 2;

/** Few fields, on purpose: with a million deadlines pending, memory is what they cost. */
class TimerJob extends Job implements Timeout, HeapEntry {
  declare readonly owner: Timers;
  readonly when: number;
  readonly order: number;
  state: number = HOLDING;

  constructor(timers: Timers, when: number, order: number, fn: Callback<never>, args: readonly unknown[]) {
    super(timers, fn, args);
    this.when = when;
    this.order = order;
  }

  override get kind(): number {
    return TIMER;
  }

  get pending(): boolean {
    return this.state !== DEAD;
  }

  ref(): this {
    this.owner.setState(this, HOLDING);
    return this;
  }

  unref(): this {
    this.owner.setState(this, LOOSE);
    return this;
  }
}

/** Adds, removes and fires timers. The host's turn is armed for the earliest; a turn that comes too early re-arms. */
export class Timers implements JobOwner {
  readonly #loop: JobOwner;
  readonly #host: LoopHost;
  readonly #heap = new TimerHeap<TimerJob>();
  /** What timers that are firing have set for a time that has come: not in the heap, where it would be the first. */
  readonly #late = new Set<TimerJob>();
  readonly #turn: () => void = () => this.#fire();
  #armed: ScheduledTurn | undefined;
  #armedAt = 0;
  #armedRef = true;
  #refs = 0;
  #orders = 0;
  #running = false;
  /** The time of the pass that is running, or was. */
  #passAt = 0;

  constructor(loop: JobOwner, host: LoopHost) {
    this.#loop = loop;
    this.#host = host;
  }

  get logger(): Logger {
    return this.#loop.logger;
  }

  get onCallbackError(): CallbackErrorHook | undefined {
    return this.#loop.onCallbackError;
  }

  /** Whether timers are firing at this moment: what is added now runs after a poll pass. */
  get running(): boolean {
    return this.#running;
  }

  /** Timers that are going to fire. */
  get size(): number {
    return this.#heap.size + this.#late.size;
  }

  add(when: number, fn: Callback<never>, args: readonly unknown[]): Timeout {
    const timer = new TimerJob(this, when, this.#orders++, fn, args);
    this.#refs++;
    if (!this.#running) {
      this.#heap.add(timer);
      this.#arm(when);
    } else if (when > this.#passAt) this.#heap.add(timer);
    else this.#late.add(timer);
    if (addedChannel.hasSubscribers) addedChannel.publish({ loop: this.#loop as IOLoop, timer });
    return timer;
  }

  /** @throws TypeError when `handle` is not a timer of this loop */
  remove(handle: Timeout): void {
    if (!(handle instanceof TimerJob) || handle.owner !== this) {
      throw new TypeError("removeTimeout() takes what callLater() or callAt() of this loop returned");
    }
    const { state } = handle;
    if (state === DEAD) return;
    if (this.#running && this.#late.delete(handle)) handle.state = DEAD;
    else this.#heap.remove(handle);
    // What it would have called, and all that hangs on it, is not kept until the sweep.
    handle.fn = nothing;
    handle.args = NOTHING;
    if (state === HOLDING) this.#release();
  }

  setState(timer: TimerJob, state: number): void {
    if (timer.state === DEAD || timer.state === state) return;
    timer.state = state;
    if (state === LOOSE) this.#release();
    else {
      this.#refs++;
      this.#applyRef();
    }
  }

  /** Drops all timers. Nothing may be added any more. */
  close(): void {
    for (const timer of [...this.#heap.live(), ...this.#late]) this.remove(timer);
    this.#armed?.cancel();
    this.#armed = undefined;
  }

  #release(): void {
    this.#refs--;
    this.#applyRef();
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

  /** Fires all that is due. What these timers set waits for the next turn, so that I/O has its chance. */
  #fire(): void {
    this.#armed = undefined;
    this.#passAt = this.#host.now();
    this.#running = true;
    forgetCaptures();
    try {
      for (let next = this.#heap.first(); next !== undefined; next = this.#heap.first()) {
        if (next.when > this.#passAt) break;
        if (next.state === HOLDING) this.#refs--;
        this.#heap.takeFirst();
        next.run();
      }
    } finally {
      this.#running = false;
      if (this.#late.size > 0) this.#addLate();
      const next = this.#heap.first();
      if (next !== undefined) this.#arm(next.when);
    }
  }

  #addLate(): void {
    for (const timer of this.#late) this.#heap.add(timer);
    this.#late.clear();
  }
}
