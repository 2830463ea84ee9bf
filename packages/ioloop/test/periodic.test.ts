import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { IOLoop, observe, PeriodicCallback } from "../src/index.js";
import { installLoop, VirtualHost, virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const DAY_MS = 86_400_000;

afterEach(() => {
  vi.restoreAllMocks();
});

describe("PeriodicCallback", () => {
  it("calls one period after start(), and from then on every period", async () => {
    const { loop, host } = virtualLoop({ now: 1000 });
    const calls: number[] = [];
    const periodic = new PeriodicCallback(() => calls.push(host.now()), 10, { loop });
    expect(periodic.isRunning).toBe(false);
    periodic.start();
    expect(periodic.isRunning).toBe(true);
    await host.advance(9.999);
    expect(calls).toEqual([]);
    await host.advance(30.001);
    expect(calls).toEqual([1010, 1020, 1030, 1040]);
  });

  it("measures from start to start, and after a long call is on the grid again", async () => {
    const { loop, host } = virtualLoop({ now: 1000 });
    const durations = [9, 9, 10, 11, 20, 20, 35, 35, 0, 0, 0];
    const starts: number[] = [];
    const periodic = new PeriodicCallback(
      async () => {
        starts.push(host.now());
        const duration = durations.shift();
        if (duration) await new Promise<void>((resolve) => loop.callLater(duration, () => resolve()));
      },
      10,
      { loop },
    );
    periodic.start();
    await host.advance(230);
    expect(starts).toEqual([1010, 1020, 1030, 1050, 1070, 1100, 1130, 1170, 1210, 1220, 1230]);
  });

  it("does not wait for a clock that went back", async () => {
    const host = new TurningHost();
    const loop = new IOLoop({ host });
    const periodic = new PeriodicCallback(() => host.turnBack(100), 10, { loop });
    periodic.start();
    await host.advance(10);
    expect(host.due).toEqual([10, 20]);
  });

  it("varies each period by its jitter", async () => {
    const randoms = [0.5, 1, 0, 0.75];
    vi.spyOn(Math, "random").mockImplementation(() => randoms.shift() ?? 0.5);
    const { loop, host } = virtualLoop({ now: 1000 });
    const calls: number[] = [];
    new PeriodicCallback(() => calls.push(host.now()), 10, { loop, jitter: 0.5 }).start();
    await host.advance(45);
    expect(calls).toEqual([1010, 1022.5, 1030, 1041.25]);
  });

  it("never overlaps with a call whose promise is pending", async () => {
    const { loop, host } = virtualLoop();
    let under = 0;
    let most = 0;
    const periodic = new PeriodicCallback(
      async () => {
        most = Math.max(most, ++under);
        await new Promise<void>((resolve) => loop.callLater(25, () => resolve()));
        under--;
      },
      10,
      { loop },
    );
    periodic.start();
    await host.advance(12);
    periodic.stop();
    periodic.start();
    await host.advance(500);
    expect(most).toBe(1);
  });

  it("runs once per period after start() twice, stop() and start() in its own call, or while it is pending", async () => {
    const { loop, host } = virtualLoop();
    const calls: number[] = [];
    const periodic = new PeriodicCallback(
      async () => {
        calls.push(host.now());
        periodic.stop();
        periodic.start();
        await Promise.resolve();
        periodic.stop();
        periodic.start();
      },
      10,
      { loop },
    );
    periodic.start();
    periodic.start();
    await host.advance(35);
    expect(calls).toEqual([10, 20, 30]);
    expect(loop.metrics().timers).toBe(1);
  });

  it("begins another grid when it is started again", async () => {
    const { loop, host } = virtualLoop();
    const calls: number[] = [];
    const periodic = new PeriodicCallback(() => calls.push(host.now()), 10, { loop });
    periodic.start();
    await host.advance(13);
    periodic.stop();
    await host.advance(50);
    periodic.start();
    await host.advance(10);
    expect(calls).toEqual([10, 73]);
  });

  it("stop() in its own call, in a pending one and between two is the last of it", async () => {
    const { loop, host } = virtualLoop();
    let calls = 0;
    const inside = new PeriodicCallback(
      () => {
        calls++;
        inside.stop();
      },
      10,
      { loop },
    );
    const pending = new PeriodicCallback(
      async () => {
        calls++;
        await Promise.resolve();
        pending.stop();
      },
      10,
      { loop },
    );
    const between = new PeriodicCallback(() => calls++, 10, { loop });
    for (const periodic of [inside, pending, between]) periodic.start();
    await host.advance(10);
    between.stop();
    between.stop();
    await host.advance(100);
    expect(calls).toBe(3);
    expect([inside, pending, between].map(({ isRunning }) => isRunning)).toEqual([false, false, false]);
    expect(loop.metrics().timers).toBe(0);
  });

  it("is stopped by the end of the block that uses it, however that ends", async () => {
    const { loop, host } = virtualLoop();
    let calls = 0;
    const used: PeriodicCallback[] = [];
    const begin = (): PeriodicCallback => {
      const periodic = new PeriodicCallback(() => calls++, 10, { loop });
      used.push(periodic);
      periodic.start();
      return periodic;
    };
    {
      using _ = begin();
      await host.advance(20);
    }
    await expect(async () => {
      await using _ = begin();
      await host.advance(10);
      throw new Error("broken");
    }).rejects.toThrow("broken");
    {
      using stopped = begin();
      stopped.stop();
    }
    await host.advance(100);
    expect(calls).toBe(3);
    expect(used.map(({ isRunning }) => isRunning)).toEqual([false, false, false]);
    expect(loop.metrics().timers).toBe(0);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
    [
      "returns a promise that cannot be awaited",
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: somebody else's promise
        then: () => {
          throw new Error("broken");
        },
      }),
    ],
  ])("logs once what %s, tells the hook, and goes on", async (_, callback) => {
    const logger = recorder();
    const heard: string[] = [];
    const onCallbackError = (error: unknown, fn: { name: string }) => heard.push(`${fn.name}: ${error}`);
    const { loop, host } = virtualLoop({ logger, onCallbackError });
    const named = { sweep: () => callback() }.sweep;
    new PeriodicCallback(named, 10, { loop }).start();
    await host.advance(20);
    expect(logger.records.map(({ message }) => message)).toEqual(Array(2).fill("Exception in callback"));
    expect(heard).toEqual(Array(2).fill("sweep: Error: broken"));
  });

  it("calls a lazy promise's then() once", async () => {
    const { loop, host } = virtualLoop();
    let thens = 0;
    // biome-ignore lint/suspicious/noThenProperty: somebody else's promise
    const lazy = { then: (resolve: (calls: number) => void) => resolve(++thens) };
    new PeriodicCallback(() => lazy, 10, { loop }).start();
    await host.advance(10);
    expect(thens).toBe(1);
  });

  it("runs in the context of start(), whatever a call entered", async () => {
    const { loop, host } = virtualLoop();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const periodic = new PeriodicCallback(
      async () => {
        seen.push(storage.getStore());
        storage.enterWith("left behind");
        await Promise.resolve();
      },
      10,
      { loop },
    );
    storage.run("starter", () => periodic.start());
    await host.advance(30);
    expect(seen).toEqual(["starter", "starter", "starter"]);
  });

  it("takes the current loop, and holds the process unless unref() is called", async () => {
    const { loop, host } = virtualLoop();
    const restore = installLoop(loop);
    const periodic = new PeriodicCallback(() => undefined, 10).unref();
    restore();
    periodic.start();
    await host.advance(25);
    const stuck = () => host.run(() => new Promise(() => undefined));
    await expect(stuck()).rejects.toMatchObject({ code: "ERR_TW_VIRTUAL_IDLE" });
    expect(host.now()).toBe(25);
    periodic.ref();
    await host.run(() => new Promise<void>((resolve) => loop.callLater(10, resolve).unref()));
    expect(host.now()).toBe(35);
  });

  it("is stopped when its loop is closed, also while a call is pending", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    let calls = 0;
    let release = (): void => undefined;
    const periodic = new PeriodicCallback(
      () => {
        calls++;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
      10,
      { loop },
    );
    periodic.start();
    await host.advance(10);
    await loop.close();
    expect(periodic.isRunning).toBe(false);
    release();
    await host.advance(100);
    expect([calls, logger.records]).toEqual([1, []]);
    expect(() => periodic.start()).toThrow(expect.objectContaining({ code: "ERR_TW_LOOP_CLOSED" }));
    periodic.stop();
  });

  it("start() on a closed loop throws while a call is pending, too, and tells nobody", async () => {
    const { loop, host } = virtualLoop();
    const periodic = new PeriodicCallback(() => new Promise(() => undefined), 10, { loop });
    periodic.start();
    await host.advance(15);
    periodic.stop();
    await loop.close();
    const told: unknown[] = [];
    using _ = observe("tw:ioloop:periodicStarted", (message) => told.push(message));
    expect(() => periodic.start()).toThrow(expect.objectContaining({ code: "ERR_TW_LOOP_CLOSED" }));
    expect([told, periodic.isRunning]).toEqual([[], false]);
  });

  it("calls 10 080 times in a simulated week of minutes", async () => {
    const { loop, host } = virtualLoop();
    let calls = 0;
    new PeriodicCallback(() => calls++, 60_000, { loop }).start();
    await host.advance(7 * DAY_MS);
    expect(calls).toBe(7 * 24 * 60);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-9, 1e300])("refuses a period of %s", (period) => {
    expect(() => new PeriodicCallback(() => undefined, period)).toThrow(RangeError);
  });

  it("publishes its starts and stops, each once, on tw:ioloop:periodicStarted and periodicStopped", async () => {
    const { loop, host } = virtualLoop();
    const seen: unknown[] = [];
    const observers = ["Started", "Stopped"].map((what) =>
      observe(`tw:ioloop:periodic${what}`, (message) => {
        expect(message).toEqual({ loop, periodic });
        seen.push([what, host.now()]);
      }),
    );
    const periodic = new PeriodicCallback(() => new Promise(() => undefined), 10, { loop });
    periodic.stop();
    periodic.start();
    periodic.start();
    await host.advance(100);
    periodic.stop();
    periodic.stop();
    for (const each of observers) each[Symbol.dispose]();
    periodic.start();
    expect(seen).toEqual([
      ["Started", 0],
      ["Stopped", 100],
    ]);
  });

  it("refuses what is no function, period, jitter or loop", () => {
    const fn = () => undefined;
    expect(() => new PeriodicCallback(undefined as never, 10)).toThrow(TypeError);
    expect(() => new PeriodicCallback(fn, "10" as never)).toThrow(TypeError);
    for (const jitter of [-0.01, 1.01, Number.NaN]) {
      expect(() => new PeriodicCallback(fn, 10, { jitter })).toThrow(RangeError);
    }
    expect(() => new PeriodicCallback(fn, 10, { jitter: "1" as never })).toThrow(TypeError);
    for (const loop of [null, 5, {}])
      expect(() => new PeriodicCallback(fn, 10, { loop: loop as never })).toThrow(
        /^loop must be an IOLoop, got /,
      );
    expect(() => new PeriodicCallback(fn, 10, 0.1 as never)).toThrow(/got 0.1: give { jitter: 0.1 }$/);
    expect(() => new PeriodicCallback(fn, 10, virtualLoop().loop as never)).toThrow(/give { loop }$/);
    expect(() => new PeriodicCallback(fn, 10, null as never)).toThrow("options must be an object, got null");
  });
});

/** A host whose clock may be set back, and that notes when it was asked to wake. */
class TurningHost extends VirtualHost {
  readonly due: number[] = [];
  #back = 0;

  turnBack(ms: number): void {
    this.#back += ms;
  }

  override now(): number {
    return super.now() - this.#back;
  }

  override schedule(at: number, turn: () => void) {
    this.due.push(at);
    return super.schedule(at, turn);
  }
}
