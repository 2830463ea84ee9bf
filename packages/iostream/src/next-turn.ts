import type { IOLoop } from "@tw/ioloop";
import { logSafely } from "@tw/util";

/**
 * Calls `fn` in the next turn of `loop`. A closed loop has none: then behind what runs now, so that whoever waits for the
 * end of a stream learns of it all the same. What it throws is logged, on either.
 */
export function inNextTurn(loop: IOLoop, fn: () => void): void {
  if (loop.closed) process.nextTick(callAndLog, loop, fn);
  else loop.addCallback(fn);
}

function callAndLog(loop: IOLoop, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    logSafely(loop.logger, "error", { err: error }, "Exception in callback");
  }
}
