import { virtualLoop } from "@tw/ioloop/testing";
import { describe, expect, it } from "vitest";
import { TimeoutError, withTimeout } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();
const LATE = "Error after the wait was given up";

describe("withTimeout()", () => {
  it("gives what comes in time, and no error later", async () => {
    const work = stage.after(99, "value");
    await expect(stage.host.run(() => withTimeout(100, work))).resolves.toBe("value");
    await stage.host.advance(100);
    expect(stage.logged).toEqual([]);
  });

  it("passes a failure on that comes in time", async () => {
    const work = stage.failing(99, new Error("own"));
    await expect(stage.host.run(() => withTimeout(100, work))).rejects.toThrow("own");
    expect(stage.logged).toEqual([]);
  });

  it("rejects with TimeoutError when its time is up", async () => {
    const seen = outcome(withTimeout(100, stage.after(101, "late")));
    await stage.host.advance(99);
    expect(seen).toEqual({});
    await stage.host.advance(1);
    expect(seen.error).toBeInstanceOf(TimeoutError);
    expect(seen.error).toMatchObject({ name: "TimeoutError", code: "ERR_TW_TIMEOUT", timeoutMs: 100 });
  });

  it("notes a late result at debug only", async () => {
    outcome(withTimeout(10, stage.after(20, "late")));
    await stage.host.advance(20);
    expect(stage.logged.map(({ level }) => level)).toEqual(["debug"]);
  });

  it("logs a late error", async () => {
    const err = new Error("late");
    outcome(withTimeout(10, stage.failing(20, err)));
    await stage.host.advance(20);
    expect(stage.logged).toEqual([{ level: "error", message: LATE, err }]);
  });

  it.each([
    ["quietErrors: true", { quietErrors: true }, 0],
    ["a predicate that says so", { quietErrors: (error: unknown) => error instanceof RangeError }, 0],
    ["a predicate that does not", { quietErrors: (error: unknown) => error instanceof TypeError }, 1],
    [
      "a predicate that throws",
      {
        quietErrors: () => {
          throw new Error("predicate");
        },
      },
      1,
    ],
  ])("with %s", async (_, options, records) => {
    outcome(withTimeout(10, stage.failing(20, new RangeError("late")), options));
    await stage.host.advance(20);
    expect(stage.logged).toHaveLength(records);
  });

  it("a late AbortError is always quiet", async () => {
    outcome(withTimeout(10, stage.failing(20, new DOMException("stopped", "AbortError"))));
    await stage.host.advance(20);
    expect(stage.logged).toEqual([]);
  });

  it("survives a logger that throws", async () => {
    const broken = () => {
      throw new Error("disk full");
    };
    Object.assign(stage.loop.logger, { error: broken, debug: broken });
    outcome(withTimeout(10, stage.failing(20, new Error("late"))));
    outcome(withTimeout(10, stage.after(20, "late")));
    await stage.host.advance(30);
  });

  it("of 0 takes what has settled already", async () => {
    await expect(stage.host.run(() => withTimeout(0, Promise.resolve("there")))).resolves.toBe("there");
    await expect(stage.host.run(() => withTimeout(0, new Promise(() => undefined)))).rejects.toBeInstanceOf(
      TimeoutError,
    );
  });

  it("rejects with the signal's reason when it aborts, before or meanwhile", async () => {
    await expect(withTimeout(10, stage.after(5, 1), { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    const controller = new AbortController();
    const err = new Error("late");
    const seen = outcome(withTimeout(100, stage.failing(20, err), { signal: controller.signal }));
    stage.loop.callLater(10, () => controller.abort("gone"));
    await stage.host.advance(10);
    expect(seen).toEqual({ error: "gone" });
    stage.logged.length = 0;
    await stage.host.advance(100);
    expect(stage.logged).toEqual([{ level: "error", message: LATE, err }]);
  });

  it("a function's signal aborts with the TimeoutError, which is then no late error", async () => {
    let reason: unknown;
    const work = (signal: AbortSignal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
          reject(signal.reason);
        });
      });
    const seen = outcome(withTimeout(10, work));
    await stage.host.advance(10);
    expect(seen.error).toBeInstanceOf(TimeoutError);
    expect(reason).toBe(seen.error);
    expect(stage.logged).toEqual([]);
  });

  it("a function that throws at once rejects, and one whose signal is aborted is not called", async () => {
    const thrown = withTimeout(10, () => {
      throw new Error("at once");
    });
    await expect(thrown).rejects.toThrow("at once");
    let called = false;
    const work = () => {
      called = true;
      return 1;
    };
    await expect(withTimeout(10, work, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(called).toBe(false);
  });

  it("on a closed loop rejects, calls no function, and logs what a promise comes to", async () => {
    const { loop } = virtualLoop({ logger: stage.loop.logger });
    await loop.close();
    const closed = { code: "ERR_TW_LOOP_CLOSED" };
    const uncalled = (): never => expect.fail("called");
    await expect(withTimeout(10, uncalled, { loop })).rejects.toMatchObject(closed);
    const err = new Error("late");
    await expect(withTimeout(10, stage.failing(20, err), { loop })).rejects.toMatchObject(closed);
    await stage.host.advance(20);
    expect(stage.logged).toEqual([{ level: "error", message: LATE, err }]);
  });

  it("throws on bad arguments at once", () => {
    const work = Promise.resolve();
    for (const ms of [-1, 1e12 + 1]) expect(() => withTimeout(ms, work)).toThrow(RangeError);
    expect(() => withTimeout(1, work, { loop: null as never })).toThrow("loop must be an IOLoop, got null");
    expect(() => withTimeout("1" as never, work)).toThrow(TypeError);
    expect(() => withTimeout(1, 42 as never)).toThrow(TypeError);
    expect(() => withTimeout(1, work, { signal: {} as never })).toThrow(TypeError);
    expect(() => withTimeout(1, work, AbortSignal.abort() as never)).toThrow(/AbortSignal: give { signal }$/);
    expect(() => withTimeout(1, work, stage.loop as never)).toThrow(/IOLoop: give { loop }$/);
    for (const bad of [null, 5, []]) expect(() => withTimeout(1, work, bad as never)).toThrow(TypeError);
    expect(() => withTimeout(1, work, null as never)).toThrow("options must be an object, got null");
    expect(() => withTimeout(1, work, { quietErrors: TypeError as never })).toThrow(/not a class/);
    expect(() => withTimeout(1, work, { quietErrors: Error as never })).toThrow(/not a class/);
    expect(() => withTimeout(1, work, { quietErrors: 1 as never })).toThrow(TypeError);
  });
});
