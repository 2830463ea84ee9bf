import { channel, hasSubscribers } from "node:diagnostics_channel";
import { describe, expect, expectTypeOf, it } from "vitest";
import { observe, type Timeout, type TimerAddedMessage } from "../src/index.js";
import { installLoop, virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const NAME = "tw:ioloop:timerAdded";

describe("observe()", () => {
  it("calls its observer with each message until it is disposed of", () => {
    const { loop } = virtualLoop();
    const seen: Timeout[] = [];
    const observation = observe<TimerAddedMessage>(NAME, (message) => {
      expect(message.loop).toBe(loop);
      seen.push(message.timer);
    });
    const timer = loop.callLater(1, () => undefined);
    observation[Symbol.dispose]();
    observation[Symbol.dispose]();
    loop.callLater(1, () => undefined);
    expect(seen).toEqual([timer]);
    expect(hasSubscribers(NAME)).toBe(false);
  });

  it("logs what an observer throws or rejects with, and everybody else hears all the same", async () => {
    const logger = recorder();
    const { loop } = virtualLoop();
    const heard: string[] = [];
    const observations = [
      observe(NAME, () => expect.fail("thrown"), { logger }),
      observe(NAME, () => Promise.reject(new Error("rejected")), { logger }),
      observe(NAME, () => heard.push("third")),
    ];
    const timer = loop.callLater(1, () => undefined);
    for (const observation of observations) observation[Symbol.dispose]();
    await Promise.resolve();
    expect(timer.pending).toBe(true);
    expect(heard).toEqual(["third"]);
    expect(logger.records.map(({ level, message, fields }) => [level, message, String(fields.err)])).toEqual([
      ["error", `Uncaught exception in an observer of ${NAME}`, expect.stringContaining("thrown")],
      ["error", `Uncaught exception in an observer of ${NAME}`, "Error: rejected"],
    ]);
  });

  it("logs to the current loop where it was given no logger, and survives one that throws", () => {
    const logger = recorder();
    const { loop } = virtualLoop({ logger });
    const restore = installLoop(loop);
    const fails = (): never => {
      throw new Error("logger");
    };
    const hostile = { debug: fails, info: fails, warn: fails, error: fails };
    const observations = [observe(NAME, fails), observe(NAME, fails, { logger: hostile })];
    loop.callLater(1, () => undefined);
    for (const observation of observations) observation[Symbol.dispose]();
    restore();
    expect(logger.records).toHaveLength(1);
  });

  it("refuses what is no name or no function before anything is subscribed", () => {
    expect(() => observe(NAME, 1 as never)).toThrow(TypeError);
    expect(() => observe(Symbol("tw") as never, () => undefined)).toThrow(TypeError);
    for (const logger of [null, 5, {}])
      expect(() => observe("tw:none", () => undefined, { logger: logger as never })).toThrow(
        /^A logger has /,
      );
    expect(hasSubscribers(NAME)).toBe(false);
  });

  it("gives its observer messages of the type it is asked for", () => {
    observe<TimerAddedMessage>(NAME, (message) => {
      expectTypeOf(message.timer).toEqualTypeOf<Timeout>();
      // @ts-expect-error there is no such field
      message.nothing;
    })[Symbol.dispose]();
    observe(NAME, (message) => expectTypeOf(message).toBeUnknown())[Symbol.dispose]();
    expect(channel(NAME).hasSubscribers).toBe(false);
  });
});
