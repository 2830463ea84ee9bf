// A callback at every point of a grid, as long as it is not running already.
//
//   start()   ├────────┼────────┼────────┼────────┤   period
//                      │ run  │ │ a long run  │  │ run
//                                        ▲ skipped: the next run is on the grid again

import { AsyncResource } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import { checkFunction, checkLoop, checkOptions, housekeeping, isPromiseLike } from "@tw/util";
import { MAX_DELAY_MS } from "./delay.js";
import type { DiagnosticsChannel, PeriodicStartedMessage, PeriodicStoppedMessage } from "./diagnostics.js";
import { LoopClosedError } from "./errors.js";
import { IOLoop } from "./ioloop.js";
import type { Timeout } from "./timers.js";

/** Options of {@link PeriodicCallback}. */
export interface PeriodicCallbackOptions {
  /**
   * By how much each period varies at random, as a part of it: with 0.1 by up to 5 % in either direction. Keeps many
   * processes from doing the same thing at the same time. From 0 to 1. @default 0
   */
  readonly jitter?: number | undefined;
  /** Where it runs. @default `IOLoop.current()` at construction */
  readonly loop?: IOLoop | undefined;
}

const startedChannel: DiagnosticsChannel<PeriodicStartedMessage> = channel("tw:ioloop:periodicStarted");
const stoppedChannel: DiagnosticsChannel<PeriodicStoppedMessage> = channel("tw:ioloop:periodicStopped");

/** A shorter period is a loop that does nothing else, and beyond what the clock can tell apart. */
const MIN_PERIOD_MS = 0.001;

/**
 * Calls a function every `periodMs` milliseconds, from one start to the next. The first call is one period after
 * {@link start}. A call that lasts longer, or whose promise does, makes the next ones wait for the grid: calls never
 * overlap. What it throws or rejects with is logged, and the next call comes in its time.
 *
 * It runs in the context of whoever called {@link start}, and holds the process until {@link stop}, unless
 * {@link unref} is called. Closing the loop stops it, and so does the end of the block that it was declared in with `using`.
 *
 * @example
 * const sweeper = new PeriodicCallback(() => sessions.sweep(), 60_000, { jitter: 0.1 });
 * sweeper.start();
 */
export class PeriodicCallback implements Disposable {
  /** Milliseconds from one start to the next. */
  readonly periodMs: number;
  readonly jitter: number;
  readonly #callback: () => unknown;
  readonly #loop: IOLoop;
  readonly #tick: () => unknown;
  #context: AsyncResource | undefined;
  #timeout: Timeout | undefined;
  #next = 0;
  #calling = false;
  #ref = true;

  /** @throws TypeError, RangeError on what is no function, period (from 0.001 ms to 31 years), jitter, loop or object of options */
  constructor(callback: () => unknown, periodMs: number, options: PeriodicCallbackOptions = {}) {
    checkOptions("options", options, { number: "jitter", IOLoop: "loop" });
    const { jitter = 0, loop } = options;
    checkFunction("A periodic callback", callback);
    checkWithin("periodMs", periodMs, MIN_PERIOD_MS, MAX_DELAY_MS / 2);
    checkWithin("jitter", jitter, 0, 1);
    checkLoop(loop);
    this.periodMs = periodMs;
    this.jitter = jitter;
    this.#callback = callback;
    this.#loop = loop ?? IOLoop.current();
    // Who reports on timers hears of the start instead.
    this.#tick = housekeeping(() => this.#call());
    // What the watchdog and the error hook call it.
    Object.defineProperty(this.#tick, "name", { value: callback.name });
  }

  /** Whether it has been started, and neither it was stopped nor its loop closed. */
  get isRunning(): boolean {
    return this.#context !== undefined && !this.#loop.closed;
  }

  /** Begins a grid at this moment. While it runs already, nothing happens. @throws LoopClosedError `ERR_TW_LOOP_CLOSED` */
  start(): void {
    if (this.isRunning) return;
    if (this.#loop.closed) throw new LoopClosedError("PeriodicCallback.start");
    this.#next = this.#loop.time();
    const context = new AsyncResource("PeriodicCallback");
    // After stop() and start() in a call, or while its promise is pending, the end of that call arms the timer.
    if (!this.#calling) this.#arm(context);
    this.#context = context;
    if (startedChannel.hasSubscribers) startedChannel.publish({ loop: this.#loop, periodic: this });
  }

  /** No further call begins. One whose promise is pending goes on. Harmless when it is not running. */
  stop(): void {
    if (this.#context === undefined) return;
    this.#context = undefined;
    if (this.#timeout !== undefined) this.#loop.removeTimeout(this.#timeout);
    this.#timeout = undefined;
    if (stoppedChannel.hasSubscribers) stoppedChannel.publish({ loop: this.#loop, periodic: this });
  }

  /** As {@link stop}. */
  [Symbol.dispose](): void {
    this.stop();
  }

  /** Lets it keep the process alive (it does at first). */
  ref(): this {
    this.#ref = true;
    this.#timeout?.ref();
    return this;
  }

  /** Lets the process end although there would be another call. */
  unref(): this {
    this.#ref = false;
    this.#timeout?.unref();
    return this;
  }

  /** What it throws, or the promise that it returns, is the loop's to report. */
  #call(): unknown {
    this.#timeout = undefined;
    this.#calling = true;
    const called = (): void => {
      this.#calling = false;
      if (this.#context !== undefined && !this.#loop.closed) this.#arm(this.#context);
    };
    try {
      const result = this.#callback();
      if (isPromiseLike(result)) {
        const settled = Promise.resolve(result);
        settled.then(called, called);
        return settled;
      }
    } catch (error) {
      called();
      throw error;
    }
    called();
    return undefined;
  }

  /** Each timer copies the context of start(): what one call enters with is gone in the next. */
  #arm(context: AsyncResource): void {
    const { jitter } = this;
    const period = jitter === 0 ? this.periodMs : this.periodMs * (1 + jitter * (Math.random() - 0.5));
    const next = nextOnGrid(this.#next, this.#loop.time(), period);
    this.#timeout = context.runInAsyncScope(() => this.#loop.callAt(next, this.#tick));
    this.#next = next;
    if (!this.#ref) this.#timeout.unref();
  }
}

/**
 * The first point of the grid through `last` that is after `now`. A clock that went back (a virtual one may) is not
 * waited for: then it is one period after `last`.
 */
function nextOnGrid(last: number, now: number, period: number): number {
  const missed = last <= now ? Math.floor((now - last) / period) : 0;
  return last + (missed + 1) * period;
}

function checkWithin(name: string, value: unknown, min: number, max: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (!(value >= min && value <= max)) {
    throw new RangeError(`${name} must be a number from ${min} to ${max}, got ${value}`);
  }
}
