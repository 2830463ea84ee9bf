// Errors that nobody waits for any more: they are logged, unless their user said that they do not matter.

import type { IOLoop } from "@tw/ioloop";
import { checkFunction, logSafely } from "@tw/util";

/** Options of a call that may leave errors behind. */
export interface QuietOption {
  /**
   * Which errors are not logged when nobody receives them: all (`true`), or those for which the function returns
   * true. What an abort leaves behind (`AbortError`, the signal's reason) is never logged. @default false
   */
  readonly quietErrors?: boolean | ((error: unknown) => boolean) | undefined;
}

/** Throws unless `quietErrors` is what it should be. @throws TypeError */
export function checkQuiet({ quietErrors }: QuietOption): void {
  if (quietErrors === undefined || typeof quietErrors === "boolean") return;
  checkFunction("quietErrors", quietErrors);
  const prototype: unknown = quietErrors.prototype;
  if (prototype instanceof Error || prototype === Error.prototype) {
    throw new TypeError(
      "quietErrors must be true or a function: (error) => isTwError(error, code), not a class",
    );
  }
}

/**
 * Logs an error that nobody receives, unless it is quiet or merely what an abort leaves behind: an `AbortError`, or the
 * reason for which the wait was given up. Never throws.
 */
export function reportLost(
  loop: IOLoop,
  message: string,
  error: unknown,
  quietErrors: QuietOption["quietErrors"],
  givenUpFor?: unknown,
): void {
  try {
    if (quietErrors === true || isAbort(error, givenUpFor)) return;
    if (typeof quietErrors === "function" && quietErrors(error) === true) return;
  } catch {
    // A predicate that fails has not said that the error does not matter.
  }
  logSafely(loop.logger, "error", { err: error }, message);
}

function isAbort(error: unknown, givenUpFor: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  return error === givenUpFor || (error as { name?: unknown }).name === "AbortError";
}
