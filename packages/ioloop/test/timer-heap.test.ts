import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { type HeapEntry, TimerHeap } from "../src/timer-heap.js";

function entry(when: number, order: number): HeapEntry {
  return { when, order, state: 1 };
}

describe("TimerHeap", () => {
  it.each([1, 2, 3, 4])("agrees with a sorted list over random adds, removes and takes (seed %i)", (seed) => {
    const heap = new TimerHeap<HeapEntry>();
    let model: HeapEntry[] = [];
    const next = dice(seed);
    for (let step = 0; step < 20_000; step++) {
      const choice = next(10);
      if (choice < 5) {
        const made = entry(next(1000), step);
        heap.add(made);
        model.push(made);
      } else if (choice < 9) {
        const [gone] = model.splice(next(Math.max(model.length, 1)), 1);
        if (gone !== undefined) heap.remove(gone);
      } else {
        model.sort((a, b) => a.when - b.when || a.order - b.order);
        expect(heap.first()).toBe(model[0]);
        expect(heap.takeFirst()).toBe(model[0]);
        model = model.slice(1);
      }
      expect(heap.size).toBe(model.length);
    }
  });

  it("keeps at most three dead entries for each live one, beyond a small number", () => {
    const heap = new TimerHeap<HeapEntry>();
    const next = dice(9);
    const live: HeapEntry[] = [];
    for (let i = 0; i < 50_000; i++) {
      const made = entry(next(2 ** 32), i);
      heap.add(made);
      live.push(made);
      if (live.length > 1000) {
        const [gone] = live.splice(next(live.length), 1);
        heap.remove(gone as HeapEntry);
      }
    }
    expect(heap.size).toBe(1000);
    expect(heap.slots).toBeLessThanOrEqual(4 * 1000 + 1);
  });

  it("is empty after everything was removed, in any order", () => {
    for (const reverse of [false, true]) {
      const heap = new TimerHeap<HeapEntry>();
      const all = Array.from({ length: 2000 }, (_, i) => entry(i % 7, i));
      for (const one of all) heap.add(one);
      if (reverse) all.reverse();
      for (const one of all) heap.remove(one);
      expect([heap.size, heap.slots, heap.first(), heap.takeFirst()]).toEqual([0, 0, undefined, undefined]);
    }
  });
});
