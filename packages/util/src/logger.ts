// What the stack asks of a logger, and how it says what went wrong. The methods are shaped so that a pino logger can be
// passed as it is.

import { isPromiseLike } from "./promise.js";

/** Structured fields of a record; `err` is the error that the record is about. */
export type LogFields = Readonly<Record<string, unknown>>;

/** One method per level, each called with `(message)` or `(fields, message)`. */
export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
}

/** `logger.error({ err }, "Uncaught exception GET /")` or `logger.info("listening")`. */
export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

/**
 * Logs, and never throws: where something went wrong already, a logger that fails too, by a promise or at once, is not
 * worth a connection, let alone the process. Without `fields` the logger is called with the message alone.
 *
 * @example
 * logSafely(loop.logger, "error", { err }, "Exception in handleStream");
 */
export function logSafely(
  logger: Logger,
  level: keyof Logger,
  fields: LogFields | undefined,
  message: string,
): void {
  try {
    const result: unknown = fields === undefined ? logger[level](message) : logger[level](fields, message);
    if (isPromiseLike(result)) result.then(undefined, nobodyLeftToTell);
  } catch {
    nobodyLeftToTell();
  }
}

function nobodyLeftToTell(): void {}
