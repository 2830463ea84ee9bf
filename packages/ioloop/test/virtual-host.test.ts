import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { installLoop, VirtualHost, type VirtualIdle, virtualLoop } from "../src/testing.js";

describe("VirtualHost.advance()", () => {
  it("runs each turn at its own time, with microtasks and ticks in between", async () => {
    const { loop, host } = virtualLoop();
    const log: unknown[] = [];
    loop.callLater(10, async () => {
      await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      log.push(["continued", host.now()]);
      loop.callLater(5, () => log.push(["chained", host.now()]));
    });
    loop.callLater(20, () => log.push(["second", host.now()]));
    await host.advance(30);
    expect(log).toEqual([
      ["continued", 10],
      ["chained", 15],
      ["second", 20],
    ]);
    expect(host.now()).toBe(30);
  });

  it("moves the wall clock along with the monotonic one", async () => {
    const { loop, host } = virtualLoop({ now: 500, wall: Date.UTC(2030, 5, 1) });
    expect([loop.time(), loop.wallTime()]).toEqual([500, Date.UTC(2030, 5, 1)]);
    await host.advance(1234);
    expect([loop.time(), loop.wallTime()]).toEqual([1734, Date.UTC(2030, 5, 1) + 1234]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses %s", async (bad) => {
    await expect(new VirtualHost().advance(bad)).rejects.toThrow(RangeError);
  });

  it("refuses what is no number, which would make a text of the clock", async () => {
    const host = new VirtualHost();
    await expect(host.advance("5" as never)).rejects.toThrow(TypeError);
    expect(host.now()).toBe(0);
  });

  it("beside another one never sets the clock back", async () => {
    const { loop, host } = virtualLoop();
    const times: number[] = [];
    const look = () => times.push(host.now());
    loop.callLater(50, look);
    await Promise.all([host.advance(100), host.advance(10).then(look)]);
    expect(times).toEqual([50, 50]);
    expect(host.now()).toBe(100);
  });
});

describe("new VirtualHost()", () => {
  it("refuses times that are none or before 0", () => {
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      for (const name of ["now", "wall"]) expect(() => new VirtualHost({ [name]: bad })).toThrow(RangeError);
    for (const bad of [null, "5", true, {}])
      for (const name of ["now", "wall"])
        expect(() => new VirtualHost({ [name]: bad as never })).toThrow(TypeError);
  });
});

describe("VirtualHost.run()", () => {
  it("jumps over hours to the next timer and returns the result", async () => {
    const { loop, host } = virtualLoop();
    const result = await host.run(async () => {
      for (let hour = 0; hour < 24; hour++)
        await new Promise<void>((resolve) => loop.callLater(3_600_000, resolve));
      return "a day";
    });
    expect([result, host.now()]).toEqual(["a day", 86_400_000]);
  });

  it("does not move the clock for what needs no time", async () => {
    const { loop, host } = virtualLoop();
    loop.callLater(1000, () => undefined);
    await host.run(async () => {
      for (let i = 0; i < 100; i++) await new Promise((resolve) => process.nextTick(resolve));
      await new Promise<void>((resolve) => loop.addCallback(resolve));
    });
    expect(host.now()).toBe(0);
  });

  it("rejects as the function does, thrown or rejected, and takes values that are no promises", async () => {
    const host = new VirtualHost();
    await expect(host.run(() => Promise.reject(new Error("rejected")))).rejects.toThrow("rejected");
    await expect(
      host.run(() => {
        throw new Error("thrown");
      }),
    ).rejects.toThrow("thrown");
    expect(await host.run(() => 7)).toBe(7);
  });

  it("says so when nothing is left that could settle the promise", async () => {
    const { loop, host } = virtualLoop();
    loop.callLater(40, () => undefined);
    await expect(host.run(() => new Promise(() => undefined))).rejects.toMatchObject({
      code: "ERR_TW_VIRTUAL_IDLE",
      message: expect.stringContaining("at 40 ms"),
    });
  });

  it("does not go on for ever over a timer that keeps nobody alive", async () => {
    const { loop, host } = virtualLoop();
    const again = (): unknown => loop.callLater(10, again).unref();
    again();
    await expect(host.run(() => new Promise(() => undefined))).rejects.toMatchObject({
      code: "ERR_TW_VIRTUAL_IDLE",
    });
  });

  it("names an unref'd timer, and what subscribers of tw:ioloop:virtualIdle know, in that error", async () => {
    const { loop, host } = virtualLoop();
    const tell = (message: unknown): void => void (message as VirtualIdle).pending.push("a stream from afar");
    subscribe("tw:ioloop:virtualIdle", tell);
    const stuck = host.run(() => new Promise(() => loop.callLater(25, () => undefined).unref()));
    await expect(stuck).rejects.toMatchObject({
      pending: [expect.stringContaining("a timer at 25 ms"), "a stream from afar"],
      message: expect.stringMatching(/Still there:\n {2}a timer at 25 ms .*\n {2}a stream from afar$/),
    });
    unsubscribe("tw:ioloop:virtualIdle", tell);
  });

  it("fires an unref'd timer on the way to one that counts", async () => {
    const { loop, host } = virtualLoop();
    const times: number[] = [];
    loop.callLater(10, () => times.push(host.now())).unref();
    await host.run(() => new Promise<void>((resolve) => loop.callLater(20, resolve)));
    expect(times).toEqual([10]);
  });

  it("waits for a dynamic import", async () => {
    const { host } = virtualLoop();
    const url = new URL("./support.ts?imported", import.meta.url).href;
    expect(await host.run(() => import(/* @vite-ignore */ url))).toHaveProperty("recorder");
  });
});

describe("virtualLoop()", () => {
  it("refuses what are no options, and installLoop() what is no loop", () => {
    expect(() => virtualLoop(5 as never)).toThrow(/got 5: give { now: 5 }$/);
    expect(() => new VirtualHost("5" as never)).toThrow(TypeError);
    const before = IOLoop.current();
    for (const bad of [5, null, undefined, {}])
      expect(() => installLoop(bad as never)).toThrow(/^installLoop\(\) takes an IOLoop, got /);
    expect(IOLoop.current()).toBe(before);
  });

  it("is not the loop of the thread until installLoop() makes it so, until taken back", () => {
    const before = IOLoop.current();
    const { loop } = virtualLoop();
    expect(IOLoop.current()).toBe(before);
    const restore = installLoop(loop);
    expect(IOLoop.current()).toBe(loop);
    restore();
    expect(IOLoop.current()).toBe(before);
  });
});
