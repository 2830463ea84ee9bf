// How busy a loop is, in numbers, as Node measures it.

import {
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  performance,
} from "node:perf_hooks";

/** How late the loop was, in ms: what a timer that was due had to wait for it. */
export interface LoopLag {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What `IOLoop.metrics` returns. */
export interface LoopMetrics {
  /** Callbacks that wait for the next turn. */
  readonly callbacks: number;
  /** Timers that are going to fire. */
  readonly timers: number;
  /** Descriptors with a handler. Sockets of streams are not among them. */
  readonly handlers: number;
  /** The part of the time that the thread was not waiting for events, from 0 to 1; 0 in virtual time. */
  readonly utilization: number;
  /** `undefined` until something was measured, and in virtual time. */
  readonly lag: LoopLag | undefined;
}

/** Options of `IOLoop.metrics`. */
export interface MetricsOptions {
  /** Whether `lag` and `utilization` begin anew after this call. @default false */
  readonly reset?: boolean;
}

/** Measures a loop from its construction on, without keeping the process alive. */
export interface LoopMeter {
  read(): Pick<LoopMetrics, "utilization" | "lag">;
  reset(): void;
}

/** How often Node's timer for the lag fires. */
const LAG_RESOLUTION_MS = 20;

/** The meter of the real host. Its timer is Node's own and runs no JavaScript. */
export class NodeMeter implements LoopMeter {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #since: EventLoopUtilization = performance.eventLoopUtilization();

  constructor() {
    this.#delay.enable();
  }

  read(): Pick<LoopMetrics, "utilization" | "lag"> {
    const { utilization } = performance.eventLoopUtilization(this.#since);
    const delay = this.#delay;
    const lag =
      delay.count === 0
        ? undefined
        : {
            meanMs: lateness(delay.mean),
            p50Ms: lateness(delay.percentile(50)),
            p99Ms: lateness(delay.percentile(99)),
            maxMs: lateness(delay.max),
          };
    return { utilization, lag };
  }

  reset(): void {
    this.#delay.reset();
    this.#since = performance.eventLoopUtilization();
  }
}

/** What a meter says, and what is said where there is none. */
export function readMeter(
  meter: LoopMeter | undefined,
  { reset = false }: MetricsOptions,
): ReturnType<LoopMeter["read"]> {
  if (meter === undefined) return { utilization: 0, lag: undefined };
  const values = meter.read();
  if (reset) meter.reset();
  return values;
}

/** The histogram holds the whole span between two firings, in ns. */
function lateness(ns: number): number {
  return Math.max(0, ns / 1e6 - LAG_RESOLUTION_MS);
}
