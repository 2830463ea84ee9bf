import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { offAbort, onAbort } from "../src/index.js";

it("onAbort() calls each that waits, once and in order, and the signal carries one listener meanwhile", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: number[] = [];
  for (let i = 0; i < 20; i++) onAbort(signal, () => called.push(i));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  controller.abort();
  expect(called).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

it("offAbort() takes one off, and the last one takes the listener along; the signal can be waited for again", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: string[] = [];
  const [first, second] = [() => called.push("first"), () => called.push("second")];
  offAbort(signal, first); // there is none
  onAbort(signal, first);
  onAbort(signal, second);
  offAbort(signal, second);
  offAbort(signal, second);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  offAbort(signal, first);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  onAbort(signal, second);
  controller.abort();
  expect(called).toEqual(["second"]);
});

it("offAbort() within a callback keeps those that it takes off from being called", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: string[] = [];
  const last = () => called.push("last");
  onAbort(signal, () => offAbort(signal, last));
  onAbort(signal, last);
  controller.abort();
  expect(called).toEqual([]);
});

it("a callback that throws keeps no other from being called", () => {
  const heard: (() => void)[] = [];
  const signal = {
    addEventListener: (_: string, listener: () => void) => heard.push(listener),
    removeEventListener() {},
  };
  const called: string[] = [];
  onAbort(signal, () => {
    throw new Error("provoked");
  });
  onAbort(signal, () => called.push("next"));
  expect(() => heard[0]?.()).toThrow("provoked");
  expect(called).toEqual(["next"]);
});
