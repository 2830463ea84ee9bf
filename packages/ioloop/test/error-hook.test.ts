import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const error = new Error("broken");

describe("onCallbackError", () => {
  it.each([
    ["a callback", (loop: IOLoop, fn: () => unknown) => loop.addCallback(fn)],
    ["a spawned callback", (loop: IOLoop, fn: () => unknown) => loop.spawnCallback(fn)],
    ["a timer", (loop: IOLoop, fn: () => unknown) => loop.callLater(1, fn)],
    ["the callback of a future", (loop: IOLoop, fn: () => unknown) => loop.addFuture(Promise.resolve(), fn)],
  ])("hears once of %s that throws or rejects, and which it was, when it has been logged", async (_, add) => {
    const logger = recorder();
    const heard: unknown[] = [];
    const onCallbackError = (...told: unknown[]) => heard.push([...told, logger.records.length]);
    const { loop, host } = virtualLoop({ logger, onCallbackError });
    const throwing = () => {
      throw error;
    };
    const rejecting = () => Promise.reject(error);
    add(loop, throwing);
    add(loop, rejecting);
    add(loop, () => "fine");
    await host.advance(1);
    expect(heard).toEqual([
      [error, throwing, 1],
      [error, rejecting, 2],
    ]);
    expect(logger.records.map(({ message, fields }) => [message, fields.err])).toEqual(
      Array(2).fill(["Exception in callback", error]),
    );
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("worse");
      },
    ],
    ["rejects", () => Promise.reject(new Error("worse"))],
  ])("is logged when it %s itself, and the loop goes on", async (_, onCallbackError) => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger, onCallbackError });
    let after = false;
    loop.addCallback(() => {
      throw error;
    });
    loop.addCallback(() => {
      after = true;
    });
    await host.advance(0);
    expect(logger.records.map(({ message, fields }) => [message, String(fields.err)])).toEqual([
      ["Exception in callback", "Error: broken"],
      ["Exception in onCallbackError", "Error: worse"],
    ]);
    expect(after).toBe(true);
  });

  it("is refused when it is no function", () => {
    expect(() => new IOLoop({ onCallbackError: {} as never })).toThrow(TypeError);
    expect(() => new IOLoop(null as never)).toThrow("options must be an object, got null");
  });

  it("is refused with a logger that is none", () => {
    for (const bad of [5, null, {}, { debug() {}, info() {}, warn() {} }, "tw"])
      expect(() => new IOLoop({ logger: bad as never })).toThrow(TypeError);
    expect(() => new IOLoop({ logger: 5 as never })).toThrow(
      "A logger has debug(), info(), warn() and error(), got number without debug()",
    );
    expect(new IOLoop({ logger: console }).logger).toBe(console);
  });

  it("is refused with a host that is none", () => {
    for (const bad of [5, null, {}, { now() {}, wallNow() {}, schedule() {} }])
      expect(() => new IOLoop({ host: bad as never })).toThrow(TypeError);
    expect(() => new IOLoop({ host: {} as never })).toThrow(
      "A host has now(), wallNow(), schedule() and poller(), got object without now()",
    );
  });
});

describe("deadlines", () => {
  it("are taken up to 31 years ahead and refused beyond, with what to do", () => {
    const { loop } = virtualLoop({ now: 1000 });
    const fn = () => undefined;
    loop.removeTimeout(loop.callLater(1e12, fn));
    loop.removeTimeout(loop.callAt(1000 + 1e12, fn));
    loop.removeTimeout(loop.callAt(-1e300, fn));
    const far = /31 years.*got/;
    expect(() => loop.callLater(1e12 + 1, fn)).toThrow(far);
    expect(() => loop.callAt(1000 + 1e12 + 1, fn)).toThrow(far);
    expect(() => loop.callLater(Number.MAX_SAFE_INTEGER, fn)).toThrow(RangeError);
    expect(loop.metrics().timers).toBe(0);
  });

  it("in the time of day are refused by callAt(), which names callLater()", () => {
    const { loop } = virtualLoop();
    expect(() => loop.callAt(Date.UTC(2026, 0, 1), () => undefined)).toThrow(/loop\.time\(\).*callLater\(\)/);
  });
});
