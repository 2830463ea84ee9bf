import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkLoop,
  checkOptions,
  checkSignal,
} from "../src/index.js";

describe("checkDurationMs()", () => {
  it("takes finite numbers from 0 on, fractions included", () => {
    for (const good of [0, 0.5, 1, Number.MAX_VALUE]) expect(() => checkDurationMs("d", good)).not.toThrow();
  });

  it.each([Number.NaN, -1, -0.001, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "throws RangeError on %s and quotes it",
    (bad) => {
      expect(() => checkDurationMs("idleTimeoutMs", bad)).toThrow(RangeError);
      expect(() => checkDurationMs("idleTimeoutMs", bad)).toThrow(
        `idleTimeoutMs must be a finite number of ms from 0 on, got ${bad}`,
      );
    },
  );

  it("takes nothing above `max`, where one is given", () => {
    expect(() => checkDurationMs("d", 10, 10)).not.toThrow();
    expect(() => checkDurationMs("d", 10.5, 10)).toThrow("d must be at most 10 ms, got 10.5");
    expect(() => checkDurationMs("d", 11, 10)).toThrow(RangeError);
  });

  it.each([undefined, null, "5", 5n, {}, []])("throws TypeError on %s", (bad) => {
    expect(() => checkDurationMs("d", bad)).toThrow(TypeError);
  });
});

describe("checkDurationMs() with a limit", () => {
  it("takes it and throws RangeError beyond, with both numbers", () => {
    expect(() => checkDurationMs("d", 1000, 1000)).not.toThrow();
    expect(() => checkDurationMs("d", 1001, 1000)).toThrow(RangeError);
    expect(() => checkDurationMs("d", 1001, 1000)).toThrow("d must be at most 1000 ms, got 1001");
  });
});

describe("checkLoop()", () => {
  it("takes what has addCallback(), or nothing, and throws TypeError on anything else", () => {
    for (const good of [undefined, { addCallback() {} }]) expect(() => checkLoop(good)).not.toThrow();
    for (const bad of [null, 5, "x", {}, [], () => 1, { addCallback: 1 }])
      expect(() => checkLoop(bad)).toThrow(TypeError);
    expect(() => checkLoop(null)).toThrow("loop must be an IOLoop, got null");
  });
});

describe("checkInteger()", () => {
  it("takes both ends of the range and nothing beyond", () => {
    expect(() => checkInteger("n", 1, 1, 3)).not.toThrow();
    expect(() => checkInteger("n", 3, 1, 3)).not.toThrow();
    expect(() => checkInteger("n", 0, 1, 3)).toThrow("n must be an integer from 1 to 3, got 0");
    expect(() => checkInteger("n", 4, 1, 3)).toThrow(RangeError);
  });

  it("is for safe integers from 0 on unless told otherwise", () => {
    expect(() => checkInteger("n", Number.MAX_SAFE_INTEGER)).not.toThrow();
    expect(() => checkInteger("n", Number.MAX_SAFE_INTEGER + 1)).toThrow(RangeError);
    expect(() => checkInteger("n", -1)).toThrow(RangeError);
  });

  it("throws RangeError on fractions and NaN, TypeError on what is no number", () => {
    expect(() => checkInteger("n", 1.5)).toThrow(RangeError);
    expect(() => checkInteger("n", Number.NaN)).toThrow(RangeError);
    expect(() => checkInteger("n", "1")).toThrow(TypeError);
    expect(() => checkInteger("n", null)).toThrow("got null");
  });
});

describe("checkFunction()", () => {
  it("takes functions and classes, and quotes at most 64 characters of anything else", () => {
    expect(() => checkFunction("f", () => undefined)).not.toThrow();
    expect(() => checkFunction("f", class {})).not.toThrow();
    expect(() => checkFunction("f", undefined)).toThrow(TypeError);
    expect(() => checkFunction("f", "x".repeat(1000))).toThrow(
      `f must be a function, got "${"x".repeat(64)}"`,
    );
  });
});

describe("checkSignal()", () => {
  it("takes an AbortSignal or nothing, and throws TypeError on anything else", () => {
    for (const good of [undefined, new AbortController().signal, AbortSignal.abort()])
      expect(() => checkSignal(good)).not.toThrow();
    for (const bad of [null, {}, 7, "abort", new AbortController(), new EventTarget(), { aborted: false }])
      expect(() => checkSignal(bad)).toThrow(TypeError);
  });
});

describe("checkOptions()", () => {
  it("takes nothing, and objects of any class and realm", () => {
    class Settings {
      readonly timeoutMs = 1;
    }
    const foreign: unknown = runInNewContext("({ timeoutMs: 1 })");
    for (const good of [
      undefined,
      {},
      { a: 1 },
      Object.create(null),
      Object.create({ a: 1 }),
      new Settings(),
      foreign,
    ])
      expect(() => checkOptions("options", good)).not.toThrow();
  });

  it.each([
    [20, "20: give { timeoutMs: 20 }"],
    [Number.NaN, "NaN: give { timeoutMs: NaN }"],
    [true, "true: give { allFds: true }"],
    [["SIGINT"], "an array: give { signals: […] }"],
    [AbortSignal.abort(), "an AbortSignal: give { signal }"],
    [{ __proto__: { addCallback: () => undefined } }, "an IOLoop: give { loop }"],
    [null, "null"],
    ["x", '"x"'],
    [() => 1, "function"],
    [5n, "bigint"],
    [Symbol("s"), "symbol"],
  ])("throws TypeError on %s, and says how to give what was meant", (bad, said) => {
    const meant = {
      number: "timeoutMs",
      boolean: "allFds",
      array: "signals",
      AbortSignal: "signal",
      IOLoop: "loop",
    };
    expect(() => checkOptions("options", bad, meant)).toThrow(
      new TypeError(`options must be an object, got ${said}`),
    );
    const bare = said.replace(/: give .*/, "");
    expect(() => checkOptions("options", bad)).toThrow(
      new TypeError(`options must be an object, got ${bare}`),
    );
  });
});
