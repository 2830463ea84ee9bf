// What the watchdog may be told, checked before anything starts.

import { checkDurationMs, checkFunction, checkInteger } from "@tw/util";
import { watchdogEntry } from "../thread-entries.js";
import type { BlockedReport } from "./report.js";

/** How long one piece of code may hold the loop before it is reported. */
const DEFAULT_THRESHOLD_MS = 100;

/** Below this the watching costs more than it tells. */
const MIN_THRESHOLD_MS = 10;
/** Above this nobody is waiting for the answer any more. */
const MAX_THRESHOLD_MS = 600_000;

/** Options of `IOLoop.setBlockingWatchdog`. */
export interface BlockingWatchdogOptions {
  /**
   * How long one callback, timer, handler or other piece of code may run before it counts as blocking, from 10 ms to
   * 600 000 ms. The watchdog looks four times in that span, so a report may come a quarter late.
   * @default 100
   */
  readonly thresholdMs?: number;
  /**
   * How often the CPU profiler of V8 looks at the stack, in ms; 0 turns it off. Only it can name the line of a native
   * call, because nothing else sees the stack while one runs; without it the report has what V8 can tell after the call.
   * @default a quarter of `thresholdMs`, at most 100
   */
  readonly sampleMs?: number;
  /**
   * The file descriptor that the watchdog's own thread writes one line to while the loop is still blocked, when
   * nothing else in the process can speak; `false` for none. The descriptor stays yours.
   * @default stderr
   */
  readonly live?: number | false;
  /**
   * Called on the loop once the block is over, each time, also where the log only counts. What it throws is logged.
   */
  readonly onBlocked?: (report: BlockedReport) => unknown;
  /**
   * Where the entry of its thread is, for a bundle: `@tw/ioloop/watchdog-worker`, bundled as a file of its own.
   * @default `watchdog/worker.js` beside this code
   */
  readonly entry?: URL;
}

/** The options with everything filled in. */
export interface ResolvedWatchdogOptions {
  readonly thresholdMs: number;
  readonly sampleMs: number;
  readonly live: number | false;
  readonly onBlocked: ((report: BlockedReport) => unknown) | undefined;
  readonly entry: URL;
  /** Where frames are this package's own; empty in a bundle, where they cannot be told from the user's. */
  readonly ownUrl: string;
}

/** @throws TypeError, RangeError on what cannot be an option */
export function resolveWatchdogOptions(options: BlockingWatchdogOptions): ResolvedWatchdogOptions {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("setBlockingWatchdog() takes an object of options, or undefined to end it");
  }
  const { thresholdMs = DEFAULT_THRESHOLD_MS, live = 2, onBlocked } = options;
  checkDurationMs("thresholdMs", thresholdMs);
  if (thresholdMs < MIN_THRESHOLD_MS || thresholdMs > MAX_THRESHOLD_MS) {
    throw new RangeError(
      `thresholdMs must be from ${MIN_THRESHOLD_MS} to ${MAX_THRESHOLD_MS} ms, got ${thresholdMs}`,
    );
  }
  const { sampleMs = Math.min(thresholdMs / 4, 100) } = options;
  checkDurationMs("sampleMs", sampleMs);
  if (sampleMs !== 0 && (sampleMs < 1 || sampleMs > thresholdMs)) {
    throw new RangeError(`sampleMs must be 0, or from 1 to thresholdMs (${thresholdMs}), got ${sampleMs}`);
  }
  if (live !== false) checkInteger("live", live, 0, 2 ** 31 - 1);
  if (onBlocked !== undefined) checkFunction("onBlocked", onBlocked);
  const { entry = watchdogEntry() } = options;
  if (!(entry instanceof URL)) throw new TypeError("entry must be a URL");
  const ownUrl = options.entry === undefined ? new URL("..", entry).href : "";
  return { thresholdMs, sampleMs, live, onBlocked, entry, ownUrl };
}
