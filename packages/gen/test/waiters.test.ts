import { getEventListeners } from "node:events";
import { observe, type Timeout } from "@tw/ioloop";
import { describe, expect, it } from "vitest";
import type { WaitingMessage } from "../src/index.js";
import { Waiters } from "../src/waiters.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();
const never = () => undefined as never;

describe("Waiters", () => {
  it("wake() serves in the order of wait()", async () => {
    const waiters = new Waiters<number>(stage.loop);
    const got: string[] = [];
    for (const name of ["a", "b", "c"]) {
      waiters.wait(undefined, {}, never).then((value) => got.push(`${name}${value}`));
    }
    expect(waiters.size).toBe(3);
    expect([1, 2, 3, 4].map((value) => waiters.wake(value))).toEqual([true, true, true, false]);
    await stage.host.advance(0);
    expect(got).toEqual(["a1", "b2", "c3"]);
  });

  it.each([0, 1, 2])("whoever leaves from place %i takes nobody along", async (place) => {
    const waiters = new Waiters<string, number>(stage.loop);
    const controller = new AbortController();
    const seen = [0, 1, 2].map((at) =>
      outcome(waiters.wait(at, at === place ? { signal: controller.signal } : {}, never)),
    );
    controller.abort("gone");
    expect(waiters.size).toBe(2);
    expect(waiters.first?.note).toBe(place === 0 ? 1 : 0);
    expect([waiters.wake("x"), waiters.wake("y"), waiters.wake("z")]).toEqual([true, true, false]);
    await stage.host.advance(0);
    expect(seen[place]).toEqual({ error: "gone" });
    expect(seen.filter((_, at) => at !== place)).toEqual([{ value: "x" }, { value: "y" }]);
  });

  it("a timeout ends in what timedOut() returns or throws, at its time and not before", async () => {
    const waiters = new Waiters<string>(stage.loop);
    const returned = outcome(waiters.wait(undefined, { timeoutMs: 10 }, () => "late"));
    const thrown = outcome(
      waiters.wait(undefined, { timeoutMs: 10 }, () => {
        throw new Error("late");
      }),
    );
    await stage.host.advance(9);
    expect([returned, thrown, waiters.size]).toEqual([{}, {}, 2]);
    await stage.host.advance(1);
    expect([returned, thrown, waiters.size]).toEqual([{ value: "late" }, { error: new Error("late") }, 0]);
  });

  it("a timeout of 0 does not wait, and leaves no timer", async () => {
    const waiters = new Waiters<string>(stage.loop);
    await expect(waiters.wait(undefined, { timeoutMs: 0 }, () => "at once")).resolves.toBe("at once");
    expect([waiters.size, stage.host.pending]).toEqual([0, 0]);
  });

  it("who is woken keeps what it got when its time and its signal come in the same turn", async () => {
    const waiters = new Waiters<string>(stage.loop);
    const controller = new AbortController();
    stage.loop.callLater(10, () => {
      waiters.wake("mine");
      controller.abort("too late");
    });
    const seen = outcome(waiters.wait(undefined, { timeoutMs: 10, signal: controller.signal }, never));
    await stage.host.advance(20);
    expect(seen).toEqual({ value: "mine" });
  });

  it("who timed out in this turn is not woken", async () => {
    const waiters = new Waiters<string>(stage.loop);
    const seen = outcome(waiters.wait(undefined, { timeoutMs: 10 }, () => "late"));
    let woken: boolean | undefined;
    stage.loop.callLater(10, () => {
      woken = waiters.wake("lost?");
    });
    await stage.host.advance(10);
    expect([seen, woken]).toEqual([{ value: "late" }, false]);
  });

  it("an aborted signal rejects with its reason before anything is waited for", async () => {
    const waiters = new Waiters<string>(stage.loop);
    const waiting = waiters.wait(undefined, { signal: AbortSignal.abort("no"), timeoutMs: 5 }, never);
    expect([waiters.size, stage.host.pending]).toEqual([0, 0]);
    await expect(waiting).rejects.toBe("no");
  });

  it.each([
    ["wake()", (waiters: Waiters<string>) => waiters.wake("x")],
    ["fail()", (waiters: Waiters<string>) => waiters.fail("x")],
    ["a timeout", () => stage.host.advance(10)],
    ["an abort", (_: Waiters<string>, controller: AbortController) => controller.abort("x")],
  ])("%s leaves no listener and no timer behind", async (_, end) => {
    const waiters = new Waiters<string>(stage.loop);
    const controller = new AbortController();
    const { signal } = controller;
    const timers: Timeout[] = [];
    const { callLater } = stage.loop;
    stage.loop.callLater = (...args) => {
      const timer = callLater.apply(stage.loop, args as never);
      timers.push(timer);
      return timer;
    };
    outcome(waiters.wait(undefined, { signal, timeoutMs: 10 }, () => "late"));
    expect([getEventListeners(signal, "abort").length, timers.length]).toEqual([1, 1]);
    await end(waiters, controller);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(timers.map(({ pending }) => pending)).toEqual([false]);
  });

  it("many waiters share one listener, and the last one takes it along", () => {
    const waiters = new Waiters<string>(stage.loop);
    const { signal } = new AbortController();
    outcome(waiters.wait(undefined, { signal }, never));
    outcome(waiters.wait(undefined, { signal }, never));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    waiters.wake("x");
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    waiters.wake("y");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("serves 10 000 waiters on one signal without a warning, and frees them all", async () => {
    const waiters = new Waiters<string>(stage.loop);
    const controller = new AbortController();
    const warnings: unknown[] = [];
    const warn = (warning: unknown) => warnings.push(warning);
    process.on("warning", warn);
    const all = Array.from({ length: 10_000 }, () =>
      waiters.wait(undefined, { signal: controller.signal }, never),
    );
    controller.abort("over");
    const results = await Promise.allSettled(all);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", warn);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
    expect([waiters.size, warnings]).toEqual([0, []]);
  });

  it.each([
    ["a negative time", { timeoutMs: -1 }, RangeError],
    ["NaN", { timeoutMs: Number.NaN }, RangeError],
    ["text for a time", { timeoutMs: "1" as never }, TypeError],
    ["an AbortController", { signal: new AbortController() as never }, TypeError],
    ["null", { signal: null as never }, TypeError],
  ])("throws on %s before anything has changed", (_, options, error) => {
    const waiters = new Waiters<string>(stage.loop);
    expect(() => waiters.wait(undefined, options, never)).toThrow(error);
    expect([waiters.size, stage.host.pending]).toEqual([0, 0]);
  });
});

describe("tw:gen:waiting", () => {
  it("tells of each wait without a limit of time, by an object that knows whether it is over", async () => {
    const told: WaitingMessage[] = [];
    const waiters = new Waiters<number>(stage.loop);
    waiters.wait(undefined, {}, never).catch(never);
    {
      using _ = observe<WaitingMessage>("tw:gen:waiting", (message) => told.push(message));
      const controller = new AbortController();
      const waits = [
        waiters.wait(undefined, { signal: controller.signal }, never),
        waiters.wait(undefined, { timeoutMs: 10 }, () => 0),
        waiters.wait(undefined, {}, never),
      ].map(outcome);
      expect(told.map(({ loop, waiter }) => [loop, waiter.pending])).toEqual([
        [stage.loop, true],
        [stage.loop, true],
      ]);
      controller.abort("gone");
      expect(told.map(({ waiter }) => waiter.pending)).toEqual([false, true]);
      while (waiters.wake(1));
      expect(told.map(({ waiter }) => waiter.pending)).toEqual([false, false]);
      await stage.host.advance(0);
      expect(waits).toEqual([{ error: "gone" }, { value: 1 }, { value: 1 }]);
    }
    waiters.wait(undefined, {}, never).catch(never);
    expect(told).toHaveLength(2);
  });
});
