import { describe, expect, it } from "vitest";
import { type AbortSource, offAbort, onAbort } from "../src/index.js";

/** A signal, and how many listeners it carries. */
function counted() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const source: AbortSource = {
    addEventListener(type, listener, options) {
      listeners++;
      signal.addEventListener(type, listener, options);
    },
    removeEventListener(type, listener) {
      listeners--;
      signal.removeEventListener(type, listener);
    },
  };
  return { source, abort: () => controller.abort(), listeners: () => listeners };
}

describe("onAbort()", () => {
  it("calls all who wait, in their order and once, by one listener", () => {
    const { source, abort, listeners } = counted();
    const called: number[] = [];
    for (let i = 0; i < 100; i++) onAbort(source, () => called.push(i));
    expect(listeners()).toBe(1);
    abort();
    abort();
    expect(called).toEqual([...Array(100).keys()]);
  });

  it("tells signals apart", () => {
    const [one, other] = [counted(), counted()];
    const called: string[] = [];
    onAbort(one.source, () => called.push("one"));
    onAbort(other.source, () => called.push("other"));
    other.abort();
    expect(called).toEqual(["other"]);
  });
});

describe("offAbort()", () => {
  it("takes one off, and the listener with the last", () => {
    const { source, abort, listeners } = counted();
    const called: string[] = [];
    const [a, b] = [() => called.push("a"), () => called.push("b")];
    onAbort(source, a);
    onAbort(source, b);
    offAbort(source, a);
    expect(listeners()).toBe(1);
    offAbort(source, b);
    expect(listeners()).toBe(0);
    onAbort(source, b);
    abort();
    expect(called).toEqual(["b"]);
  });

  it("keeps one from being called also while the signal aborts", () => {
    const { source, abort } = counted();
    const called: string[] = [];
    const [first, second] = [() => called.push("first"), () => called.push("second")];
    onAbort(source, () => offAbort(source, second));
    onAbort(source, first);
    onAbort(source, second);
    abort();
    expect(called).toEqual(["first"]);
  });

  it("is harmless for who does not wait, and when the signal has aborted", () => {
    const { source, abort } = counted();
    const nobody = () => undefined;
    offAbort(source, nobody);
    onAbort(source, nobody);
    abort();
    offAbort(source, nobody);
  });
});
