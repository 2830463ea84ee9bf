import { describe, expect, it } from "vitest";
import { transportConformance } from "../src/testing.js";
import { type MemoryPairOptions, memoryPair } from "../src/transports.js";
import { Notes, testLoop } from "./helpers.js";

function conformance(name: string, options: MemoryPairOptions): void {
  const makePair = () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, options);
    return { a, b, resets: true, settle: () => loop.settle(5), resources: () => loop.timers.size };
  };
  transportConformance(name, makePair, { describe, it });
}

conformance("memory", {});
conformance("memory with latency", { latencyMs: 3 });
let piece = 0;
conformance("memory in odd pieces", { chunk: () => ((piece++ * 7) % 1500) + 1, capacity: 5000 });

describe("memoryPair()", () => {
  it("delivers after the latency, not before", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { latencyMs: 20 });
    const notes = new Notes();
    a.start(new Notes());
    b.start(notes);
    a.write(["x"]);
    await loop.settle(19);
    expect(notes.calls).toEqual([]);
    await loop.settle(1);
    expect(notes.calls).toEqual(["bytes x"]);
  });

  it("splits where the test says, and joins nothing that has not arrived", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { chunk: (available) => Math.min(2, available) });
    const notes = new Notes();
    b.start(notes);
    a.write(["abc"]);
    a.write(["de"]);
    await loop.settle();
    expect(notes.calls).toEqual(["bytes ab", "bytes cd", "bytes e"]);
  });

  it("takes at most its capacity, and asks again when half of it is free", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { capacity: 10, chunk: () => 1 });
    const near = new Notes();
    const far = new Notes();
    a.start(near);
    b.start(far);
    expect(a.write(["0123456789ab"])).toBe(10);
    expect(a.write(["ab"])).toBe(0);
    await loop.settle();
    expect(near.calls).toEqual(["drain"]);
    expect(far.calls.length).toBe(10);
  });

  it("poisons a view when its time is over", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop);
    let kept = new Uint8Array();
    let release = (): void => {};
    b.start({
      onBytes: (view) => {
        kept = view as Uint8Array<ArrayBuffer>;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
      onEnd: () => {},
      onDrain: () => {},
      onClose: () => {},
    });
    a.write(["abc"]);
    await loop.settle();
    expect([...kept]).toEqual([97, 98, 99]);
    release();
    await loop.settle();
    expect([...kept]).toEqual([0xdb, 0xdb, 0xdb]);
  });

  it("reset() breaks both ends with ECONNRESET and loses what is on its way", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { latencyMs: 10 });
    const near = new Notes();
    const far = new Notes();
    a.start(near);
    b.start(far);
    a.write(["lost"]);
    a.reset();
    await loop.settle(100);
    expect([near.calls, far.calls]).toEqual([["close ECONNRESET"], ["close ECONNRESET"]]);
    expect(loop.timers.size).toBe(0);
  });

  it("refuses options out of range", () => {
    const loop = testLoop();
    for (const options of [
      { latencyMs: -1 },
      { latencyMs: Number.NaN },
      { capacity: 0 },
      { capacity: 1.5 },
    ]) {
      expect(() => memoryPair(loop, options)).toThrow(RangeError);
    }
  });
});
