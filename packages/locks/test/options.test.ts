// What stands in the place of options and is none: ignored, it would make somebody wait for ever.

import { describe, expect, it } from "vitest";
import { BoundedSemaphore, Condition, Event, Lock, Semaphore } from "../src/index.js";
import { virtualStage } from "./support.js";

const stage = virtualStage();

const makers: readonly (readonly [string, (options?: unknown) => object])[] = [
  ["Lock", (options) => new Lock(options as never)],
  ["Event", (options) => new Event(options as never)],
  ["Condition", (options) => new Condition(options as never)],
  ["Semaphore", (options) => new Semaphore(1, options as never)],
  ["BoundedSemaphore", (options) => new BoundedSemaphore(1, options as never)],
];

describe.each(makers)("new %s()", (_, make) => {
  it("throws TypeError on options that are none", () => {
    for (const bad of [null, 5, "x", [], () => 1, AbortSignal.abort()])
      expect(() => make(bad)).toThrow(TypeError);
    expect(() => make(null)).toThrow("options must be an object, got null");
    expect(() => make(stage.loop)).toThrow(/got an IOLoop: give { loop }$/);
    for (const loop of [null, 5, {}]) expect(() => make({ loop })).toThrow(/^loop must be an IOLoop, got /);
    for (const good of [undefined, {}, { loop: stage.loop }, { loop: undefined }]) make(good);
  });
});

const free = new Lock();
const busy = new Lock();
const set = new Event();
set.set();
const waits: readonly (readonly [string, (options: unknown) => unknown, { readonly waiting: number }])[] = [
  ["acquire() of a free Lock", (options) => free.acquire(options as never), free],
  ["acquire() of a Lock", (options) => busy.acquire(options as never), busy],
  ["with() of a Lock", (options) => busy.with(() => expect.fail("runs"), options as never), busy],
  ...[new Semaphore(0), new Semaphore(1), new BoundedSemaphore(0)].map(
    (semaphore) =>
      [
        `acquire() of a semaphore of ${semaphore.value}`,
        (options: unknown) => semaphore.acquire(options as never),
        semaphore,
      ] as const,
  ),
  ...[new Event(), set].map(
    (event) =>
      [
        `wait() of an Event, ${event.isSet}`,
        (options: unknown) => event.wait(options as never),
        event,
      ] as const,
  ),
  ...[new Condition()].map(
    (condition) =>
      ["wait() of a Condition", (options: unknown) => condition.wait(options as never), condition] as const,
  ),
];

describe.each(waits)("%s", (_, wait, waitedFor) => {
  it("throws TypeError on options that are none, says what was meant, and does not wait", () => {
    expect(() => wait(20)).toThrow(
      new TypeError("options must be an object, got 20: give { timeoutMs: 20 }"),
    );
    expect(() => wait(AbortSignal.abort())).toThrow(/got an AbortSignal: give { signal }$/);
    for (const bad of [null, "x", [], () => 1, true]) expect(() => wait(bad)).toThrow(TypeError);
    expect(waitedFor.waiting).toBe(0);
    expect([free.locked, busy.locked]).toEqual([false, false]);
  });
});
