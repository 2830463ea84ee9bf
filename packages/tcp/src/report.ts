// Saying what went wrong on the logger of a loop.

import type { IOLoop } from "@tw/ioloop";
import { logSafely } from "@tw/util";

/** Logs `message`, with the error that it is about. Never throws. */
export function report(
  loop: IOLoop,
  level: "debug" | "warn" | "error",
  message: string,
  err?: unknown,
): void {
  logSafely(loop.logger, level, err === undefined ? undefined : { err }, message);
}
