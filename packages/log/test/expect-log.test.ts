import type { Logger } from "@tw/util";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { createLogger } from "../src/index.js";
import { ExpectedLogError, ExpectLog, expectLog } from "../src/testing.js";
import { jsonLogger, Lines } from "./support.js";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("ExpectLog", () => {
  it("swallows the records that match, and lets the others pass", () => {
    const { stream, logger } = jsonLogger();
    const expected = new ExpectLog("shop", /out of \w+/);
    logger.warn({ item: 7 }, "out of stock");
    logger.warn("something else");
    logger.info("out of paper");
    expected.check();
    expect(stream.records.map(({ msg }) => msg)).toEqual(["something else"]);
    expect(expected.matched).toBe(2);
    expect(expected.records[0]).toMatchObject({
      level: "warn",
      name: "shop",
      message: "out of stock",
      fields: { item: 7 },
    });
    logger.warn("out of everything, after the end");
    expect(stream.records).toHaveLength(2);
  });

  it("fails when none came, and says what came instead", () => {
    const { logger } = jsonLogger();
    const expected = new ExpectLog("shop", /out of stock/);
    logger.info("listening");
    expect(() => expected.check()).toThrow(ExpectedLogError);
    const again = new ExpectLog("shop", "out of stock", { level: "warn" });
    logger.info("listening");
    expect(() => again.check()).toThrow(
      'Expected warn record out of stock of "shop", and none came. Logged instead: \n  info shop: listening',
    );
    expect(() => new ExpectLog(logger, /x/).check()).toThrow("Logged instead: nothing");
  });

  it("does not fail when none is required", () => {
    const { stream, logger } = jsonLogger();
    using expected = new ExpectLog("shop", /x/, { required: false });
    logger.info("x");
    expect([expected.matched, stream.texts.length]).toEqual([1, 0]);
    new ExpectLog("shop", /y/, { required: false }).check();
  });

  it("matches records of exactly the level asked for, and lets it through meanwhile", () => {
    const { stream, logger } = jsonLogger({ level: "warn" });
    const expected = new ExpectLog("shop", /x/, { level: "debug" });
    logger.info("x");
    expect(expected.matched).toBe(0);
    logger.warn("x");
    expect(stream.records).toMatchObject([{ level: "warn" }]);
    logger.debug("x");
    expected.check();
    logger.debug("x");
    expect([expected.matched, stream.texts.length, logger.level]).toEqual([1, 1, "warn"]);
  });

  it("without a level matches only what the logger would have written", () => {
    const { logger } = jsonLogger();
    const expected = new ExpectLog("shop", /x/);
    logger.debug("x");
    expect(() => expected.check()).toThrow(ExpectedLogError);
  });

  it("tells loggers apart by name, by identity, or not at all", () => {
    const one = jsonLogger();
    const two = jsonLogger();
    const other = jsonLogger({ name: "other" });
    const all = [one, two, other];
    const swallowedBy = (expected: ExpectLog) => {
      for (const { logger, stream } of all) {
        stream.texts.length = 0;
        logger.info("x");
      }
      expected.check();
      return all.map(({ stream }) => stream.texts.length === 0);
    };
    expect(swallowedBy(new ExpectLog("other", /x/))).toEqual([false, false, true]);
    expect(swallowedBy(new ExpectLog(one.logger, /x/))).toEqual([true, false, false]);
    expect(swallowedBy(new ExpectLog("", /x/))).toEqual([true, true, true]);
  });

  it("nests: the inner one has the first word, what it leaves goes to the outer one", () => {
    const { logger, stream } = jsonLogger();
    using outer = new ExpectLog("shop", /failed/);
    {
      using inner = new ExpectLog("shop", /order/);
      logger.error("order failed");
      logger.error("payment failed");
      expect([inner.matched, outer.matched]).toEqual([1, 1]);
    }
    logger.error("order failed");
    expect([outer.matched, stream.texts.length]).toEqual([2, 0]);
  });

  it("hears of records that come in a later turn", async () => {
    const { logger } = jsonLogger();
    await using expected = new ExpectLog("shop", /late/);
    setImmediate(() => logger.error({ err: new Error("x") }, "late"));
    expect(expected.loggedStack).toBe(false);
    expect((await expected.whenMatched).message).toBe("late");
    expect(expected.loggedStack).toBe(true);
  });

  it("gives what is on its way one turn when it is disposed of asynchronously", async () => {
    const { logger } = jsonLogger();
    await using _expected = new ExpectLog("shop", /late/);
    setImmediate(() => logger.info("late"));
  });

  it("fails at the end of its block when none came", async () => {
    await expect(
      (async () => {
        await using _expected = new ExpectLog("shop", /never/);
      })(),
    ).rejects.toMatchObject({ code: "ERR_TW_LOG_EXPECTED" });
    expect(() => {
      using _expected = new ExpectLog("shop", /never/);
    }).toThrow(ExpectedLogError);
  });

  it("that was checked or stopped is disposed of without asking again", async () => {
    const stopped = new ExpectLog("shop", /never/);
    stopped.stop();
    stopped.stop();
    stopped[Symbol.dispose]();
    await stopped[Symbol.asyncDispose]();
  });

  it("is not confused by a global pattern", () => {
    const { logger } = jsonLogger();
    using expected = new ExpectLog("shop", /x/g);
    for (let i = 0; i < 3; i++) logger.info("x");
    expect(expected.matched).toBe(3);
  });

  it("refuses what is no logger, pattern or level, and leaves nothing behind", () => {
    const { logger, stream } = jsonLogger();
    for (const bad of [undefined, null, 7, {}])
      expect(() => new ExpectLog(bad as never, /x/)).toThrow(TypeError);
    expect(() => new ExpectLog("shop", undefined as never)).toThrow(TypeError);
    expect(() => new ExpectLog("shop", /x/, { level: "loud" as never })).toThrow(RangeError);
    for (const bad of [null, "warn", 5])
      expect(() => new ExpectLog("shop", /x/, bad as never)).toThrow(/^options must be an object, got /);
    expect(() => new ExpectLog("shop", /x/, false as never)).toThrow(/give { required: false }$/);
    logger.info("x");
    expect(stream.texts).toHaveLength(1);
  });
});

