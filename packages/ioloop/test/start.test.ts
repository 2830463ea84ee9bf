import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { IOLoop, type LoopSignal, MAX_DELAY_MS } from "../src/index.js";
import { VirtualHost, virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

/** A started loop in virtual time, and whether start() has resolved. */
function started(options?: Parameters<IOLoop["start"]>[0]) {
  const logger = recorder();
  const { loop, host } = virtualLoop({ logger });
  const state = { ended: false };
  const ending = loop.start(options).then(() => {
    state.ended = true;
  });
  return { loop, host, logger, state, ending };
}

describe("start() and stop()", () => {
  it("start() resolves on stop(), not before; running tells", async () => {
    const { loop, host, state, ending } = started();
    await host.advance(1_000_000);
    expect([state.ended, loop.running]).toEqual([false, true]);
    loop.stop();
    expect(loop.running).toBe(false);
    await ending;
  });

  it.each([
    [5],
    [null],
    ["SIGTERM"],
    [{}],
    [["SIGNOPE"]],
    [["SIGTERM", 15]],
    [["SIGKILL"]],
    [["SIGSTOP"]],
    [["toString"]],
  ])("refuses the signals %j with a TypeError, and has not started", (signals) => {
    const { loop } = virtualLoop();
    expect(() => loop.start({ signals: signals as never })).toThrow(TypeError);
    expect(loop.running).toBe(false);
  });

  it("refuses what are no options with a TypeError, and has not started", () => {
    const { loop } = virtualLoop();
    expect(() => loop.start(5000 as never)).toThrow(/got 5000: give { stopTimeoutMs: 5000 }$/);
    expect(() => loop.start(["SIGINT"] as never)).toThrow(/got an array: give { signals: \[…\] }$/);
    expect(() => loop.start(null as never)).toThrow("options must be an object, got null");
    expect(loop.running).toBe(false);
  });

  it("a second start() while one is pending throws ERR_TW_LOOP_RUNNING and changes nothing", async () => {
    const { loop, ending } = started();
    expect(() => loop.start()).toThrow(expect.objectContaining({ code: "ERR_TW_LOOP_RUNNING" }));
    loop.stop();
    await ending;
  });

  it("may be started again after it stopped", async () => {
    const { loop, ending } = started();
    loop.stop();
    await ending;
    const again = loop.start();
    expect(loop.running).toBe(true);
    loop.stop();
    await again;
  });

  it("stop() before start() makes the next start() end after one turn, and only that one", async () => {
    const { loop, host } = virtualLoop();
    const log: string[] = [];
    loop.stop();
    loop.stop();
    loop.addCallback(() => log.push("callback"));
    const first = loop.start().then(() => log.push("ended"));
    await host.advance(0);
    await first;
    expect(log).toEqual(["callback", "ended"]);
    const second = loop.start();
    await host.advance(1000);
    expect(loop.running).toBe(true);
    loop.stop();
    await second;
  });

  it("stop() by several parties in one turn ends one start(), not the next too", async () => {
    const { loop, host, ending } = started();
    for (let i = 0; i < 3; i++) loop.addCallback(() => loop.stop());
    await host.advance(0);
    await ending;
    const again = loop.start();
    await host.advance(1000);
    expect(loop.running).toBe(true);
    loop.stop();
    loop.stop();
    const third = loop.start();
    await again;
    await host.advance(1000);
    expect(loop.running).toBe(true);
    loop.stop();
    await third;
  });

  it("stop() by whoever has waited for start() is for the next one", async () => {
    const { loop, host, ending } = started();
    loop.stop();
    await ending;
    loop.stop();
    const again = loop.start();
    await host.advance(0);
    expect(loop.running).toBe(false);
    await again;
  });

  it("stop() when a signal has ended start() in this turn is spent with it", async () => {
    const { loop, host, ending } = started();
    host.signal("SIGTERM");
    host.signal("SIGTERM");
    loop.stop();
    await ending;
    const again = loop.start();
    await host.advance(1000);
    expect(loop.running).toBe(true);
    loop.stop();
    await again;
  });

  it("stop() calls no hooks: they are for signals", async () => {
    const { loop, ending } = started();
    let calls = 0;
    loop.onStop(() => calls++);
    loop.stop();
    await ending;
    expect(calls).toBe(0);
  });

  it("throws on a bad stopTimeoutMs and is not running then", () => {
    const { loop } = virtualLoop();
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, MAX_DELAY_MS + 1]) {
      expect(() => loop.start({ stopTimeoutMs: bad })).toThrow(RangeError);
    }
    expect(() => loop.start({ stopTimeoutMs: 1e13 })).toThrow(/^stopTimeoutMs must be .* \(31 years\)/);
    expect(loop.running).toBe(false);
  });
});

