// A logger: the methods, its level, its children. What it writes to is an output.

import { checkOptions, type LogFields, type Logger, type LogMethod } from "@tw/util";
import { logContext } from "./context.js";
import { type LogLevel, type LogThreshold, rankOf, Threshold } from "./levels.js";
import { type LogRecord, readCall } from "./record.js";
import { swallowed, taps } from "./taps.js";

/** What one level is called with. More arguments fill the `%s %d %j` of the message; an `Error` without a place becomes `err`. */
export interface LogCall extends LogMethod {
  (message: string, ...args: readonly unknown[]): void;
  (error: Error, message?: string, ...args: readonly unknown[]): void;
  (fields: object, message?: string, ...args: readonly unknown[]): void;
}

/**
 * The loggers of this package. They have the methods of a pino logger, and fit where one is taken by its methods.
 * A method may be taken off its logger. No method throws, whatever it is called with.
 */
export interface StructuredLogger {
  readonly name: string;
  /** What is let through; may be set at any time. A child follows its parent until its own was set. @throws RangeError when set to what is no level */
  level: LogThreshold;
  trace: LogCall;
  debug: LogCall;
  info: LogCall;
  warn: LogCall;
  error: LogCall;
  /** One that ends the process, by the word of whoever calls it: this only writes it. */
  fatal: LogCall;
  /** Drops the record. */
  silent: LogCall;
  /** Whether a record of that level would be written: ask before gathering what is costly to gather. */
  isLevelEnabled(level: LogThreshold): boolean;
  /** A logger that adds `fields` to each of its records. @throws TypeError when they are not an object, or the options or the name are none */
  child(fields: LogFields, options?: ChildLoggerOptions): StructuredLogger;
  /** The fields that this logger adds. */
  bindings(): LogFields;
  /** There is nothing to wait for: records are given to the stream as they are made. */
  flush(done?: () => void): void;
}

/** Options of {@link StructuredLogger.child}. */
export interface ChildLoggerOptions {
  /** @default that of the parent */
  readonly name?: string;
  /** @default follows the parent */
  readonly level?: LogThreshold;
}

/** Where the records of a logger and of its children go. */
export interface LogOutput {
  now(): number;
  write(record: LogRecord): void;
}

/** Recognised across copies of this package. */
const BRAND: unique symbol = Symbol.for("@tw/log.logger") as never;

/** Whether it is a logger of this package, of any copy of it. @throws TypeError when it is no logger at all */
export function isStructured(logger: Logger): logger is StructuredLogger {
  if (typeof logger !== "object" || logger === null || typeof logger.error !== "function") {
    throw new TypeError("Expected the name of a logger, or a logger");
  }
  return BRAND in logger;
}

/** @throws TypeError unless it is left out or a string */
export function checkName(name: unknown): void {
  if (name === undefined || typeof name === "string") return;
  throw new TypeError(`name must be a string, got ${name === null ? "null" : typeof name}`);
}

/** A record whose making logs, whose making logs…: the third is dropped. */
const MAX_NESTED = 2;
let nested = 0;

/** Makes a logger over an output. */
export function makeLogger(
  output: LogOutput,
  name: string,
  threshold: Threshold,
  fields?: LogFields,
): StructuredLogger {
  const logger: StructuredLogger = {
    name,
    get level() {
      return threshold.level;
    },
    set level(level) {
      threshold.level = level;
    },
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    fatal: method("fatal"),
    silent() {},
    isLevelEnabled: (level) => level !== "silent" && threshold.lets(rankOf(level)),
    child(more, options = {}) {
      if (typeof more !== "object" || more === null) throw new TypeError("child() takes an object of fields");
      checkOptions("options", options);
      const { name: ownName = name, level } = options;
      checkName(ownName);
      return makeLogger(output, ownName, new Threshold(level, threshold), { ...fields, ...more });
    },
    bindings: () => ({ ...fields }),
    flush: (done) => done?.(),
  };

  function method(level: LogLevel): LogCall {
    const rank = rankOf(level);
    return (first?: unknown, second?: unknown, ...rest: readonly unknown[]): void => {
      const enabled = threshold.lets(rank);
      if (enabled || taps.length > 0) emit(level, enabled, first, second, rest);
    };
  }

  function emit(
    level: LogLevel,
    enabled: boolean,
    first: unknown,
    second: unknown,
    rest: readonly unknown[],
  ) {
    if (nested > MAX_NESTED) return;
    nested++;
    try {
      const call = readCall(first, second, rest, logContext(), fields);
      const record: LogRecord = {
        level,
        time: output.now(),
        name,
        message: call.message,
        fields: call.fields,
      };
      if (taps.length > 0 && swallowed(record, logger, enabled)) return;
      if (enabled) output.write(record);
    } catch {
      // The clock or a hostile object threw: there is nowhere left to say so.
    } finally {
      nested--;
    }
  }
  return Object.defineProperty(logger, BRAND, { value: true });
}
