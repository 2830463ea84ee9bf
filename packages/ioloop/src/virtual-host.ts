// A host whose clock stands still until told otherwise: hours of timeouts in a millisecond, the same way every time.

import { channel } from "node:diagnostics_channel";
import { checkDurationMs, checkOptions, TwError } from "@tw/util";
import type { DiagnosticsChannel } from "./diagnostics.js";
import type { LoopHost, LoopSignal, ScheduledTurn } from "./host.js";
import { realPause, realTurn } from "./node-host.js";
import { DEAD, type HeapEntry, TimerHeap } from "./timer-heap.js";

/** Asks whoever keeps track of resources what is still there: subscribers add to `pending`. */
const idleChannel: DiagnosticsChannel<VirtualIdle> = channel("tw:ioloop:virtualIdle");

/** What is published on `tw:ioloop:virtualIdle` before a {@link VirtualIdleError} is made. */
export interface VirtualIdle {
  readonly host: VirtualHost;
  /** What is still there, a line each; to be added to. */
  readonly pending: string[];
}

/** `ERR_TW_VIRTUAL_IDLE`: a promise is pending that nothing scheduled can settle. */
export class VirtualIdleError extends TwError {
  /** What was still there, a line each. */
  readonly pending: readonly string[];

  constructor(now: number, pending: readonly string[] = []) {
    const list = pending.map((line) => `\n  ${line}`).join("");
    super(
      "ERR_TW_VIRTUAL_IDLE",
      `Nothing left to wait for at ${now} ms, and the promise is still pending: no callback or timer that keeps ` +
        "the process alive is scheduled. Something was never resolved, or waits for real I/O" +
        (list === "" ? "" : `. Still there:${list}`),
    );
    this.pending = pending;
  }
}

/** Where a virtual host begins. */
export interface VirtualHostOptions {
  /** What `now()` says at first, from 0 on. @default 0 */
  readonly now?: number;
  /** What `wallNow()` says at first, ms since 1970, and not before. @default 2026-01-01T00:00:00Z */
  readonly wall?: number;
}

/**
 * Real time, in ms, that a pending promise gets before it is declared stuck: a dynamic import, for one, needs some.
 * The virtual clock stands still meanwhile.
 */
const PATIENCE_MS = 1000;
const PATIENCE_STEP_MS = 5;

/**
 * A loop host in virtual time. There is no poller: descriptors are real, and so is their time.
 *
 * @example
 * const { host, loop } = virtualLoop();
 * const said = await host.run(() => new Promise((resolve) => loop.callLater(3_600_000, resolve, "an hour later")));
 */
export class VirtualHost implements LoopHost {
  #now: number;
  readonly #wallOffset: number;
  readonly #turns = new TimerHeap<VirtualTurn>();
  #orders = 0;
  /** Turns that keep the process alive. */
  #refs = 0;
  readonly #setState = (turn: VirtualTurn, state: number): void => {
    if (turn.state === DEAD || turn.state === state) return;
    if (turn.state === HOLDING) this.#refs--;
    else if (state === HOLDING) this.#refs++;
    if (state === DEAD) this.#turns.remove(turn);
    else turn.state = state;
  };
  #onSignal: ((signal: LoopSignal) => void) | undefined;

  /** @throws TypeError, RangeError on options that are none, and on times that are none or before 0 */
  constructor(options: VirtualHostOptions = {}) {
    checkOptions("options", options, { number: "now" });
    const { now = 0, wall = Date.UTC(2026, 0, 1) } = options;
    checkDurationMs("now", now, Number.MAX_VALUE);
    checkDurationMs("wall", wall, Number.MAX_VALUE);
    this.#now = now;
    this.#wallOffset = wall - now;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  schedule(at: number, turn: () => void): ScheduledTurn {
    const scheduled = new VirtualTurn(Math.max(at, this.#now), this.#orders++, turn, this.#setState);
    this.#turns.add(scheduled);
    this.#refs++;
    return scheduled;
  }

  poller(): undefined {
    return undefined;
  }

  hold(signals: readonly LoopSignal[], onSignal: (signal: LoopSignal) => void): () => void {
    this.#onSignal = (signal) => {
      if (signals.includes(signal)) onSignal(signal);
    };
    return () => {
      this.#onSignal = undefined;
    };
  }

  /** As if the process had received a signal. Does nothing when no `start()` listens to it. */
  signal(signal: LoopSignal): void {
    this.#onSignal?.(signal);
  }

  /** Turns that are scheduled. */
  get pending(): number {
    return this.#turns.size;
  }

  /**
   * Moves the clock on, running each turn at its time, with ticks and microtasks in between. Two at a
   * time move it to where the further one ends.
   */
  async advance(ms: number): Promise<void> {
    checkDurationMs("ms", ms);
    const end = this.#now + ms;
    await realTurn();
    while (this.#runNext(end)) await realTurn();
    // Another one may be further already, and a clock does not go back.
    this.#now = Math.max(this.#now, end);
  }

  /**
   * Calls `fn` and jumps from turn to turn until what it returned settles; that is then the result. The jumps do not
   * wait for real I/O: what needs it (a file, a dynamic import) is best done before, or while no timer is set.
   *
   * @throws VirtualIdleError `ERR_TW_VIRTUAL_IDLE` when nothing is left that could settle it
   */
  async run<T>(fn: () => T | PromiseLike<T>): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    const result = Promise.resolve(fn());
    result.then(settle, settle);
    let waitedMs = 0;
    for (;;) {
      await realTurn();
      if (settled) return result;
      if (this.#refs > 0) {
        this.#runNext(Number.POSITIVE_INFINITY);
        waitedMs = 0;
      } else if (waitedMs < PATIENCE_MS) {
        await realPause(PATIENCE_STEP_MS);
        waitedMs += PATIENCE_STEP_MS;
      } else throw new VirtualIdleError(this.#now, this.#whatIsPending());
    }
  }

  #whatIsPending(): string[] {
    const pending: string[] = [];
    for (const { when } of this.#turns.live())
      pending.push(`a timer at ${when} ms that was told not to hold the process (unref)`);
    if (idleChannel.hasSubscribers) idleChannel.publish({ host: this, pending });
    return pending;
  }

  /** Runs the earliest turn that is not after `end`; among equals, the one scheduled first. */
  #runNext(end: number): boolean {
    const next = this.#turns.first();
    if (next === undefined || next.when > end) return false;
    this.#setState(next, DEAD);
    this.#now = next.when;
    next.run();
    return true;
  }
}

/** Waiting without keeping the process alive, and keeping it; the third state is `DEAD`. */
const LOOSE = 1;
const HOLDING = 2;

class VirtualTurn implements ScheduledTurn, HeapEntry {
  readonly when: number;
  readonly order: number;
  readonly run: () => void;
  readonly #setState: (turn: VirtualTurn, state: number) => void;
  state: number = HOLDING;

  constructor(
    when: number,
    order: number,
    run: () => void,
    setState: (turn: VirtualTurn, state: number) => void,
  ) {
    this.when = when;
    this.order = order;
    this.run = run;
    this.#setState = setState;
  }

  cancel(): void {
    this.#setState(this, DEAD);
  }

  setRef(ref: boolean): void {
    this.#setState(this, ref ? HOLDING : LOOSE);
  }
}
