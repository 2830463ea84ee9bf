// Timers that are set for a time that has come, by timers: asyncio puts them into its next iteration, behind all that is due.

import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { IOLoop, type LoopHost, type Timeout } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";

/** A host whose clock and turns are moved by hand: work takes time in it. */
class HandHost implements LoopHost {
  clock = 0;
  turn: (() => void) | undefined;
  now(): number {
    return this.clock;
  }
  wallNow(): number {
    return this.clock;
  }
  schedule(_at: number, turn: () => void) {
    this.turn = turn;
    const cancel = (): void => {
      this.turn = undefined;
    };
    return { cancel, setRef: () => undefined };
  }
  poller(): undefined {
    return undefined;
  }
  /** Runs the turn that is scheduled, whether it is time or not. */
  pass(): void {
    const { turn } = this;
    this.turn = undefined;
    turn?.();
  }
}

describe("a timer that a timer sets for the past", () => {
  it("again and again lets the others fire in their time", () => {
    const host = new HandHost();
    const loop = new IOLoop({ host });
    const log: string[] = [];
    const again = (): void => {
      log.push("again");
      loop.callAt(0, again);
    };
    again();
    loop.callLater(10, () => log.push("other"));
    for (; host.clock <= 10; host.clock += 5) host.pass();
    expect(log).toEqual(["again", "again", "again", "again", "other"]);
  });

  it("as a fixed rate that cannot be kept makes the others late by one run, and no later", () => {
    const host = new HandHost();
    const loop = new IOLoop({ host });
    let next = 0;
    const tick = (): void => {
      host.clock += 6;
      next += 3;
      loop.callAt(next, tick);
    };
    loop.callAt(next, tick);
    const late: number[] = [];
    for (let due = 20; due <= 200; due += 20) loop.callAt(due, () => late.push(host.clock - due));
    while (host.clock < 240) host.pass();
    expect(late).toHaveLength(10);
    expect(Math.max(...late)).toBeLessThan(2 * 6);
  });

  it("runs behind all that is due, which stays one pass", async () => {
    const { loop, host } = virtualLoop();
    const log: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      loop.callAt(100, () => {
        log.push(i);
        if (i !== 2) return;
        loop.callAt(100, () => log.push("now"));
        loop.callAt(50, () => log.push("past"));
        loop.addCallback(() => log.push("callback"));
      });
    }
    await host.advance(100);
    expect(log).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, "callback", "past", "now"]);
  });

  it("is a timer as any other until then", async () => {
    const { loop, host } = virtualLoop();
    const log: unknown[] = [];
    loop.callAt(100, () => {
      const timer = loop.callAt(50, () => log.push("fired"));
      const gone = loop.callAt(50, () => log.push("gone")).unref();
      log.push(timer.when, timer.pending, loop.metrics().timers);
      loop.removeTimeout(gone);
      loop.removeTimeout(gone);
      log.push(gone.pending, loop.metrics().timers);
    });
    await host.advance(100);
    expect(log).toEqual([50, true, 2, false, 1, "fired"]);
    expect(loop.metrics().timers).toBe(0);
  });

  it("is gone when the loop is closed in between", async () => {
    const { loop, host } = virtualLoop();
    const log: string[] = [];
    let timer: Timeout | undefined;
    loop.callAt(100, () => {
      timer = loop.callAt(50, () => log.push("fired"));
      void loop.close();
    });
    await host.advance(1000);
    expect([log, timer?.pending, loop.metrics().timers, host.pending]).toEqual([[], false, 0, 0]);
  });
});

describe("all timers", () => {
  it.each([1, 2, 3, 4, 5, 6])("fire, pass by pass, as asyncio's do (seed %i)", (seed) => {
    const below = dice(seed);
    const host = new HandHost();
    const loop = new IOLoop({ host });
    const fired: number[] = [];
    /** What is pending, as asyncio would have it, and where each is. */
    const model = new Map<number, Timeout>();
    let ids = 0;

    const set = (): void => {
      const id = ids++;
      // Before the time of the pass, at it, after it, and between it and the clock.
      model.set(
        id,
        loop.callAt(host.clock + below(41) - 20, () => fire(id)),
      );
    };
    const cancel = (): void => {
      const [id, timer] = [...model][below(model.size + 1)] ?? [];
      if (id === undefined || timer === undefined) return;
      model.delete(id);
      loop.removeTimeout(timer);
    };
    const fire = (id: number): void => {
      fired.push(id);
      model.delete(id);
      host.clock += below(4);
      if (ids < 2000) for (let i = below(4); i > 0; i--) set();
      if (below(4) === 0) cancel();
    };

    for (let i = 0; i < 50; i++) set();
    for (let passes = 0; model.size > 0 && passes < 10_000; passes++) {
      const due = [...model]
        .filter(([, { when }]) => when <= host.clock)
        .sort(([a, x], [b, y]) => x.when - y.when || a - b)
        .map(([id]) => id);
      const before = fired.length;
      host.pass();
      const ran = fired.slice(before);
      // What was due has run in this order and nothing else, but for what was cancelled meanwhile.
      expect(due.filter((id) => ran.includes(id))).toEqual(ran);
      for (const id of due) expect(model.has(id)).toBe(false);
      expect(loop.metrics().timers).toBe(model.size);
      host.clock += 1;
    }
    expect([model.size, host.turn]).toEqual([0, undefined]);
    expect(fired.length).toBeGreaterThan(500);
  });
});
