// What the stack asks of a logger. The methods are shaped so that a pino logger can be passed as it is.

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
