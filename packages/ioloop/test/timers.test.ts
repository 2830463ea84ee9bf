import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it } from "vitest";
import { IOLoop, type Timeout } from "../src/index.js";
import { VirtualHost, virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

describe("callLater()", () => {
  it("fires at its time, not earlier, once, with its arguments", async () => {
    const { loop, host } = virtualLoop();
    const calls: unknown[] = [];
    loop.callLater(10, (...args: unknown[]) => calls.push(host.now(), ...args), "a", 2);
    await host.advance(9.999);
    expect(calls).toEqual([]);
    await host.advance(0.001);
    expect(calls).toEqual([10, "a", 2]);
    await host.advance(1000);
    expect(calls).toHaveLength(3);
  });

  it("fires in the order of time, and of setting among equals", async () => {
    const { loop, host } = virtualLoop();
    const log: string[] = [];
    for (const [delay, name] of [
      [20, "c"],
      [10, "a"],
      [20, "d"],
      [10, "b"],
      [0, "now"],
    ] as const) {
      loop.callLater(delay, () => log.push(name));
    }
    await host.advance(20);
    expect(log).toEqual(["now", "a", "b", "c", "d"]);
  });

  it("with 0 set from a timer waits for the next turn", async () => {
    const { loop, host } = virtualLoop();
    let runs = 0;
    const again = () => {
      if (++runs < 5) loop.callLater(0, again);
    };
    loop.callLater(0, again);
    loop.addCallback(() => expect(runs).toBeLessThan(5));
    await host.advance(0);
    expect(runs).toBe(5);
  });

  it("logs what a timer throws and fires the others", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    let after = false;
    loop.callLater(1, () => {
      throw new Error("broken");
    });
    loop.callLater(1, () => {
      after = true;
    });
    await host.advance(1);
    expect(logger.records.map(({ message }) => message)).toEqual(["Exception in callback"]);
    expect(after).toBe(true);
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])("throws RangeError on %s", (bad) => {
    const { loop, host } = virtualLoop();
    expect(() => loop.callLater(bad, () => undefined)).toThrow(RangeError);
    expect(host.pending).toBe(0);
  });

  it("throws TypeError on what is no number or no function", () => {
    const { loop } = virtualLoop();
    expect(() => loop.callLater("5" as never, () => undefined)).toThrow(TypeError);
    expect(() => loop.callLater(5, undefined as never)).toThrow(TypeError);
    expect(() => loop.callAt(5, "f" as never)).toThrow(TypeError);
  });

  it("on the real host is not early by any part of a millisecond", async () => {
    const loop = new IOLoop();
    for (const delay of [0, 0.3, 1, 2.7]) {
      const due = loop.time() + delay;
      const fired = await new Promise<number>((resolve) => loop.callLater(delay, () => resolve(loop.time())));
      expect(fired).toBeGreaterThanOrEqual(due);
    }
  });
});

describe("callAt()", () => {
  it("fires when time() reaches it, in the next turn if it has", async () => {
    const { loop, host } = virtualLoop({ now: 100 });
    const times: number[] = [];
    loop.callAt(50, () => times.push(loop.time()));
    loop.callAt(-1, () => times.push(loop.time()));
    loop.callAt(150, () => times.push(loop.time()));
    expect(times).toEqual([]);
    await host.advance(60);
    expect(times).toEqual([100, 100, 150]);
  });

  it("throws on what is no finite number", () => {
    const { loop } = virtualLoop();
    expect(() => loop.callAt(Number.NaN, () => undefined)).toThrow(RangeError);
    expect(() => loop.callAt(Number.POSITIVE_INFINITY, () => undefined)).toThrow(RangeError);
    expect(() => loop.callAt(new Date() as never, () => undefined)).toThrow(TypeError);
  });
});

