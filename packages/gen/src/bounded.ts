// Waiting for a promise no longer than a timer and a signal allow. The promise goes on; what becomes of it is told.

import type { IOLoop, Timeout } from "@tw/ioloop";
import { logSafely, offAbort, onAbort } from "@tw/util";
import { TimeoutError } from "./errors.js";
import { type QuietOption, reportLost } from "./quiet.js";

/** How long to wait, and who hears of what came too late. */
export interface Bounds extends QuietOption {
  readonly loop: IOLoop;
  /** Milliseconds; left out, only the signal ends the wait. */
  readonly ms?: number;
  readonly signal?: AbortSignal | undefined;
  /** Aborted with the same reason when the wait is given up. */
  readonly controller?: AbortController | undefined;
}

/** Settles with `promise`, or rejects when its bounds say so. Late errors are logged, a late result is noted at debug. */
export function bounded<T>(promise: Promise<T>, bounds: Bounds): Promise<T> {
  const { loop, ms, signal, controller, quietErrors } = bounds;
  if (ms === undefined && signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    let over = false;
    let givenUpFor: unknown;
    const end = (): void => {
      over = true;
      if (timer !== undefined) loop.removeTimeout(timer);
      if (signal !== undefined) offAbort(signal, aborted);
    };
    const giveUp = (reason: unknown): void => {
      end();
      givenUpFor = reason;
      reject(reason);
      controller?.abort(reason);
    };
    const aborted = (): void => giveUp(signal?.reason);
    const expire = (limit: number): void => giveUp(new TimeoutError(limit, "in withTimeout()"));
    let timer: Timeout | undefined;
    if (signal?.aborted) aborted();
    else {
      try {
        // A timer for 0 too: what has settled already is in time.
        if (ms !== undefined) timer = loop.callLater(ms, expire, ms);
        if (signal !== undefined) onAbort(signal, aborted);
      } catch (error) {
        // A closed loop has no timers. What is waited for goes on all the same, and is heard of below.
        giveUp(error);
      }
    }
    promise.then(
      (value) => {
        if (over) return noteLateResult(loop);
        end();
        resolve(value);
      },
      (error: unknown) => {
        if (over)
          return reportLost(loop, "Error after the wait was given up", error, quietErrors, givenUpFor);
        end();
        reject(error);
      },
    );
  });
}

function noteLateResult(loop: IOLoop): void {
  logSafely(loop.logger, "debug", undefined, "Result after the wait was given up: dropped");
}
