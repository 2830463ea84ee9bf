import { describe, expect, it } from "vitest";
import { Detector } from "../src/watchdog/detector.js";

/** Looks at these counters, one look each 25 ms unless a number says otherwise, and says what each look found. */
function looks(detector: Detector, seqs: readonly number[], everyMs = 25, start = 1000): string[] {
  return seqs.map((seq, index) => detector.look(seq, start + index * everyMs));
}

describe("Detector", () => {
  it("finds a block when the counter stood still for the threshold, not a look earlier, and says so once", () => {
    expect(looks(new Detector(100), [7, 7, 7, 7, 7, 7, 7])).toEqual([
      "quiet",
      "quiet",
      "quiet",
      "quiet",
      "blocked",
      "quiet",
      "quiet",
    ]);
  });

  it("finds nothing while the counter moves between any two looks", () => {
    expect(new Set(looks(new Detector(100), [1, 2, 3, 4, 5, 6, 7, 8, 9]))).toEqual(new Set(["quiet"]));
  });

  it("finds the end when the counter moves, says how long it stood, and is ready for the next", () => {
    const detector = new Detector(100);
    looks(detector, [7, 7, 7, 7, 7, 7]);
    expect(detector.look(8, 1150)).toBe("ended");
    expect(detector.stood(1150)).toBe(150);
    expect(looks(detector, [8, 8, 8, 8], 25, 1175)).toEqual(["quiet", "quiet", "quiet", "blocked"]);
  });

  it("does not count time in which nobody looked: a suspended process is no block", () => {
    const detector = new Detector(100);
    detector.look(7, 1000);
    expect(detector.look(7, 1_000_000)).toBe("quiet");
    expect(detector.look(7, 1_000_025)).toBe("quiet");
    expect(detector.still(1_000_025)).toBe(25);
  });

  it("leaves time in which nobody looked out of the length of a block, also when it ended meanwhile", () => {
    const detector = new Detector(100);
    looks(detector, [7, 7, 7, 7, 7]);
    expect(detector.look(8, 61_100)).toBe("ended");
    expect(detector.stood(61_100)).toBe(100);
  });

  it("counts a pause of exactly the threshold, and none that is longer", () => {
    const exact = new Detector(100);
    exact.look(7, 1000);
    expect(exact.look(7, 1100)).toBe("blocked");
    const longer = new Detector(100);
    longer.look(7, 1000);
    expect(longer.look(7, 1101)).toBe("quiet");
  });

  it("takes a counter that wraps for one that moves", () => {
    expect(looks(new Detector(50), [2 ** 31 - 1, -(2 ** 31), 0, 1])).toEqual(Array(4).fill("quiet"));
  });
});