describe("removeTimeout()", () => {
  it("keeps a timer from firing, twice and after firing without harm", async () => {
    const { loop, host } = virtualLoop();
    let runs = 0;
    const gone = loop.callLater(5, () => runs++);
    const fires = loop.callLater(5, () => runs++);
    expect([gone.pending, fires.pending]).toEqual([true, true]);
    loop.removeTimeout(gone);
    loop.removeTimeout(gone);
    await host.advance(5);
    loop.removeTimeout(fires);
    expect([gone.pending, fires.pending]).toEqual([false, false]);
    expect(runs).toBe(1);
  });

  it("works on a timer due in the same turn, and on the one that is firing", async () => {
    const { loop, host } = virtualLoop();
    const log: string[] = [];
    const first: Timeout = loop.callLater(5, () => {
      log.push("first");
      loop.removeTimeout(first);
      loop.removeTimeout(second);
    });
    const second = loop.callLater(5, () => log.push("second"));
    loop.callLater(5, () => log.push("third"));
    await host.advance(10);
    expect(log).toEqual(["first", "third"]);
  });

  it("lets go of what the timer would have called at once", () => {
    const { loop } = virtualLoop();
    const held = { data: new Uint8Array(8) };
    const timer = loop.callLater(1000, (_: typeof held) => undefined, held);
    loop.callLater(2000, () => undefined);
    loop.removeTimeout(timer);
    expect(Object.values(timer).flat()).not.toContain(held);
  });

  it("throws TypeError on what is no timer of this loop", () => {
    const { loop } = virtualLoop();
    const other = virtualLoop().loop.callLater(1, () => undefined);
    for (const bad of [undefined, null, 7, {}, other]) {
      expect(() => loop.removeTimeout(bad as never)).toThrow(TypeError);
    }
    expect(other.pending).toBe(true);
  });
});

describe("the one turn under all timers", () => {
  it("is all the host has to keep, however many timers there are", async () => {
    const { loop, host } = virtualLoop();
    let runs = 0;
    for (let i = 1000; i > 0; i--) loop.callLater(i, () => runs++);
    expect(host.pending).toBe(1);
    await host.advance(1000);
    expect(runs).toBe(1000);
    expect(host.pending).toBe(0);
  });

  it("moves forward for an earlier timer", async () => {
    const { loop, host } = virtualLoop();
    const log: number[] = [];
    loop.callLater(100, () => log.push(100));
    loop.callLater(10, () => log.push(10));
    await host.advance(10);
    expect(log).toEqual([10]);
    await host.advance(90);
    expect(log).toEqual([10, 100]);
  });

  it("comes early without harm when the earliest timer was removed", async () => {
    const { loop, host } = virtualLoop();
    const log: number[] = [];
    loop.removeTimeout(loop.callLater(10, () => log.push(10)));
    loop.callLater(20, () => log.push(20));
    await host.advance(19);
    expect(log).toEqual([]);
    await host.advance(1);
    expect(log).toEqual([20]);
  });

  it("keeps the process alive exactly while a timer that is ref'd is pending", async () => {
    const refs: boolean[] = [];
    class RefHost extends VirtualHost {
      override schedule(at: number, turn: () => void) {
        const scheduled = super.schedule(at, turn);
        refs.push(true);
        return { cancel: () => scheduled.cancel(), setRef: (ref: boolean) => void refs.push(ref) };
      }
    }
    const host = new RefHost();
    const loop = new IOLoop({ host });
    const a = loop.callLater(10, () => undefined);
    expect(refs.at(-1)).toBe(true);
    const b = loop.callLater(20, () => undefined).unref();
    expect(refs.at(-1)).toBe(true);
    loop.removeTimeout(a);
    expect(refs.at(-1)).toBe(false);
    b.ref().ref();
    expect(refs.at(-1)).toBe(true);
    b.unref().unref();
    expect(refs.at(-1)).toBe(false);
    await host.advance(10);
    expect(refs.at(-1)).toBe(false);
    loop.callLater(1, () => undefined);
    expect(refs.at(-1)).toBe(true);
    await host.advance(1);
    expect(refs.at(-1)).toBe(false);
    expect(b.pending).toBe(true);
    b.ref();
    expect(refs.at(-1)).toBe(true);
  });
});

it("publishes timers that are set on tw:ioloop:timerAdded", () => {
  const { loop } = virtualLoop();
  const seen: unknown[] = [];
  const note = (message: unknown): void => void seen.push(message);
  subscribe("tw:ioloop:timerAdded", note);
  const timers = [loop.callLater(5, () => undefined), loop.callAt(7, () => undefined)];
  unsubscribe("tw:ioloop:timerAdded", note);
  loop.callLater(5, () => undefined);
  expect(seen).toEqual(timers.map((timer) => ({ loop, timer })));
});
