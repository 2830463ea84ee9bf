import { AsyncLocalStorage } from "node:async_hooks";
import { virtualLoop } from "@tw/ioloop/testing";
import { describe, expect, expectTypeOf, it } from "vitest";
import { BadYieldError, coroutine, moment, sleep, wait } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("coroutine()", () => {
  it("runs at once up to the first yield, and gives what the generator returns", async () => {
    const order: string[] = [];
    const run = coroutine(function* (word: string) {
      order.push("began");
      const value: number = yield Promise.resolve(1);
      return `${word}${value}`;
    });
    const result = run("n");
    order.push("caller");
    await expect(result).resolves.toBe("n1");
    expect(order).toEqual(["began", "caller"]);
    expectTypeOf(run).parameters.toEqualTypeOf<[word: string]>();
    expectTypeOf(result).toEqualTypeOf<Promise<string>>();
  });

  it("keeps `this` and the arguments", async () => {
    const counter = {
      count: 2,
      times: coroutine(function* (this: { count: number }, by: number) {
        yield moment;
        return this.count * by;
      }),
    };
    await expect(stage.host.run(() => counter.times(21))).resolves.toBe(42);
  });

  it("wait() tells the type of what a yield gives", async () => {
    const run = coroutine(function* () {
      const [n, { s }] = yield* wait([Promise.resolve(1), { s: Promise.resolve("s") }]);
      expectTypeOf(n).toEqualTypeOf<number>();
      expectTypeOf(s).toEqualTypeOf<string>();
      return [n, s] as const;
    });
    await expect(run()).resolves.toEqual([1, "s"]);
  });

  it("yields promises, arrays, records and nothing", async () => {
    const run = coroutine(function* () {
      const list: unknown = yield [Promise.resolve(1), Promise.resolve(2)];
      const record: unknown = yield { a: Promise.resolve(3) };
      const nothing: unknown = yield;
      return { list, record, nothing };
    });
    await expect(stage.host.run(() => run())).resolves.toEqual({
      list: [1, 2],
      record: { a: 3 },
      nothing: undefined,
    });
  });

  it("an empty yield lets other callbacks run", async () => {
    const order: number[] = [];
    const run = coroutine(function* () {
      for (let i = 0; i < 3; i++) {
        stage.loop.addCallback(() => order.push(i));
        yield;
        order.push(i + 10);
      }
    });
    await stage.host.run(() => run());
    expect(order).toEqual([0, 10, 1, 11, 2, 12]);
  });

  it("an exception before the first yield is the promise's, not the caller's", async () => {
    const run = coroutine(function* () {
      if (order === 0) throw new Error("early");
      yield moment;
    });
    const order = 0;
    const result = run();
    await expect(result).rejects.toThrow("early");
  });

  it("a failure is thrown at its yield, where it can be caught", async () => {
    const run = coroutine(function* () {
      try {
        yield Promise.reject(new Error("inner"));
      } catch (error) {
        yield moment;
        return (error as Error).message;
      }
      return "not reached";
    });
    await expect(stage.host.run(() => run())).resolves.toBe("inner");
    const uncaught = coroutine(function* () {
      yield Promise.reject(new Error("out"));
    });
    await expect(uncaught()).rejects.toThrow("out");
  });

  it("a bad yield is thrown at the yield", async () => {
    const run = coroutine(function* () {
      try {
        yield 42 as never;
      } catch (error) {
        return error;
      }
    });
    await expect(run()).resolves.toBeInstanceOf(BadYieldError);
  });

  it("a plain function gives what it returns, also a promise", async () => {
    await expect(coroutine(() => 1)()).resolves.toBe(1);
    await expect(coroutine(async () => 2)()).resolves.toBe(2);
    const thrown = coroutine(() => {
      throw new Error("plain");
    });
    await expect(thrown()).rejects.toThrow("plain");
    expect(() => coroutine(1 as never)).toThrow(TypeError);
  });

  it("a signal throws its reason at the yield, and finally blocks run", async () => {
    const controller = new AbortController();
    const steps: string[] = [];
    const run = coroutine(
      function* () {
        try {
          yield sleep(1000);
          steps.push("not reached");
        } finally {
          steps.push("cleaned up");
        }
      },
      { signal: controller.signal },
    );
    const seen = outcome(run());
    stage.loop.callLater(10, () => controller.abort("stop"));
    await stage.host.advance(10);
    expect([seen, steps]).toEqual([{ error: "stop" }, ["cleaned up"]]);
  });

  it("yields on the loop it is given", async () => {
    const other = virtualLoop();
    const run = coroutine(
      function* () {
        yield;
        return "turned";
      },
      { loop: other.loop },
    );
    const seen = outcome(run());
    await stage.host.advance(0);
    expect(seen).toEqual({});
    await other.host.advance(0);
    expect(seen).toEqual({ value: "turned" });
  });

  it("keeps the AsyncLocalStorage of its caller across yields", async () => {
    const als = new AsyncLocalStorage<string>();
    const run = coroutine(function* () {
      yield;
      yield sleep(5);
      return als.getStore();
    });
    const store = als.run("mine", () => run());
    await expect(stage.host.run(() => store)).resolves.toBe("mine");
  });

  it("throws TypeError on options that are none", () => {
    const body = function* () {};
    expect(() => coroutine(body, AbortSignal.abort() as never)).toThrow(/AbortSignal: give { signal }$/);
    for (const bad of [null, 5, stage.loop]) expect(() => coroutine(body, bad as never)).toThrow(TypeError);
  });
});
