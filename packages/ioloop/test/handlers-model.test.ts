// A million random operations on descriptors and their handlers, against a model: no event is lost, none invented.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { loadPoller } from "@tw/poller";
import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { type Exploration, type Explored, explore } from "./fixtures/handlers/explore.mjs";
import { recorder } from "./support.js";

const TOTAL = 1_000_000;
const HERE = 400_000;
const script = new URL("./fixtures/handlers/thread.mjs", import.meta.url);

interface Reported extends Explored {
  readonly logged: number;
  readonly left: number;
  readonly watched: number;
}

async function inThread(options: Exploration): Promise<Reported> {
  const worker = new Worker(script, { workerData: options });
  const exited = once(worker, "exit");
  const [counts] = (await once(worker, "message")) as [Reported];
  expect(await exited).toEqual([0]);
  return counts;
}

describe.skipIf(loadPoller() === undefined)("handlers against a model", () => {
  it("each is called when its descriptor is ready, with exactly what is, in its own context", async () => {
    const logger = recorder();
    const loop = new IOLoop({ logger });
    const counts = await explore(loop, { seed: 20_260, operations: HERE, pairs: 28, contexts: true });
    expect(counts.operations).toBeGreaterThanOrEqual(HERE);
    // The walk went where it was meant to go.
    for (const times of [counts.quietCalls, counts.within, counts.reused])
      expect(times).toBeGreaterThan(10_000);
    expect(counts.thrown).toBeGreaterThan(100);
    expect(logger.records).toHaveLength(counts.thrown);
    expect(loop.metrics().handlers).toBe(0);
  }, 60_000);

  it("so in two threads at a time, whose descriptors get each other's numbers", async () => {
    const operations = (TOTAL - HERE) / 2;
    const each = await Promise.all([
      inThread({ seed: 1, operations, pairs: 28 }),
      inThread({ seed: 2, operations, pairs: 150 }), // more than one batch of events at a time
    ]);
    for (const counts of each) {
      expect(counts.operations).toBeGreaterThanOrEqual(operations);
      expect(counts.quietCalls).toBeGreaterThan(10_000);
      expect(counts).toMatchObject({ logged: counts.thrown, left: 0, watched: 0 });
    }
  }, 60_000);
});
