// Calls of user code that nobody waits for: a log, a maker of ids.

import { isPromiseLike, type Logger, logSafely } from "@tw/util";

/**
 * Calls user code whose failure changes nothing, and returns what it returned. What it throws is logged under `name`, and
 * so is what a promise rejects with that it returned.
 */
export function loggedCall<T>(logger: Logger, name: string, call: () => T): T | undefined {
  const failed = (err: unknown): void => logSafely(logger, "error", { err }, `Uncaught exception in ${name}`);
  try {
    const result = call();
    if (isPromiseLike(result)) result.then(undefined, failed);
    return result;
  } catch (error) {
    failed(error);
    return undefined;
  }
}
