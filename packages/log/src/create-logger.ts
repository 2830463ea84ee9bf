// The default logger: small enough to read, shaped so that a pino logger can take its place.

import type { LogFields, Logger, LogMethod } from "@tw/util";
import { formatJson, formatPretty } from "./format.js";
import { type LogLevel, type LogThreshold, rankOf } from "./levels.js";

/** Where lines go: `process.stderr`, a file stream, an array in a test. */
export interface LogStream {
  /** Takes one record, its line feed included. Whatever it throws is dropped: logging never breaks who logs. */
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** How records are written. */
export interface LoggerOptions {
  /** Stands in every record. @default "tw.application" */
  readonly name?: string;
  /** The lowest level written. @default "info" */
  readonly level?: LogThreshold;
  /** @default `process.stderr`, looked up at each record */
  readonly stream?: LogStream;
  /** Wall-clock milliseconds since 1970; a loop passes its own `wallTime`. @default Date.now */
  readonly clock?: () => number;
  /** Lines for people or JSON. @default "pretty" on a terminal, else "json" */
  readonly format?: "pretty" | "json";
  /** Colours in pretty lines. @default true on a terminal unless `NO_COLOR` is set and not empty */
  readonly color?: boolean;
}

/**
 * Makes a logger that writes one line per record.
 *
 * Control characters in messages and fields are escaped and long texts are cut at 16 384 characters, so that what a
 * client sends can be logged as it is. An `err` field is written with its stack and its causes.
 *
 * @throws RangeError on an unknown level or format
 * @example
 * const log = createLogger({ name: "shop" });
 * log.info({ port: 8888 }, "listening"); // [I 261121 10:11:12 shop] listening port=8888
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { name = "tw.application", level = "info", clock = Date.now } = options;
  const { stream, format, color } = options;
  const threshold = rankOf(level);
  if (format !== undefined && format !== "pretty" && format !== "json") {
    throw new RangeError(`Unknown log format ${JSON.stringify(format)}`);
  }

  function emit(at: LogLevel, fields: LogFields, message: string): void {
    try {
      const to = stream ?? process.stderr;
      const record = { level: at, time: clock(), name, message, fields };
      const pretty = format === undefined ? to.isTTY === true : format === "pretty";
      to.write(pretty ? formatPretty(record, color ?? wantsColor(to)) : formatJson(record));
    } catch {
      // A getter of a field, the clock or the stream threw: there is nowhere left to say so.
    }
  }

  function method(at: LogLevel): LogMethod {
    if (rankOf(at) < threshold) return silent;
    return (first: string | LogFields, message?: string): void => {
      if (typeof first === "string") emit(at, {}, first);
      else emit(at, first ?? {}, String(message ?? ""));
    };
  }

  return { debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}

/** A logger that drops everything. */
export const nullLogger: Logger = { debug: silent, info: silent, warn: silent, error: silent };

function silent(): void {}

function wantsColor(stream: LogStream): boolean {
  const { NO_COLOR } = process.env;
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === "");
}
