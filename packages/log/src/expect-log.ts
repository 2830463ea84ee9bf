// Tornado's ExpectLog: a test says which record it expects; that record is not written, and its absence is a failure.

import { checkOptions, type Logger, TwError } from "@tw/util";
import { type LogLevel, rankOf } from "./levels.js";
import { watchMethods } from "./method-watch.js";
import type { LogRecord } from "./record.js";
import { isStructured } from "./structured-logger.js";
import { addTap } from "./taps.js";

/** Options of {@link ExpectLog}. */
export interface ExpectLogOptions {
  /** Only records of exactly this level count; the logger lets them through meanwhile, whatever its own level. @default any level that the logger writes */
  readonly level?: LogLevel;
  /** Whether it is a failure when no such record comes. @default true */
  readonly required?: boolean;
}

/** `ERR_TW_LOG_EXPECTED`: the expected record never came. */
export class ExpectedLogError extends TwError {
  constructor(message: string) {
    super("ERR_TW_LOG_EXPECTED", message);
  }
}

/**
 * Expects a record, swallows it, and fails when none came.
 *
 * From its making until it is disposed of, records of `logger` whose message matches `pattern` are counted and not
 * written, in whichever turn they come; all others pass. Of several that match, the one made last gets the record. It
 * hears all of its thread: tests that expect the same record do not run at the same time.
 *
 * `logger` is the name of loggers of `@tw/log` (`""`: all of them), one of them (without its children), or any other
 * logger, pino's for one, whose methods are replaced meanwhile.
 *
 * @throws TypeError on what is no logger, pattern or object of options, RangeError on an unknown level
 * @example
 * {
 *   using expected = new ExpectLog("tw.application", /Exception in callback/);
 *   loop.addCallback(() => { throw new Error("on purpose"); });
 *   await expected.whenMatched;
 * } // throws ExpectedLogError had it not come
 */
export class ExpectLog implements Disposable, AsyncDisposable {
  /** What matched and was swallowed. */
  readonly records: LogRecord[] = [];
  /** Resolves with the first record that matches; for records that come in a later turn. */
  readonly whenMatched: Promise<LogRecord>;
  readonly #what: string;
  readonly #required: boolean;
  readonly #seen: string[] = [];
  #first: (record: LogRecord) => void = () => undefined;
  #stop: (() => void) | undefined;

  constructor(logger: string | Logger, pattern: RegExp | string, options: ExpectLogOptions = {}) {
    checkOptions("options", options, { boolean: "required" });
    const { level, required = true } = options;
    if (level !== undefined) rankOf(level);
    if (typeof pattern !== "string" && !(pattern instanceof RegExp)) {
      throw new TypeError("ExpectLog takes a RegExp or a text that the message contains");
    }
    this.#required = required;
    this.#what = `${level ?? "a"} record ${String(pattern)} of ${nameOf(logger)}`;
    this.whenMatched = new Promise((resolve) => {
      this.#first = resolve;
    });
    // lastIndex of a global pattern would make every second match a miss.
    const regex =
      typeof pattern === "string" ? undefined : new RegExp(pattern, pattern.flags.replace(/[gy]/g, ""));
    const take = (record: LogRecord, enabled: boolean): boolean => {
      const matches = regex?.test(record.message) ?? record.message.includes(pattern as string);
      if (matches && (level === undefined ? enabled : record.level === level)) {
        this.records.push(record);
        this.#first(record);
        return true;
      }
      if (enabled && this.#seen.length < 5)
        this.#seen.push(`${record.level} ${record.name}: ${record.message}`);
      return false;
    };
    if (typeof logger === "string" || isStructured(logger)) {
      this.#stop = addTap((record, from, enabled) => {
        const ours = typeof logger === "string" ? logger === "" || record.name === logger : from === logger;
        return ours && take(record, enabled);
      });
    } else this.#stop = watchMethods(logger, take);
  }

  /** How many records matched. */
  get matched(): number {
    return this.records.length;
  }

  /** Whether one of them carried an error, and so a stack. */
  get loggedStack(): boolean {
    return this.records.some((record) => record.fields.err instanceof Error);
  }

  /** Expects no more, without asking whether it came. Idempotent. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Expects no more. @throws ExpectedLogError `ERR_TW_LOG_EXPECTED` when no record came and one is required */
  check(): void {
    this.stop();
    if (!this.#required || this.matched > 0) return;
    const seen = this.#seen.length === 0 ? "nothing" : `\n  ${this.#seen.join("\n  ")}`;
    throw new ExpectedLogError(`Expected ${this.#what}, and none came. Logged instead: ${seen}`);
  }

  [Symbol.dispose](): void {
    if (this.#stop !== undefined) this.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop === undefined) return;
    // What was thrown at the very end is logged when the promise jobs are done, or in the next turn.
    if (this.#required && this.matched === 0) await new Promise((resolve) => setImmediate(resolve));
    this.check();
  }
}

/**
 * As {@link ExpectLog}, around a function: it fails as the function does, or because the record did not come.
 * Resolves with what the function returned.
 *
 * @example
 * await expectLog("tw.general", /Malformed request/, () => client.send("nonsense"));
 */
export async function expectLog<T>(
  logger: string | Logger,
  pattern: RegExp | string,
  fn: (expected: ExpectLog) => T | PromiseLike<T>,
  options: ExpectLogOptions = {},
): Promise<T> {
  if (typeof fn !== "function") throw new TypeError("expectLog() takes a function as its third argument");
  const expected = new ExpectLog(logger, pattern, options);
  try {
    const result = await fn(expected);
    await expected[Symbol.asyncDispose]();
    return result;
  } finally {
    expected.stop();
  }
}

function nameOf(logger: string | Logger): string {
  if (typeof logger !== "string")
    return isStructured(logger) ? JSON.stringify(logger.name) : "the logger given";
  return logger === "" ? "any logger" : JSON.stringify(logger);
}
