import { describe, expect, it } from "vitest";
import { IOLoop, type LoopMetrics } from "../src/index.js";
import { readMeter } from "../src/metrics.js";
import { virtualLoop } from "../src/testing.js";

describe("loop.metrics()", () => {
  it("counts callbacks that wait, timers that are going to fire and handlers", async () => {
    const { host, loop } = virtualLoop();
    const counts = ({ callbacks, timers, handlers }: LoopMetrics) => [callbacks, timers, handlers];
    expect(counts(loop.metrics())).toEqual([0, 0, 0]);
    loop.addCallback(() => undefined);
    loop.addCallback(() => undefined);
    const timer = loop.callLater(10, () => undefined);
    loop.callLater(20, () => undefined);
    expect(counts(loop.metrics())).toEqual([2, 2, 0]);
    loop.removeTimeout(timer);
    expect(counts(loop.metrics())).toEqual([2, 1, 0]);
    await host.advance(20);
    expect(counts(loop.metrics())).toEqual([0, 0, 0]);
  });

  it("refuses what are no options", () => {
    const { loop } = virtualLoop();
    expect(() => loop.metrics(true as never)).toThrow(/got true: give { reset: true }$/);
    expect(() => loop.metrics(null as never)).toThrow("options must be an object, got null");
  });

  it("says nothing of lag and utilisation in virtual time", () => {
    expect(virtualLoop().loop.metrics()).toMatchObject({ utilization: 0, lag: undefined });
  });

  it("measures utilisation between 0 and 1, and lag in ms that is never negative", async () => {
    const loop = new IOLoop();
    loop.metrics();
    let now = loop.metrics();
    // The histogram's own timer decides when there is something.
    while (now.lag === undefined) {
      await new Promise<void>((resolve) => loop.callLater(5, () => resolve()));
      now = loop.metrics();
    }
    const { meanMs, p50Ms, p99Ms, maxMs } = now.lag;
    for (const value of [meanMs, p50Ms, p99Ms, maxMs]) expect(value).toBeGreaterThanOrEqual(0);
    expect(p50Ms).toBeLessThanOrEqual(p99Ms);
    expect(p99Ms).toBeLessThanOrEqual(maxMs);
    expect(now.utilization).toBeGreaterThan(0);
    expect(now.utilization).toBeLessThanOrEqual(1);
    expect(loop.metrics({ reset: true }).lag).not.toBe(undefined);
    expect(loop.metrics().lag).toBe(undefined);
  });

  it("sees in the lag that the loop was held", async () => {
    const loop = new IOLoop();
    loop.metrics();
    while (loop.metrics().lag === undefined)
      await new Promise<void>((resolve) => loop.callLater(5, () => resolve()));
    const end = loop.time() + 200;
    while (loop.time() < end);
    await new Promise<void>((resolve) => loop.callLater(50, () => resolve()));
    expect(loop.metrics().lag?.maxMs).toBeGreaterThan(100);
  });

  it("resets only when asked to, and after reading", () => {
    const calls: string[] = [];
    const values = { utilization: 0.5, lag: undefined };
    const meter = {
      read: () => {
        calls.push("read");
        return values;
      },
      reset: () => void calls.push("reset"),
    };
    expect(readMeter(meter, {})).toBe(values);
    expect(readMeter(meter, { reset: true })).toBe(values);
    expect(calls).toEqual(["read", "read", "reset"]);
  });
});
