import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, expectTypeOf, it } from "vitest";
import { virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

describe("addFuture()", () => {
  it("calls in a turn of the loop, with how the promise settled", async () => {
    const { loop, host } = virtualLoop();
    const seen: unknown[] = [];
    const error = new Error("no");
    loop.addFuture(Promise.resolve(42), (future) => {
      expectTypeOf(future).toEqualTypeOf<PromiseSettledResult<number>>();
      seen.push(future);
    });
    loop.addFuture(Promise.reject(error), (future) => seen.push(future));
    await Promise.resolve();
    await Promise.resolve();
    expect(seen).toEqual([]);
    await host.advance(0);
    expect(seen).toEqual([
      { status: "fulfilled", value: 42 },
      { status: "rejected", reason: error },
    ]);
  });

  it("takes any thenable, and calls once", async () => {
    const { loop, host } = virtualLoop();
    let calls = 0;
    const twice = {
      // biome-ignore lint/suspicious/noThenProperty: somebody else's promise
      then: (resolve: (value: number) => void) => {
        resolve(1);
        resolve(2);
      },
    };
    loop.addFuture(twice as never, () => calls++);
    await host.advance(0);
    expect(calls).toBe(1);
  });

  it("logs once what the callback throws", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    loop.addFuture(Promise.resolve(), () => {
      throw new Error("broken");
    });
    await host.advance(0);
    expect(logger.records.map(({ message }) => message)).toEqual(["Exception in callback"]);
  });

  it("keeps the caller's context, not that of whoever settles", async () => {
    const { loop, host } = virtualLoop();
    const storage = new AsyncLocalStorage<string>();
    let settle = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      settle = resolve;
    });
    let seen: unknown;
    storage.run("caller", () =>
      loop.addFuture(promise, () => {
        seen = storage.getStore();
      }),
    );
    storage.run("settler", () => settle());
    await host.advance(0);
    expect(seen).toBe("caller");
  });

  it("forgets it when the loop is closed by then", async () => {
    const { loop, host } = virtualLoop();
    let settle = (): void => undefined;
    const promise = new Promise<void>((resolve) => {
      settle = resolve;
    });
    let calls = 0;
    loop.addFuture(promise, () => calls++);
    await loop.close();
    settle();
    await host.advance(10);
    expect(calls).toBe(0);
  });

  it("refuses what is no promise or no function", () => {
    const { loop } = virtualLoop();
    for (const bad of [undefined, null, 42, {}, () => Promise.resolve()]) {
      expect(() => loop.addFuture(bad as never, () => undefined)).toThrow(TypeError);
    }
    expect(() => loop.addFuture(Promise.resolve(), undefined as never)).toThrow(TypeError);
  });
});

describe("spawnCallback()", () => {
  it("calls in the next turn, with its arguments and in its caller's context", async () => {
    const { loop, host } = virtualLoop();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    storage.run("caller", () =>
      loop.spawnCallback((...args: unknown[]) => seen.push(...args, storage.getStore()), 1, "x"),
    );
    expect(seen).toEqual([]);
    await host.advance(0);
    expect(seen).toEqual([1, "x", "caller"]);
  });

  it("logs once what the promise rejects with", async () => {
    const logger = recorder();
    const { loop, host } = virtualLoop({ logger });
    loop.spawnCallback(async () => {
      throw new Error("broken");
    });
    await host.advance(0);
    expect(logger.records.map(({ message }) => message)).toEqual(["Exception in callback"]);
  });

  it("refuses what is no function", () => {
    expect(() => virtualLoop().loop.spawnCallback(undefined as never)).toThrow(TypeError);
  });
});
