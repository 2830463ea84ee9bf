// Random producers and consumers of one queue, in virtual time: every item that was put is got once, none that was not.

import { sleep } from "@tw/gen";
import { describe, expect, it } from "vitest";
import { LifoQueue, PriorityQueue, Queue } from "../src/index.js";
import { dice, virtualStage } from "./support.js";

const stage = virtualStage();
const PRODUCERS = 15;
const CONSUMERS = 15;
const ROUNDS = 40;
const KINDS = { Queue, LifoQueue, PriorityQueue };
const SEEDS = Array.from({ length: 8 }, (_, seed) => seed);
const CASES = (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((kind) =>
  [0, 1, 3].flatMap((maxSize) => SEEDS.map((seed) => [kind, maxSize, seed] as const)),
);

describe("under random puts, gets, timeouts and aborts", () => {
  it.each(CASES)("%s of %i loses and doubles no item (seed %i)", async (kind, maxSize, seed) => {
    const roll = dice(seed * 1000 + maxSize * 10 + kind.length);
    const queue = new KINDS[kind]<number>(maxSize);
    const put = new Set<number>();
    const got: number[] = [];
    const givenUp = { put: 0, get: 0 };
    let items = 0;

    /** Waits as one of three: for ever, with a timeout, with a signal; times often meet in one turn. */
    const options = () => {
      const chance = roll(3);
      if (chance === 0) return { timeoutMs: roll(5) };
      const controller = new AbortController();
      if (chance === 1) stage.loop.callLater(roll(5), () => controller.abort("gone"));
      return { signal: controller.signal };
    };
    const isGivenUp = (error: unknown) =>
      error === "gone" || (error as { code?: string }).code === "ERR_TW_TIMEOUT";

    const produce = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await sleep(roll(6));
        const item = items++;
        try {
          await queue.put(item, options());
          put.add(item);
        } catch (error) {
          if (!isGivenUp(error)) throw error;
          givenUp.put++;
        }
        if (maxSize > 0) expect(queue.size).toBeLessThanOrEqual(maxSize);
      }
    };
    let producing = true;
    const consume = async () => {
      while (producing) {
        await sleep(roll(6));
        try {
          got.push(await queue.get({ ...options(), timeoutMs: roll(5) }));
          queue.taskDone();
        } catch (error) {
          if (!isGivenUp(error)) throw error;
          givenUp.get++;
        }
      }
    };

    const consuming = Promise.all(Array.from({ length: CONSUMERS }, consume));
    await stage.host.run(() => Promise.all(Array.from({ length: PRODUCERS }, produce)));
    producing = false;
    await stage.host.run(() => consuming);
    while (!queue.empty) {
      got.push(queue.getNowait());
      queue.taskDone();
    }
    await queue.join({ timeoutMs: 0 });

    expect(got.length).toBe(new Set(got).size);
    expect([...got].sort((a, b) => a - b)).toEqual([...put].sort((a, b) => a - b));
    expect(put.size + givenUp.put).toBe(PRODUCERS * ROUNDS);
    expect(givenUp.get).toBeGreaterThan(0);
    if (maxSize === 1) expect(givenUp.put).toBeGreaterThan(0);
  });

  it.each(SEEDS)("a queue among one producer and one consumer keeps the order (seed %i)", async (seed) => {
    const roll = dice(seed);
    const queue = new Queue<number>(2);
    const [put, got]: [number[], number[]] = [[], []];
    const produce = async () => {
      for (let item = 0; item < 200; item++) {
        await sleep(roll(3));
        await queue.put(item, { timeoutMs: roll(4) }).then(
          () => put.push(item),
          () => undefined,
        );
      }
      await queue.put(-1);
    };
    const consume = async () => {
      for (;;) {
        await sleep(roll(4));
        const item = await queue.get({ timeoutMs: roll(3) }).catch(() => undefined);
        if (item === -1) return;
        if (item !== undefined) got.push(item);
      }
    };
    await stage.host.run(() => Promise.all([produce(), consume()]));
    expect(put.length).toBeGreaterThan(50);
    expect(got).toEqual(put);
  });
});
