// The real host: Node's own loop, clock and signals. No other file of the stack asks what time it is.

import { performance } from "node:perf_hooks"; // the global is a getter
import { loadPoller, type Poller } from "@tw/poller";
import { outsideContexts } from "./context.js";
import type { LoopHost, LoopSignal, ScheduledTurn } from "./host.js";
import { type LoopMeter, NodeMeter } from "./metrics.js";

/** Node clamps longer timers to 1 ms; a longer wait is made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The host that an `IOLoop` gets when it is given none.
 *
 * A turn whose time has come is a `setImmediate`: it runs after one pass of Node's poll phase and never starves it.
 * One that lies ahead is a `setTimeout`, rounded up to whole milliseconds.
 */
export class NodeHost implements LoopHost {
  now(): number {
    return performance.now();
  }

  wallNow(): number {
    return Date.now();
  }

  schedule(at: number, turn: () => void): ScheduledTurn {
    return outsideContexts(() => (at <= performance.now() ? new Soon(turn) : new Later(at, turn)));
  }

  poller(): Poller | undefined {
    return outsideContexts(loadPoller);
  }

  hold(signals: readonly LoopSignal[], onSignal: (signal: LoopSignal) => void): () => void {
    return outsideContexts(() => {
      const timer = setInterval(() => undefined, LONGEST_TIMER_MS);
      for (const signal of signals) process.on(signal, onSignal);
      return () => {
        clearInterval(timer);
        for (const signal of signals) process.off(signal, onSignal);
      };
    });
  }

  pulse(everyMs: number, beat: () => void): () => void {
    return outsideContexts(() => {
      const timer = setInterval(beat, everyMs).unref();
      return () => clearInterval(timer);
    });
  }

  meter(): LoopMeter {
    return outsideContexts(() => new NodeMeter());
  }
}

/** Resolves after a real turn of Node's loop, with all ticks and microtasks of before done. For the virtual host. */
export function realTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Resolves after real milliseconds. For the virtual host, when it has nothing left to do. */
export function realPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

class Soon implements ScheduledTurn {
  readonly #immediate: NodeJS.Immediate;

  constructor(turn: () => void) {
    this.#immediate = setImmediate(turn);
  }

  cancel(): void {
    clearImmediate(this.#immediate);
  }

  setRef(ref: boolean): void {
    if (ref) this.#immediate.ref();
    else this.#immediate.unref();
  }
}

class Later implements ScheduledTurn {
  readonly #at: number;
  readonly #turn: () => void;
  #timer: NodeJS.Timeout;
  #ref = true;

  constructor(at: number, turn: () => void) {
    this.#at = at;
    this.#turn = turn;
    this.#timer = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  setRef(ref: boolean): void {
    if (ref === this.#ref) return;
    this.#ref = ref;
    if (ref) this.#timer.ref();
    else this.#timer.unref();
  }

  #arm(): NodeJS.Timeout {
    const delay = Math.ceil(this.#at - performance.now());
    return setTimeout(() => this.#fire(), Math.min(Math.max(delay, 1), LONGEST_TIMER_MS));
  }

  /** Node counts in whole milliseconds of its own clock and may be early by a part of one. */
  #fire(): void {
    if (performance.now() >= this.#at) {
      this.#turn();
      return;
    }
    this.#timer = this.#arm();
    if (!this.#ref) this.#timer.unref();
  }
}
