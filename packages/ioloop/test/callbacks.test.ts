import { AsyncLocalStorage } from "node:async_hooks";
import { readFile } from "node:fs";
import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { VirtualHost, virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

/** Counts the turns that a loop asks for. */
class CountingHost extends VirtualHost {
  scheduled = 0;

  override schedule(at: number, turn: () => void) {
    this.scheduled++;
    return super.schedule(at, turn);
  }
}

describe("addCallback()", () => {
  it("calls with the arguments, in order, never before it returns", async () => {
    const { loop, host } = virtualLoop();
    const calls: unknown[] = [];
    loop.addCallback((a: number, b: string) => calls.push([a, b]), 1, "x");
    loop.addCallback(() => calls.push("second"));
    expect(calls).toEqual([]);
    await host.advance(0);
    expect(calls).toEqual([[1, "x"], "second"]);
  });

  it("takes one turn of the host for a whole batch", async () => {
    const host = new CountingHost();
    const loop = new IOLoop({ host });
    let runs = 0;
    for (let i = 0; i < 1000; i++) loop.addCallback(() => runs++);
    expect(host.scheduled).toBe(1);
    await host.advance(0);
    expect(runs).toBe(1000);
    expect(host.scheduled).toBe(1);
  });

  it("runs what a callback adds in the next turn, not in its own", async () => {
    const host = new CountingHost();
    const loop = new IOLoop({ host });
    const log: string[] = [];
    loop.addCallback(() => {
      log.push("a");
      loop.addCallback(() => log.push("a'"));
    });
    loop.addCallback(() => log.push("b"));
    await host.advance(0);
    expect(log).toEqual(["a", "b", "a'"]);
    expect(host.scheduled).toBe(2);
  });

  it("does not starve I/O with a callback that adds itself for ever", async () => {
    const loop = new IOLoop();
    let go = true;
    const again = () => {
      if (go) loop.addCallback(again);
    };
    loop.addCallback(again);
    await new Promise<void>((resolve, reject) => {
      readFile(new URL(import.meta.url), (error) => (error ? reject(error) : resolve()));
    });
    go = false;
  });

  it("keeps the order across contexts and arguments, in bursts that grow and shrink", async () => {
    const { loop, host } = virtualLoop();
    const als = new AsyncLocalStorage<number>();
    for (const size of [1, 63, 64, 65, 1000, 3, 64, 0, 2]) {
      const seen: unknown[] = [];
      const expected: unknown[] = [];
      for (let i = 0; i < size; i++) {
        const store = i % 5 === 0 ? i : undefined;
        const see = (...args: number[]) => seen.push([i, args, als.getStore()]);
        const args = i % 3 === 0 ? [i, i] : [];
        expected.push([i, args, store]);
        if (store === undefined) loop.addCallback(see, ...args);
        else als.run(store, () => loop.addCallback(see, ...args));
      }
      expect(loop.metrics().callbacks).toBe(size);
      await host.advance(0);
      expect(seen).toEqual(expected);
      expect(loop.metrics().callbacks).toBe(0);
    }
  });

  it("runs promise continuations when the batch is over, before the next one", async () => {
    const loop = new IOLoop();
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      for (const name of ["a", "b"]) {
        loop.addCallback(async () => {
          log.push(name);
          if (name === "a") loop.addCallback(() => resolve(void log.push("next batch")));
          await undefined;
          log.push(`${name} continued`);
        });
      }
    });
    expect(log).toEqual(["a", "b", "a continued", "b continued", "next batch"]);
  });

  it("drops what is left of a batch when a callback closes the loop", async () => {
    const { loop, host } = virtualLoop();
    const als = new AsyncLocalStorage<string>();
    const log: string[] = [];
    loop.addCallback(() => log.push("before"));
    loop.addCallback(() => void loop.close());
    loop.addCallback(() => log.push("after"));
    als.run("own context", () => loop.addCallback(() => log.push("after too")));
    await host.advance(0);
    expect(log).toEqual(["before"]);
  });

  it("logs what a callback throws, once, and runs the ones after it", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    const err = new Error("broken");
    let after = false;
    loop.addCallback(() => {
      throw err;
    });
    loop.addCallback(() => {
      after = true;
    });
    await host.advance(0);
    expect(logger.records).toEqual([{ level: "error", message: "Exception in callback", fields: { err } }]);
    expect(after).toBe(true);
  });

  it("logs what a callback's promise rejects with, once", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    const err = new Error("broken later");
    loop.addCallback(async () => {
      await Promise.resolve();
      throw err;
    });
    await host.advance(0);
    expect(logger.records).toEqual([{ level: "error", message: "Exception in callback", fields: { err } }]);
  });

  it("survives thenables that throw, and a logger that throws", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    const err = new Error("from then");
    loop.addCallback(() =>
      // biome-ignore lint/suspicious/noThenProperty: a hostile thenable is what is under test
      Object.defineProperty({}, "then", {
        get: () => {
          throw err;
        },
      }),
    );
    await host.advance(0);
    expect(logger.records).toHaveLength(1);

    const fail = () => {
      throw new Error("logger");
    };
    const mute = virtualLoop({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    let after = false;
    mute.loop.addCallback(fail);
    mute.loop.addCallback(() => {
      after = true;
    });
    await mute.host.advance(0);
    expect(after).toBe(true);
  });

  it("does not come round again for a callback that returns {} or []", async () => {
    const host = new CountingHost();
    const loop = new IOLoop({ host });
    let runs = 0;
    for (const result of [{}, []]) {
      loop.addCallback(() => {
        runs++;
        return result;
      });
    }
    await host.advance(100);
    expect([runs, host.scheduled]).toEqual([2, 1]);
  });

  it("throws TypeError on what is no function, and schedules nothing", () => {
    const { loop, host } = virtualLoop();
    for (const bad of [undefined, null, "f", {}])
      expect(() => loop.addCallback(bad as never)).toThrow(TypeError);
    expect(host.pending).toBe(0);
  });
});

describe("afterPoll()", () => {
  it("runs once, after a poll pass that began after the call, wherever it is called from", async () => {
    const host = new CountingHost();
    const loop = new IOLoop({ host });
    const turns: number[] = [];
    const measure = () => {
      const before = host.scheduled;
      loop.afterPoll(() => turns.push(host.scheduled - before));
    };
    measure();
    await host.advance(0);
    loop.addCallback(measure);
    await host.advance(0);
    loop.callLater(1, measure);
    await host.advance(1);
    // From outside it may be in the middle of a poll, so it takes two turns; from a turn of the loop, one.
    expect(turns).toEqual([2, 1, 1]);
  });

  it("throws TypeError on what is no function", () => {
    expect(() => virtualLoop().loop.afterPoll(1 as never)).toThrow(TypeError);
  });
});
