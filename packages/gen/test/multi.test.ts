import { describe, expect, expectTypeOf, it } from "vitest";
import { BadYieldError, convertYielded, moment, multi } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();
const EXTRA = "Multiple exceptions in yield list";

describe("multi()", () => {
  it("keeps the shape: arrays, records, nested, empty", async () => {
    const one = Promise.resolve(1);
    const two = Promise.resolve("two");
    await expect(multi([one, two])).resolves.toEqual([1, "two"]);
    await expect(multi({ a: one, b: two })).resolves.toEqual({ a: 1, b: "two" });
    await expect(multi([])).resolves.toEqual([]);
    await expect(multi({})).resolves.toEqual({});
    await expect(multi({ a: [one, { b: two }] })).resolves.toEqual({ a: [1, { b: "two" }] });
    await expect(multi([one, one])).resolves.toEqual([1, 1]);
  });

  it("is typed as what it is given", async () => {
    const tuple = await multi([Promise.resolve(1), Promise.resolve("two")]);
    expectTypeOf(tuple).toEqualTypeOf<[number, string]>();
    const record = await multi({ a: Promise.resolve(1), b: [Promise.resolve(true)] });
    expectTypeOf(record).toEqualTypeOf<{ a: number; b: [boolean] }>();
    const list = await multi([1, 2].map(async (n) => n));
    expectTypeOf(list).toEqualTypeOf<number[]>();
    // @ts-expect-error plain values are no children
    expect(() => multi([1])).toThrow(BadYieldError);
  });

  it("keeps a key named __proto__ a key", async () => {
    const children = JSON.parse('{"__proto__": 0}');
    Object.defineProperty(children, "__proto__", { value: Promise.resolve(1), enumerable: true });
    const result = await multi(children as { [key: string]: Promise<number> });
    expect(Object.entries(result)).toEqual([["__proto__", 1]]);
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it("waits for all, rejects with the first failure in order, and logs the others", async () => {
    const [a, b] = [new Error("a"), new Error("b")];
    const seen = outcome(multi([stage.after(30, 0), stage.failing(20, a), stage.failing(10, b)]));
    await stage.host.advance(29);
    expect([seen, stage.logged]).toEqual([{}, []]);
    await stage.host.advance(1);
    expect(seen).toEqual({ error: a });
    expect(stage.logged).toEqual([{ level: "error", message: EXTRA, err: b }]);
  });

  it("says nothing about other failures that are quiet", async () => {
    const failures = [new RangeError("a"), new RangeError("b"), new TypeError("c")];
    const quietErrors = (error: unknown) => error instanceof RangeError;
    await expect(
      multi(
        failures.map((error) => Promise.reject(error)),
        { quietErrors },
      ),
    ).rejects.toThrow("a");
    expect(stage.logged.map(({ err }) => err)).toEqual([failures[2]]);
    await expect(
      multi(
        failures.map((error) => Promise.reject(error)),
        { quietErrors: true },
      ),
    ).rejects.toThrow("a");
    expect(stage.logged).toHaveLength(1);
  });

  it("does not log the same promise twice", async () => {
    const failed = stage.failing(1, new Error("once"));
    const seen = outcome(multi([failed, failed]));
    await stage.host.advance(1);
    expect(seen.error).toEqual(new Error("once"));
    expect(stage.logged).toEqual([]);
  });

  it("of an array takes the places, and nothing else that it carries", async () => {
    const b = Promise.resolve("b");
    // biome-ignore lint/suspicious/noSparseArray: a place that was left out is what the test is about
    await expect(stage.host.run(() => multi([, b]))).resolves.toStrictEqual([undefined, "b"]);
    const match = Object.assign([b], { index: 0, input: "ab", extra: Promise.reject(new Error("not ours")) });
    match.extra.catch(() => undefined);
    await expect(multi(match)).resolves.toStrictEqual(["b"]);
    await expect(multi([{ deep: match }])).resolves.toStrictEqual([{ deep: ["b"] }]);
  });

  it("rejects at an abort, and tells later of the failure that nobody received", async () => {
    const controller = new AbortController();
    const err = new Error("late");
    const seen = outcome(multi([stage.failing(20, err), stage.after(30, 1)], { signal: controller.signal }));
    stage.loop.callLater(10, () => controller.abort("gone"));
    await stage.host.advance(10);
    expect(seen).toEqual({ error: "gone" });
    await stage.host.advance(20);
    expect(stage.logged).toEqual([{ level: "error", message: "Error after the wait was given up", err }]);
  });

  it("throws TypeError on what is no container", () => {
    for (const value of [1, "ab", null, undefined, Promise.resolve()]) {
      expect(() => multi(value as never)).toThrow(TypeError);
    }
  });

  it("throws TypeError on options that are none", () => {
    expect(() => multi([], AbortSignal.abort() as never)).toThrow(/got an AbortSignal: give { signal }$/);
    for (const bad of [null, 5, "x", stage.loop]) expect(() => multi([], bad as never)).toThrow(TypeError);
  });
});

describe("convertYielded()", () => {
  it("takes promises, thenables, nothing and moment", async () => {
    await expect(convertYielded(Promise.resolve(1))).resolves.toBe(1);
    // biome-ignore lint/suspicious/noThenProperty: a thenable of somebody else
    const thenable = { then: (resolve: (value: number) => void) => resolve(2) };
    await expect(convertYielded(thenable as PromiseLike<number>)).resolves.toBe(2);
    for (const nothing of [undefined, null as never, moment]) {
      const order: string[] = [];
      stage.loop.addCallback(() => order.push("other"));
      const turned = convertYielded(nothing).then(() => order.push("turned"));
      await stage.host.run(() => turned);
      expect(order).toEqual(["other", "turned"]);
    }
  });

  it.each([42, "text", true, Symbol("s"), 1n, () => 1, new Map(), new Date(0), [1], { a: { b: 2 } }])(
    "throws BadYieldError on %s",
    (value) => {
      expect(() => convertYielded(value as never)).toThrow(BadYieldError);
      expect(() => convertYielded(value as never)).toThrow(
        expect.objectContaining({ code: "ERR_TW_BAD_YIELD" }),
      );
    },
  );

  it("throws BadYieldError on a container that holds itself, however deep", async () => {
    const list: unknown[] = [];
    list.push(list);
    const err = new Error("beside");
    const record: { [key: string]: unknown } = { beside: Promise.reject(err) };
    record.deep = [{ record }];
    for (const cyclic of [list, record]) {
      expect(() => convertYielded(cyclic as never)).toThrow(BadYieldError);
      expect(() => convertYielded(cyclic as never)).toThrow(
        /^Cannot wait for a container that holds itself: /,
      );
    }
    await stage.host.advance(0);
    expect(stage.logged).toEqual(
      Array.from({ length: 2 }, () => ({ level: "error", message: "Error beside a bad yield", err })),
    );
  });

  it("takes the same container in two places", async () => {
    const twice = [Promise.resolve(1)];
    await expect(convertYielded({ a: twice, b: [twice] })).resolves.toEqual({ a: [1], b: [[1]] });
  });

  it("leaves no rejection unhandled beside a bad yield: it is logged", async () => {
    const err = new Error("beside");
    expect(() => convertYielded([Promise.reject(err), [42]] as never)).toThrow(BadYieldError);
    await stage.host.advance(0);
    expect(stage.logged).toEqual([{ level: "error", message: "Error beside a bad yield", err }]);
    // biome-ignore lint/suspicious/noThenProperty: a thenable of somebody else
    const broken = { then: () => expect.fail("thrown in the place of what is wrong") };
    expect(() => convertYielded([broken, 42] as never)).toThrow(BadYieldError);
  });
});
