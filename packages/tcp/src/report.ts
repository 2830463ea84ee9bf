// Saying what went wrong, to a logger that may throw itself: that is not worth a connection, let alone the process.

import type { IOLoop } from "@tw/ioloop";

/** Logs `message` on the loop's logger, with the error that it is about. Never throws. */
export function report(
  loop: IOLoop,
  level: "debug" | "warn" | "error",
  message: string,
  err?: unknown,
): void {
  try {
    if (err === undefined) loop.logger[level](message);
    else loop.logger[level]({ err }, message);
  } catch {
    // There is nobody left to tell.
  }
}