describe("a signal", () => {
  it("that is named twice is asked for once, and what becomes of the array does not matter", async () => {
    const asked: (readonly LoopSignal[])[] = [];
    class Asked extends VirtualHost {
      override hold(...args: Parameters<VirtualHost["hold"]>): () => void {
        asked.push(args[0]);
        return super.hold(...args);
      }
    }
    const host = new Asked();
    const loop = new IOLoop({ host });
    const signals: LoopSignal[] = ["SIGHUP", "SIGHUP"];
    const ending = loop.start({ signals });
    signals.length = 0;
    expect(asked).toEqual([["SIGHUP"]]);
    host.signal("SIGHUP");
    await ending;
  });

  it("calls the hooks with its name, at the same time, awaits them, then start() resolves", async () => {
    const { loop, host, state, ending } = started();
    const log: string[] = [];
    for (const [name, ms] of [
      ["slow", 200],
      ["quick", 100],
    ] as const) {
      loop.onStop(async (signal: LoopSignal) => {
        log.push(`${name} ${signal}`);
        await new Promise<void>((resolve) => loop.callLater(ms, resolve));
        log.push(`${name} done`);
      });
    }
    host.signal("SIGTERM");
    await host.advance(199);
    expect(log).toEqual(["slow SIGTERM", "quick SIGTERM", "quick done"]);
    expect(state.ended).toBe(false);
    await host.advance(1);
    await ending;
    expect(log.at(-1)).toBe("slow done");
    expect(host.now()).toBe(200);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("%s ends a start() without hooks, by default", async (signal) => {
    const { host, ending } = started();
    host.signal(signal);
    await ending;
  });

  it("logs a hook that throws or rejects, and waits for the others", async () => {
    const { loop, host, logger, ending } = started();
    let done = false;
    loop.onStop(() => {
      throw new Error("thrown");
    });
    loop.onStop(() => Promise.reject(new Error("rejected")));
    loop.onStop(async () => {
      await new Promise<void>((resolve) => loop.callLater(50, resolve));
      done = true;
    });
    host.signal("SIGINT");
    await host.advance(50);
    await ending;
    expect(done).toBe(true);
    expect(logger.records.map(({ message }) => message)).toEqual([
      "Exception in stop hook",
      "Exception in stop hook",
    ]);
  });

  it("waits for hooks no longer than stopTimeoutMs, and says so", async () => {
    const { loop, host, logger, state, ending } = started({ stopTimeoutMs: 1000 });
    loop.onStop(() => new Promise(() => undefined));
    host.signal("SIGTERM");
    await host.advance(999);
    expect(state.ended).toBe(false);
    await host.advance(1);
    await ending;
    expect(logger.records).toEqual([
      {
        level: "warn",
        message: "Stop hooks did not finish in time",
        fields: { signal: "SIGTERM", stopTimeoutMs: 1000 },
      },
    ]);
  });

  it("lets a hook stop and close the loop", async () => {
    const { loop, host, ending } = started();
    loop.onStop(() => {
      loop.stop();
      return loop.close();
    });
    host.signal("SIGTERM");
    await ending;
    expect(loop.closed).toBe(true);
  });

  it("does not call a hook that one before it has taken back", async () => {
    const { loop, host, ending } = started();
    const called: string[] = [];
    loop.onStop(() => {
      called.push("first");
      forget();
    });
    const forget = loop.onStop(() => void called.push("second"));
    host.signal("SIGTERM");
    await ending;
    expect(called).toEqual(["first"]);
  });

  it("waits no longer where the logger throws", async () => {
    const fail = (): never => {
      throw new Error("the disk is full");
    };
    const { loop, host } = virtualLoop({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    const ending = loop.start({ stopTimeoutMs: 1000 });
    loop.onStop(() => new Promise(() => undefined));
    host.signal("SIGTERM");
    await host.advance(1000);
    await ending;
  });

  it("waits 30 seconds by default", async () => {
    const { loop, host, state, ending } = started();
    loop.onStop(() => new Promise(() => undefined));
    host.signal("SIGTERM");
    await host.advance(29_999);
    expect(state.ended).toBe(false);
    await host.advance(1);
    await ending;
  });

  it("that comes a second time cuts the wait short and does not call the hooks again", async () => {
    const { loop, host, logger, ending } = started();
    let calls = 0;
    loop.onStop(() => {
      calls++;
      return new Promise(() => undefined);
    });
    host.signal("SIGINT");
    await host.advance(10);
    host.signal("SIGINT");
    await ending;
    await host.advance(100_000);
    expect([calls, host.pending]).toEqual([1, 0]);
    expect(logger.records).toEqual([]);
  });

  it("leaves no timer behind when the hooks finish, or when stop() comes first", async () => {
    for (const hook of [() => undefined, () => new Promise(() => undefined)]) {
      const { loop, host, logger, ending } = started();
      loop.onStop(hook);
      host.signal("SIGINT");
      loop.stop();
      await ending;
      await host.advance(100_000);
      expect(host.pending).toBe(0);
      expect(logger.records).toEqual([]);
    }
  });

  it("does not call a hook that was taken back, twice without harm", async () => {
    const { loop, host, ending } = started();
    let calls = 0;
    const remove = loop.onStop(() => calls++);
    remove();
    remove();
    host.signal("SIGINT");
    await ending;
    expect(calls).toBe(0);
  });

  it("calls each hook in the context that registered it", async () => {
    const als = new AsyncLocalStorage<string>();
    const { loop, host, ending } = started();
    const seen: unknown[] = [];
    als.run("a", () => loop.onStop(() => seen.push(als.getStore())));
    loop.onStop(() => seen.push(als.getStore()));
    als.run("signalling", () => host.signal("SIGINT"));
    await ending;
    expect(seen).toEqual(["a", undefined]);
  });

  it("is left alone with signals: false, and others than the named ones too", async () => {
    for (const signals of [false, ["SIGHUP"]] as const) {
      const { loop, host, state, ending } = started({ signals });
      host.signal("SIGTERM");
      await host.advance(10);
      expect(state.ended).toBe(false);
      loop.stop();
      await ending;
    }
  });

  it("calls a hook of a loop that is started again in the context of whoever registered it", async () => {
    const { loop, host } = virtualLoop();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    storage.run("registered", () =>
      loop.onStop(() => {
        seen.push(storage.getStore());
        storage.enterWith("hook");
      }),
    );
    for (let i = 0; i < 2; i++) {
      const ending = loop.start();
      host.signal("SIGTERM");
      await ending;
    }
    expect(seen).toEqual(["registered", "registered"]);
  });

  it("onStop() throws TypeError on what is no function", () => {
    expect(() => new IOLoop().onStop(undefined as never)).toThrow(TypeError);
  });
});
