import { describe, expect, it } from "vitest";
import { type Logger, logSafely } from "../src/index.js";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** A logger whose methods need their `this`, as those of a class do. */
class Recorder implements Logger {
  readonly calls: unknown[][] = [];
  debug = (...args: unknown[]): void => this.note("debug", args);
  info = (...args: unknown[]): void => this.note("info", args);
  warn = (...args: unknown[]): void => this.note("warn", args);
  error(...args: unknown[]): void {
    this.note("error", args);
  }
  note(level: string, args: unknown[]): void {
    this.calls.push([level, ...args]);
  }
}

describe("logSafely()", () => {
  it.each(LEVELS)("observes what a %s that is async rejects with", async (level) => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    const fail = async (): Promise<void> => {
      throw new Error("the disk is full");
    };
    logSafely({ debug: fail, info: fail, warn: fail, error: fail }, level, undefined, "lost");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it.each(LEVELS)("calls %s as a method, with the message, or fields and the message", (level) => {
    const logger = new Recorder();
    const fields = { err: new Error("no") };
    logSafely(logger, level, undefined, "listening");
    logSafely(logger, level, fields, "failed");
    expect(logger.calls).toEqual([
      [level, "listening"],
      [level, fields, "failed"],
    ]);
  });

  it.each(LEVELS)("survives %s that throws, or is none", (level) => {
    const throws = (): never => {
      throw new Error("no logging today");
    };
    logSafely({ debug: throws, info: throws, warn: throws, error: throws }, level, undefined, "failed");
    logSafely({} as Logger, level, {}, "failed");
  });
});
