import { concatBytes } from "@tw/util";
import { describe, expect, it } from "vitest";
import { BodyCollector } from "../src/index.js";

describe("BodyCollector", () => {
  it("take() yields what was appended, whatever the pieces, and starts anew", () => {
    const collector = new BodyCollector();
    for (const sizes of [[], [0], [5], [1, 1, 1], [3, 100_000, 1, 70_000, 0, 2], Array(1000).fill(77)]) {
      const pieces = sizes.map((size: number, i: number) => new Uint8Array(size).fill(i + 1));
      for (const piece of pieces) collector.append(piece);
      expect(Buffer.compare(collector.take(), concatBytes(pieces))).toBe(0);
    }
    expect(collector.take().length).toBe(0);
  });

  it("append() copies: the view may be reused, also a Buffer's", () => {
    const collector = new BodyCollector();
    const view = Buffer.from("abc");
    collector.append(view);
    view.fill(0);
    expect(Buffer.from(collector.take()).toString()).toBe("abc");
  });

  it("a piece costs no more than its bytes: a million pieces of one byte", () => {
    const collector = new BodyCollector();
    const piece = new Uint8Array(1);
    const size = 1_000_000;
    const before = memory();
    for (let i = 0; i < size; i++) collector.append(piece);
    expect(memory() - before).toBeLessThan(20 * size);
    expect(collector.take().length).toBe(size);
  });
});

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
