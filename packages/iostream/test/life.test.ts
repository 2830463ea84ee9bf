import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { isClosed, isFinDue, isGone, type Life, type LifeEvent, next } from "../src/stream/life.js";
import { ScriptedTransport, testLoop } from "./helpers.js";

/** Where these events lead from `open`; those that mean nothing are passed over. */
function after(...events: LifeEvent[]): Life {
  return events.reduce<Life>((life, event) => next(life, event) ?? life, "open");
}

const EVENTS: readonly LifeEvent[] = ["end", "flushed", "close", "abort", "gone"];

describe("the life of a stream", () => {
  it("goes on after end(), and is closed by close(), abort() and the transport", () => {
    expect([after("end"), after("end", "flushed")].map(isClosed)).toEqual([false, false]);
    expect([after("close"), after("abort"), after("gone")].map(isClosed)).toEqual([true, true, true]);
  });

  it("sends FIN once, after end() or close(), whichever comes first", () => {
    const ways: LifeEvent[][] = [["end"], ["close"], ["end", "close"]];
    for (const way of ways) {
      expect(isFinDue(after(...way))).toBe(true);
      expect(isFinDue(after(...way, "flushed"))).toBe(false);
    }
    expect(isFinDue(after("end", "flushed", "close"))).toBe(false);
    expect(next(after("end", "flushed", "close"), "flushed")).toBeUndefined();
    expect(next("open", "flushed")).toBeUndefined();
  });

  it("keeps apart what the peer took from us, which may still be read, and what we closed", () => {
    expect([after("gone"), after("end", "gone"), after("end", "flushed", "gone")]).toEqual(
      Array(3).fill("lost"),
    );
    expect([after("close", "gone"), after("close", "flushed", "gone"), after("abort", "gone")]).toEqual(
      Array(3).fill("gone"),
    );
  });

  it("ends for all sequences: the transport's end is the last event that means anything, an abort the last but one", () => {
    const walk = (life: Life, depth: number): void => {
      for (const event of depth === 0 ? [] : EVENTS) {
        const then = next(life, event);
        if (isGone(life)) expect(then).toBeUndefined();
        if (life === "aborted" && event !== "gone") expect(then).toBeUndefined();
        if (event === "gone" && !isGone(life)) expect(isGone(then as Life)).toBe(true);
        if (isClosed(life) && then !== undefined) expect(isClosed(then)).toBe(true);
        if (then !== undefined) walk(then, depth - 1);
      }
    };
    walk("open", 6);
  });
});

it("new IOStream() checks its limits before it starts the transport", () => {
  const transport = new ScriptedTransport();
  for (const wrong of [-1, 0.5, Number.NaN]) {
    expect(() => new IOStream(transport, { loop: testLoop(), maxBufferSize: wrong })).toThrow(RangeError);
    expect(() => new IOStream(transport, { loop: testLoop(), maxWriteBufferSize: wrong })).toThrow(
      RangeError,
    );
  }
  expect(transport.receiver).toBeUndefined();
});

it("limits of one stream are not those of the next", async () => {
  const loop = testLoop();
  const narrow = new IOStream(new ScriptedTransport(), { loop, maxWriteBufferSize: 10 });
  const wide = new IOStream(new ScriptedTransport(), { loop, maxWriteBufferSize: 20 });
  const plain = new IOStream(new ScriptedTransport(), { loop });
  expect(() => narrow.send("x".repeat(11))).toThrow("limit 10");
  expect(() => wide.send("x".repeat(21))).toThrow("limit 20");
  expect(plain.send("x".repeat(21))).toBe(true);
});
