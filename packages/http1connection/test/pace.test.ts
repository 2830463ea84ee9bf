// The two clocks that peers are held to, by themselves: what is looked at is made up, and time is a number.

import { virtualLoop } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { describe, expect, it } from "vitest";
import { BodyPace } from "../src/body-pace.js";
import { Deadlines, type Expirable } from "../src/deadlines.js";
import { LOOKS, WriteWatch } from "../src/write-watch.js";

const PACE = { writeTimeoutMs: 4000, minRate: 0 };
const QUARTER = PACE.writeTimeoutMs / LOOKS / 1000;

/** Looks once per entry, at what had gone by then; `undefined` is an empty queue. Gives what each look said. */
function looks(flushed: readonly (number | undefined)[], minRate = 0): boolean[] {
  const watch = new WriteWatch();
  return flushed.map((amount) => {
    const stream = { writing: amount !== undefined, flushedAmount: amount ?? 0 } as unknown as IOStream;
    return watch.look(stream, { ...PACE, minRate });
  });
}

describe("WriteWatch", () => {
  it("gives a peer up when it took nothing from one look to the fourth after it, and not before", () => {
    expect(looks([7, 7, 7, 7, 7])).toEqual([true, true, true, true, false]);
  });

  it("begins anew with each byte, with an empty queue, and with another queue", () => {
    for (const other of [8, undefined, 3]) {
      expect(looks([7, 7, 7, 7, other, 9, 9, 9])).not.toContain(false);
      expect(looks([7, 7, 7, 7, other, 9, 9, 9, 9, 9]).at(-1)).toBe(false);
    }
  });

  it("minRate: from the first timeout on a peer has to have taken so much on average", () => {
    const perLook = (rate: number) => Array.from({ length: 60 }, (_, i) => Math.floor(i * rate * QUARTER));
    expect(looks(perLook(100), 100)).not.toContain(false);
    expect(looks(perLook(95), 100)).not.toContain(false); // in a minute the first timeout counts
    expect(looks(perLook(50), 100)).toContain(false);
    expect(looks(perLook(50), 100).indexOf(false)).toBeGreaterThan(LOOKS);
    expect(looks(perLook(50), 0)).not.toContain(false);
  });
});

describe("BodyPace", () => {
  /** Ticks of 100 ms, so that a timeout of 1 s is 11 of them. */
  async function setUp(minRate: number) {
    const { loop, host } = virtualLoop();
    const deadlines = new Deadlines<Expirable>(loop, 400);
    deadlines.add({ deadline: 0, onExpired() {} });
    return {
      deadlines,
      pass: (ms: number) => host.advance(ms),
      pace: new BodyPace(deadlines, 1000, minRate),
    };
  }

  it("credits what came within a part of a tick, where looks are as far apart as that", async () => {
    const { loop, host } = virtualLoop();
    const deadlines = new Deadlines<Expirable>(loop, 60_000); // ticks of a second
    deadlines.add({ deadline: 0, onExpired() {} });
    deadlines.hasten(100);
    const pace = new BodyPace(deadlines, 100, 240);
    const patience = pace.next(0) - deadlines.tick;
    for (let bytes = 20; bytes < 500; bytes += 20) {
      await host.advance(40);
      expect(pace.next(bytes)).toBe(deadlines.tick + patience); // 500 bytes a second
    }
  });

  it("puts the deadline off with each piece where no rate is asked for", async () => {
    const { deadlines, pass, pace } = await setUp(0);
    for (let i = 0; i < 5; i++) {
      expect(pace.next(i)).toBe(deadlines.tick + 11);
      await pass(900);
    }
  });

  it("puts it off by what came, and never further than the timeout", async () => {
    const { deadlines, pass, pace } = await setUp(100); // 10 bytes a tick
    const began = deadlines.tick;
    expect(pace.next(0)).toBe(began + 11);
    await pass(500);
    expect(pace.next(9)).toBeCloseTo(began + 11.9);
    expect(pace.next(10)).toBe(began + 12);
    expect(pace.next(50)).toBe(began + 16);
    expect(pace.next(1_000_000)).toBe(deadlines.tick + 11);
  });

  it("does not count the time in which the body was held back, however often that is said", async () => {
    const { deadlines, pass, pace } = await setUp(100);
    const began = deadlines.tick;
    pace.next(0);
    await pass(300);
    pace.hold();
    await pass(5000);
    pace.hold();
    await pass(5000);
    expect(pace.next(0)).toBe(began + 100 + 11);
  });

  it("0 is never", async () => {
    const { deadlines } = await setUp(100);
    expect(new BodyPace(deadlines, 0, 100).next(0)).toBe(0);
  });
});
