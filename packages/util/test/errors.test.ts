import { describe, expect, it } from "vitest";
import { invariant, isPromiseLike, isTwError, TwError } from "../src/index.js";

class StreamError extends TwError {}

describe("TwError", () => {
  it("is an Error with code, cause and the name of its class, in its stack too", () => {
    const cause = new Error("below");
    const error = new StreamError("ERR_TW_X", "it broke", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe("ERR_TW_X");
    expect(error.cause).toBe(cause);
    expect(String(error)).toBe("StreamError: it broke");
    expect(error.stack).toMatch(/^StreamError: it broke\n/);
  });

  it("has no cause when none was given", () => {
    expect("cause" in new TwError("ERR_TW_X", "m")).toBe(false);
  });

  it("lets others rename it, as they may any Error", () => {
    const error = new TwError("ERR_TW_X", "m");
    error.name = "AbortError";
    expect(error.name).toBe("AbortError");
    expect(new TwError("ERR_TW_X", "m").name).toBe("TwError");
  });
});

describe("isTwError()", () => {
  it("recognises subclasses, by code where asked", () => {
    const error = new StreamError("ERR_TW_X", "m");
    expect(isTwError(error)).toBe(true);
    expect(isTwError(error, "ERR_TW_X")).toBe(true);
    expect(isTwError(error, "ERR_TW_Y")).toBe(false);
  });

  it("recognises the errors of another copy of the package", async () => {
    const url = new URL("../src/errors.ts?copy", import.meta.url).href;
    const other = (await import(/* @vite-ignore */ url)) as typeof import("../src/errors.js");
    expect(other.TwError).not.toBe(TwError);
    expect(isTwError(new other.TwError("ERR_TW_X", "m"), "ERR_TW_X")).toBe(true);
  });

  it("is not taken in by objects that only look alike", () => {
    for (const value of [undefined, null, "ERR_TW_X", new Error("m"), { code: "ERR_TW_X" }]) {
      expect(isTwError(value)).toBe(false);
    }
  });
});

describe("invariant()", () => {
  it("throws ERR_TW_INVARIANT on anything falsy only", () => {
    expect(() => invariant(1, "m")).not.toThrow();
    expect(() => invariant(0, "queue is empty")).toThrow(
      expect.objectContaining({ code: "ERR_TW_INVARIANT" }),
    );
  });
});

describe("isPromiseLike()", () => {
  it("takes promises and thenables, and nothing else", () => {
    expect(isPromiseLike(Promise.resolve())).toBe(true);
    expect(isPromiseLike(withThen(() => undefined))).toBe(true);
    for (const value of [undefined, null, 1, "then", {}, [], withThen(1)])
      expect(isPromiseLike(value)).toBe(false);
  });
});

function withThen(value: unknown): object {
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is under test
  return { then: value };
}
