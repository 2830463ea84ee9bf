// The default logger: small enough to read, shaped so that a pino logger can take its place.

import { checkFunction, checkOptions } from "@tw/util";
import { formatJson, formatPretty } from "./format.js";
import { type LogThreshold, Threshold } from "./levels.js";
import type { LogRecord } from "./record.js";
import { type LogStream, sinkOf } from "./sink.js";
import { checkName, type LogOutput, makeLogger, type StructuredLogger } from "./structured-logger.js";

/** How records are written. */
export interface LoggerOptions {
  /** Stands in every record. @default "tw.application" */
  readonly name?: string;
  /** The lowest level written; may be changed later, see {@link StructuredLogger.level}. @default "info" */
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
 * client sends can be logged as it is. An `err` field is written with its stack and its causes. Fields of
 * {@link withLogContext} stand in each record.
 *
 * A stream that throws, fails or does not take what is written costs records and nothing else: they are counted, and
 * the next one that gets through is preceded by a warning with their number.
 *
 * @throws TypeError on options that are none, a name that is no string, a stream or a clock that is none; RangeError on an unknown level or format
 * @example
 * const log = createLogger({ name: "shop" });
 * log.info({ port: 8888 }, "listening"); // [I 261121 10:11:12 shop] listening port=8888
 */
export function createLogger(options: LoggerOptions = {}): StructuredLogger {
  checkNamed(options);
  checkOutput(options);
  const { name = "tw.application", level = "info", format } = options;
  const threshold = new Threshold(level);
  if (format !== undefined && format !== "pretty" && format !== "json") {
    throw new RangeError(`Unknown log format ${JSON.stringify(format)}`);
  }
  return makeLogger(outputTo(options), name, threshold);
}

/** A logger that drops everything. */
export const nullLogger: StructuredLogger = makeLogger(
  { now: () => 0, write() {} },
  "tw.null",
  new Threshold("silent"),
);

/** A name in the place of all options is what one gives elsewhere. */
function checkNamed(options: unknown): void {
  if (typeof options === "string") {
    const got = JSON.stringify(options.slice(0, 64));
    throw new TypeError(`options must be an object, got ${got}: give { name: ${got} }`);
  }
  checkOptions("options", options);
  checkName((options as LoggerOptions).name);
}

/** A logger never throws, so that without this it would say nothing, for ever. */
function checkOutput({ stream, clock }: LoggerOptions): void {
  if (clock !== undefined) checkFunction("clock", clock);
  if (stream === undefined || typeof (stream as Partial<LogStream> | null)?.write === "function") return;
  throw new TypeError(`stream must have write(), got ${stream === null ? "null" : typeof stream}`);
}

function outputTo({ stream, clock = Date.now, format, color }: LoggerOptions): LogOutput {
  return {
    now: () => clock(),
    write(record: LogRecord): void {
      const to = stream ?? process.stderr;
      const pretty = format === undefined ? to.isTTY === true : format === "pretty";
      const asLine = (record: LogRecord) =>
        pretty ? formatPretty(record, color ?? wantsColor(to)) : formatJson(record);
      sinkOf(to).write(asLine(record), (dropped) => {
        const message = "Records were dropped: the stream of the log did not take them";
        return asLine({ ...record, level: "warn", message, fields: { dropped } });
      });
    },
  };
}

function wantsColor(stream: LogStream): boolean {
  const { NO_COLOR } = process.env;
  return stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === "");
}
