import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { virtualLoop } from "@tw/ioloop/testing";
import { describe, expect, it } from "vitest";
import { moment, sleep } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("sleep()", () => {
  it("resolves at its time and not before", async () => {
    const seen = outcome(sleep(1000).then(() => stage.loop.time()));
    await stage.host.advance(999);
    expect(seen).toEqual({});
    await stage.host.advance(1);
    expect(seen).toEqual({ value: 1000 });
  });

  it("of 0 lets the callbacks run that were added before", async () => {
    const order: string[] = [];
    stage.loop.addCallback(() => order.push("callback"));
    const slept = sleep(0).then(() => order.push("slept"));
    order.push("caller");
    await stage.host.run(() => slept);
    expect(order).toEqual(["caller", "callback", "slept"]);
  });

  it.each([0, 50])("of %i ms rejects with the signal's reason, and leaves nothing behind", async (ms) => {
    const controller = new AbortController();
    const seen = outcome(sleep(ms, { signal: controller.signal }));
    controller.abort("enough");
    await Promise.resolve();
    expect(seen).toEqual({ error: "enough" });
    await stage.host.advance(100);
    expect(stage.logged).toEqual([]);
    await expect(sleep(ms, { signal: AbortSignal.abort("before") })).rejects.toBe("before");
  });

  it("keeps the AsyncLocalStorage of its caller", async () => {
    const als = new AsyncLocalStorage<string>();
    const store = als.run("mine", async () => {
      await sleep(10);
      return als.getStore();
    });
    await expect(stage.host.run(() => store)).resolves.toBe("mine");
  });

  it("takes the time of the loop it is given", async () => {
    const other = virtualLoop();
    const seen = outcome(sleep(10, { loop: other.loop }));
    await stage.host.advance(100);
    expect(seen).toEqual({});
    await other.host.advance(10);
    expect(seen).toEqual({ value: undefined });
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e12 + 1])("throws RangeError on %d", (ms) => {
    expect(() => sleep(ms)).toThrow(RangeError);
  });

  it.each([0, 50])("of %i ms on a closed loop leaves nothing on the signal", async (ms) => {
    const { loop } = virtualLoop();
    await loop.close();
    const { signal } = new AbortController();
    const slept = async () => sleep(ms, { loop, signal });
    await expect(slept()).rejects.toMatchObject({ code: "ERR_TW_LOOP_CLOSED" });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("throws TypeError on a loop that is none", () => {
    for (const bad of [null, 5, {}]) expect(() => sleep(0, { loop: bad as never })).toThrow(TypeError);
  });

  it("throws TypeError on options that are none: a signal in their place would be ignored", () => {
    for (const ms of [0, 20]) {
      const given = (options: unknown) => () => sleep(ms, options as never);
      expect(given(AbortSignal.abort())).toThrow(/must be an object, got an AbortSignal: give { signal }$/);
      expect(given(stage.loop)).toThrow(/must be an object, got an IOLoop: give { loop }$/);
      for (const bad of [null, 20, "x", () => 1, []]) expect(given(bad)).toThrow(TypeError);
      expect(given(null)).toThrow("options must be an object, got null");
    }
  });
});

describe("moment", () => {
  it("is one turn each time it is awaited", async () => {
    const order: string[] = [];
    stage.loop.addCallback(() => order.push("first turn"));
    await stage.host.run(async () => {
      await moment;
      order.push("after one");
      stage.loop.addCallback(() => order.push("second turn"));
      await moment;
      order.push("after two");
    });
    expect(order).toEqual(["first turn", "after one", "second turn", "after two"]);
  });
});