describe("ExpectLog on loggers of others", () => {
  it("swallows, passes on, nests and leaves no trace on a pino logger", () => {
    const stream = new Lines();
    const logger = pino({ base: null }, stream);
    const before = logger.error;
    const outer = new ExpectLog(logger, /failed/);
    const inner = new ExpectLog(logger, /order/);
    logger.error({ err: new Error("x") }, "order failed");
    logger.error("payment failed");
    logger.error("fine");
    logger.debug("order, not enabled");
    outer.check();
    logger.error("payment failed");
    inner.check();
    logger.error("order failed");
    expect([inner.matched, outer.matched, inner.loggedStack]).toEqual([1, 1, true]);
    expect(stream.records.map(({ msg }) => msg)).toEqual(["fine", "payment failed", "order failed"]);
    expect(logger.error).toBe(before);
  });

  it("leaves methods of a class where they were", () => {
    class Mine implements Logger {
      readonly heard: unknown[] = [];
      debug(...call: unknown[]): void {
        this.heard.push(call);
      }
      info(...call: unknown[]): void {
        this.heard.push(call);
      }
      warn(...call: unknown[]): void {
        this.heard.push(call);
      }
      error(...call: unknown[]): void {
        this.heard.push(call);
      }
    }
    const logger = new Mine();
    const expected = new ExpectLog(logger, "x", { level: "warn" });
    logger.warn("x");
    logger.error({ a: 1 }, "y");
    expected.check();
    expect(logger.heard).toEqual([[{ a: 1 }, "y"]]);
    expect(Object.hasOwn(logger, "warn")).toBe(false);
  });
});

describe("expectLog()", () => {
  const logger = createLogger({ name: "shop", stream: new Lines() });

  it("resolves with what the function returned", async () => {
    const result = await expectLog("shop", /x/, async () => {
      await turn();
      logger.info("x");
      return 7;
    });
    expect(result).toBe(7);
  });

  it("rejects when the record did not come, and as the function does when that fails", async () => {
    await expect(expectLog("shop", /x/, () => 1)).rejects.toThrow(ExpectedLogError);
    const failing = expectLog("shop", /x/, () => {
      throw new Error("its own");
    });
    await expect(failing).rejects.toThrow("its own");
    await expect(expectLog("shop", /x/, undefined as never)).rejects.toThrow(TypeError);
    await expectLog("shop", /x/, () => 1, { required: false });
  });
});
