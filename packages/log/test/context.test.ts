import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it, vi } from "vitest";
import { logContext, withLogContext } from "../src/index.js";
import { jsonLogger } from "./support.js";

describe("withLogContext()", () => {
  it("makes no store before it is first used", async () => {
    const run = vi.spyOn(AsyncLocalStorage.prototype, "getStore");
    jsonLogger().logger.info("x");
    expect(logContext()).toBeUndefined();
    expect(run).not.toHaveBeenCalled();
    run.mockRestore();
  });

  it("adds its fields to records of what it calls, over promises, ticks and timers, and of nothing else", async () => {
    const { stream, logger } = jsonLogger();
    const result = await withLogContext({ requestId: "a" }, async () => {
      logger.info("now");
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      logger.info({ more: 1 }, "later");
      return 7;
    });
    logger.info("outside");
    expect(result).toBe(7);
    expect(stream.records.map(({ requestId }) => requestId)).toEqual(["a", "a", undefined]);
    expect(stream.records[1]).toMatchObject({ more: 1 });
  });

  it("keeps tasks that run at the same time apart", async () => {
    const { stream, logger } = jsonLogger();
    const ids = ["a", "b", "c"];
    await Promise.all(
      ids.map((requestId) =>
        withLogContext({ requestId }, async () => {
          for (let i = 0; i < 3; i++) {
            await new Promise((resolve) => setImmediate(resolve));
            logger.info({ expected: requestId }, "x");
          }
        }),
      ),
    );
    expect(stream.records).toHaveLength(9);
    for (const record of stream.records) expect(record.requestId).toBe(record.expected);
  });

  it("nests: inner fields are added and replace, fields of child and record replace them", () => {
    const { stream, logger } = jsonLogger();
    withLogContext({ a: 1, b: 1 }, () =>
      withLogContext({ b: 2, c: 2, d: 2 }, () => {
        logger.child({ c: 3 }).info({ d: 4 }, "x");
        expect(logContext()).toEqual({ a: 1, b: 2, c: 2, d: 2 });
      }),
    );
    expect(stream.records[0]).toMatchObject({ a: 1, b: 2, c: 3, d: 4 });
  });

  it("passes on what the function throws, and ends with it", () => {
    expect(() =>
      withLogContext({ a: 1 }, () => {
        throw new Error("through");
      }),
    ).toThrow("through");
    expect(logContext()).toBeUndefined();
  });

  it("refuses what is no object or no function before it calls anything", () => {
    const fn = vi.fn();
    for (const bad of [null, undefined, "x"])
      expect(() => withLogContext(bad as never, fn)).toThrow(TypeError);
    expect(() => withLogContext({}, 1 as never)).toThrow(TypeError);
    expect(fn).not.toHaveBeenCalled();
  });
});
