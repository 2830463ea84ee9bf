// Random users of one semaphore, in virtual time: whatever they do, in whatever order, no permit is lost or doubled.

import { sleep } from "@tw/gen";
import { describe, expect, it } from "vitest";
import { BoundedSemaphore, Lock } from "../src/index.js";
import { dice, virtualStage } from "./support.js";

const stage = virtualStage();
const USERS = 40;
const ROUNDS = 25;
const PERMITS = [1, 2, 5];
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

const CASES = [...PERMITS, "Lock" as const].flatMap((permits) =>
  SEEDS.map((seed) => [permits, seed] as const),
);

describe("under random acquires, timeouts, aborts and releases", () => {
  it.each(CASES)("%s permits stay as many (seed %i)", async (permits, seed) => {
    const roll = dice(seed * 31 + (permits === "Lock" ? 7 : permits));
    const lock = permits === "Lock" ? new Lock() : new BoundedSemaphore(permits);
    const count = permits === "Lock" ? 1 : permits;
    const ends = { acquired: 0, timedOut: 0, aborted: 0 };
    let asked = 0;
    let held = 0;
    /** Those in line, by the order in which they asked; who is let in must be the first of those still there. */
    const line: number[] = [];

    const user = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(roll(8));
        const ticket = asked++;
        const controller = new AbortController();
        const chance = roll(3);
        // Whole milliseconds, so that timeouts, aborts and releases often come in the same turn.
        if (chance === 1) stage.loop.callLater(roll(6), () => controller.abort("gone"));
        const { signal } = controller;
        line.push(ticket);
        try {
          const guard = await lock.acquire(chance === 2 ? { timeoutMs: roll(6), signal } : { signal });
          expect(++held).toBeLessThanOrEqual(count);
          ends.acquired++;
          const overtaken = line.filter((other) => other < ticket);
          line.splice(line.indexOf(ticket), 1);
          expect(overtaken).toEqual([]);
          await sleep(roll(3));
          held--;
          guard.release();
          if (roll(2) === 0) guard.release();
        } catch (error) {
          if (line.includes(ticket)) line.splice(line.indexOf(ticket), 1);
          if (error === "gone") ends.aborted++;
          else if ((error as { code?: string }).code === "ERR_TW_TIMEOUT") ends.timedOut++;
          else throw error;
        }
      }
    };
    await stage.host.run(() => Promise.all(Array.from({ length: USERS }, user)));

    expect(ends.acquired + ends.timedOut + ends.aborted).toBe(USERS * ROUNDS);
    expect(Math.min(ends.acquired, ends.timedOut, ends.aborted)).toBeGreaterThan(0);
    expect([held, lock.waiting]).toEqual([0, 0]);
    // As many permits as in the beginning are there, and not one more.
    for (let i = 0; i < count; i++) await lock.acquire({ timeoutMs: 0 });
    await expect(lock.acquire({ timeoutMs: 0 })).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
  });
});
