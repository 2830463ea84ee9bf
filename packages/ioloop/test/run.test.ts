import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, expectTypeOf, it } from "vitest";
import { LoopStoppedError, RunTimeoutError } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const never = () => new Promise<never>(() => undefined);

describe("run()", () => {
  it.each([
    ["is stopped", () => new Promise(() => undefined)],
    ["has just been fulfilled", (over: Promise<void>) => over],
  ])("ends no start() but its own: one that follows at once when it %s", async (_, main) => {
    const { loop, host } = virtualLoop();
    let fulfil = (): void => undefined;
    const over = new Promise<void>((resolve) => {
      fulfil = resolve;
    });
    let restarted: Promise<void> | undefined;
    const ended = loop.run(() => main(over)).catch(() => undefined);
    loop.callLater(10, () => {
      fulfil();
      loop.stop();
      restarted = loop.start({ signals: false });
    });
    await host.advance(1000);
    await ended;
    expect(loop.running).toBe(true);
    loop.stop();
    await restarted;
  });

  it("calls main in the next turn, holds the process, and resolves with what main returns", async () => {
    const { loop, host } = virtualLoop();
    const result = await host.run(() => {
      let called = false;
      const running = loop.run(async () => {
        called = true;
        await new Promise<void>((resolve) => loop.callLater(1000, resolve));
        return "done" as const;
      });
      expect([called, loop.running]).toEqual([false, true]);
      return running;
    });
    expectTypeOf(result).toEqualTypeOf<"done">();
    expect([result, host.now(), loop.running]).toEqual(["done", 1000, false]);
  });

  it.each([42, null, undefined, ""])("takes %j from a main that is not async", async (value) => {
    const { loop, host } = virtualLoop();
    expect(await host.run(() => loop.run(() => value))).toBe(value);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("rejects with what main %s, and does not log it", async (_, main) => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    await expect(host.run(() => loop.run(main))).rejects.toThrow("broken");
    expect([logger.records, loop.running]).toEqual([[], false]);
  });

  it("runs main in the caller's context", async () => {
    const { loop, host } = virtualLoop();
    const storage = new AsyncLocalStorage<string>();
    const run = () => storage.run("caller", () => loop.run(() => storage.getStore()));
    expect(await host.run(run)).toBe("caller");
  });

  it("can be called again, and start() after it waits", async () => {
    const { loop, host } = virtualLoop();
    expect(await host.run(() => loop.run(() => 1))).toBe(1);
    expect(await host.run(() => loop.run(() => 2))).toBe(2);
    let ended = false;
    void loop.start({ signals: false }).then(() => {
      ended = true;
    });
    await host.advance(1000);
    expect(ended).toBe(false);
    loop.stop();
  });

  it("gives main up at timeoutMs and not before, and says what to do", async () => {
    const { loop, host } = virtualLoop();
    const late = loop.run(() => new Promise<string>((resolve) => loop.callLater(99, resolve, "late")), {
      timeoutMs: 100,
    });
    expect(await host.run(() => late)).toBe("late");
    const from = host.now();
    let reason: unknown;
    const failing = loop.run(
      (signal) => {
        signal.addEventListener("abort", () => {
          reason = signal.reason;
        });
        return never();
      },
      { timeoutMs: 100 },
    );
    const error = await host.run(() => failing).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(RunTimeoutError);
    expect(error).toMatchObject({ code: "ERR_TW_RUN_TIMEOUT", timeoutMs: 100 });
    expect(error.message).toMatch(/100 ms.*longer timeoutMs/);
    expect([host.now() - from, reason === error, loop.running]).toEqual([100, true, false]);
  });

  it("lets what settles in the very turn of the timeout be the result", async () => {
    const { loop, host } = virtualLoop();
    const main = () => new Promise<string>((resolve) => loop.callLater(100, resolve, "in time"));
    expect(await host.run(() => loop.run(main, { timeoutMs: 100 }))).toBe("in time");
  });

  it("leaves no timer and no listener behind", async () => {
    const { loop, host } = virtualLoop();
    const abort = new AbortController();
    await host.run(() => loop.run(() => 1, { timeoutMs: 1000, signal: abort.signal }));
    expect(loop.metrics().timers).toBe(0);
    abort.abort();
    expect(loop.running).toBe(false);
  });

  it("rejects with signal.reason, and hands it to main", async () => {
    const { loop, host } = virtualLoop();
    const abort = new AbortController();
    loop.callLater(5, () => abort.abort("enough"));
    let handed: unknown;
    const main = (signal: AbortSignal) => {
      signal.addEventListener("abort", () => {
        handed = signal.reason;
      });
      return never();
    };
    await expect(host.run(() => loop.run(main, { signal: abort.signal }))).rejects.toBe("enough");
    expect([handed, loop.running]).toEqual(["enough", false]);
  });

  it("does not call main when the signal is aborted already, or is before its turn", async () => {
    const { loop, host } = virtualLoop();
    let calls = 0;
    await expect(loop.run(() => calls++, { signal: AbortSignal.abort("before") })).rejects.toBe("before");
    expect(loop.running).toBe(false);
    const abort = new AbortController();
    const soon = loop.run(() => calls++, { signal: abort.signal });
    abort.abort("at once");
    await expect(host.run(() => soon)).rejects.toBe("at once");
    await host.advance(10);
    expect(calls).toBe(0);
  });

  it("rejects with ERR_TW_LOOP_STOPPED when somebody stops the loop, now or before", async () => {
    const { loop, host } = virtualLoop();
    loop.callLater(5, () => loop.stop());
    const stopped = await host.run(() => loop.run(never)).catch((error) => error);
    expect(stopped).toBeInstanceOf(LoopStoppedError);
    expect(stopped.code).toBe("ERR_TW_LOOP_STOPPED");
    loop.stop();
    await expect(host.run(() => loop.run(never))).rejects.toBeInstanceOf(LoopStoppedError);
    // Tornado's run_sync would return 5.
    const stopping = () => {
      loop.stop();
      return 5;
    };
    await expect(host.run(() => loop.run(stopping))).rejects.toBeInstanceOf(LoopStoppedError);
    expect(await host.run(() => loop.run(() => "again"))).toBe("again");
  });

  it("logs a failure that comes after main was given up, but not the reason it was handed", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    const failWith = (make: (reason: unknown) => unknown) =>
      host
        .run(() =>
          loop.run(
            (signal) =>
              new Promise((_, reject) => {
                signal.addEventListener("abort", () => reject(make(signal.reason)));
              }),
            { timeoutMs: 1 },
          ),
        )
        .catch(() => undefined);
    await failWith((reason) => reason);
    await failWith((cause) => new Error("aborted", { cause }));
    await host.advance(0);
    expect(logger.records).toEqual([]);
    await failWith(() => new Error("something else"));
    await host.advance(0);
    expect(logger.records.map(({ message }) => message)).toEqual([
      "Exception in main() after run() had given it up",
    ]);
  });

  it("leaves what main has set going", async () => {
    const { loop, host } = virtualLoop();
    let fired = false;
    await host.run(() =>
      loop.run(() => {
        loop.callLater(10, () => {
          fired = true;
        });
      }),
    );
    expect(fired).toBe(false);
    await host.advance(10);
    expect(fired).toBe(true);
  });

  it("refuses a second run(), start() or close() meanwhile, before anything changes", async () => {
    const { loop, host } = virtualLoop();
    const first = loop.run(async () => {
      const running = expect.objectContaining({ code: "ERR_TW_LOOP_RUNNING" });
      expect(() => loop.run(() => 2)).toThrow(running);
      expect(() => loop.start()).toThrow(running);
      expect(() => loop.close()).toThrow(running);
      return 1;
    });
    expect(await host.run(() => first)).toBe(1);
    expect(loop.metrics().callbacks).toBe(0);
  });

  it("refuses bad arguments, before anything changes", () => {
    const { loop } = virtualLoop();
    expect(() => loop.run(undefined as never)).toThrow(TypeError);
    expect(() => loop.run(Promise.resolve() as never)).toThrow(TypeError);
    expect(() => loop.run(never, { timeoutMs: Number.NaN })).toThrow(RangeError);
    expect(() => loop.run(never, { timeoutMs: -1 })).toThrow(RangeError);
    expect(() => loop.run(never, { timeoutMs: 1e13 })).toThrow(RangeError);
    expect(() => loop.run(never, { signal: {} as never })).toThrow(TypeError);
    expect(() => loop.run(never, 5000 as never)).toThrow(/got 5000: give { timeoutMs: 5000 }$/);
    expect(() => loop.run(never, AbortSignal.abort() as never)).toThrow(/AbortSignal: give { signal }$/);
    expect(() => loop.run(never, null as never)).toThrow("options must be an object, got null");
    expect([loop.running, loop.metrics().callbacks]).toEqual([false, 0]);
  });
});
