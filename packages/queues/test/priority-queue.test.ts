import { describe, expect, it } from "vitest";
import { LifoQueue, PriorityQueue } from "../src/index.js";
import { dice, outcome, virtualStage } from "./support.js";

const stage = virtualStage();

function drain<T>(queue: { readonly empty: boolean; getNowait(): T }): T[] {
  const got: T[] = [];
  while (!queue.empty) got.push(queue.getNowait());
  return got;
}

describe("PriorityQueue", () => {
  it("gives the smallest first: arrays by their first element, numbers, bigints, strings", () => {
    const tuples = new PriorityQueue<[number, string]>();
    tuples.putNowait([1, "middle"]);
    tuples.putNowait([10, "low"]);
    tuples.putNowait([0, "high"]);
    expect(drain(tuples).map(([, name]) => name)).toEqual(["high", "middle", "low"]);
    const numbers = new PriorityQueue<number | bigint>();
    for (const item of [3, 1n, 2.5, -1, 10n]) numbers.putNowait(item);
    expect(drain(numbers)).toEqual([-1, 1n, 2.5, 3, 10n]);
    const strings = new PriorityQueue<string>();
    for (const item of ["b", "a", "c"]) strings.putNowait(item);
    expect(drain(strings)).toEqual(["a", "b", "c"]);
  });

  it.each([1, 2, 3])("sorts 2 000 random items, equals in the order they were put (seed %i)", (seed) => {
    const roll = dice(seed);
    const queue = new PriorityQueue<{ key: number; order: number }>(0, { priority: ({ key }) => key });
    const model: { key: number; order: number }[] = [];
    const got: unknown[] = [];
    const expected: unknown[] = [];
    for (let order = 0; order < 2000; order++) {
      const item = { key: roll(50), order };
      queue.putNowait(item);
      model.push(item);
      if (roll(3) === 0) {
        model.sort((a, b) => a.key - b.key || a.order - b.order);
        got.push(queue.getNowait());
        expected.push(model.shift());
      }
    }
    model.sort((a, b) => a.key - b.key || a.order - b.order);
    expect([...got, ...drain(queue)]).toEqual([...expected, ...model]);
  });

  it("takes a comparator, stable too", () => {
    const queue = new PriorityQueue<string>(0, { compare: (a, b) => b.length - a.length });
    for (const item of ["a", "bb", "c", "dd", "eee"]) queue.putNowait(item);
    expect(drain(queue)).toEqual(["eee", "bb", "dd", "a", "c"]);
  });

  it("asks for a priority once, when the item enters", () => {
    let asked = 0;
    const items = [{ key: 2 }, { key: 1 }, { key: 3 }];
    const queue = new PriorityQueue<{ key: number }>(0, {
      priority: ({ key }) => {
        asked++;
        return key;
      },
    });
    for (const item of items) queue.putNowait(item);
    (items[1] as { key: number }).key = 9;
    expect(drain(queue).map(({ key }) => key)).toEqual([9, 2, 3]);
    expect(asked).toBe(3);
  });

  it("gives what a waiting put() brings, when that comes before all others", async () => {
    const queue = new PriorityQueue<number>(2);
    queue.putNowait(5);
    queue.putNowait(7);
    const [urgent, later] = [outcome(queue.put(1)), outcome(queue.put(6))];
    expect(await queue.get()).toBe(1);
    await stage.host.advance(0);
    expect([urgent, later, queue.size]).toEqual([{ value: undefined }, {}, 2]);
    expect(drain(queue)).toEqual([5, 6, 7]);
  });

  it.each([
    ["an object", {}],
    ["undefined", undefined],
    ["NaN", Number.NaN],
    ["an empty array", []],
    ["text among numbers", "a"],
  ])("refuses %s when it is put, and stays as it was", (_, item) => {
    const queue = new PriorityQueue<unknown>();
    if (item !== "a") expect(() => queue.putNowait(item)).toThrow(TypeError);
    for (const good of [3, 1, 2]) queue.putNowait(good);
    expect(() => queue.putNowait(item)).toThrow(TypeError);
    expect(() => queue.put(item)).toThrow(TypeError);
    expect([queue.unfinished, drain(queue)]).toEqual([3, [1, 2, 3]]);
  });

  it("rejects a put() that waited with what cannot be compared, and lets the next one in", async () => {
    const queue = new PriorityQueue<unknown>(1);
    queue.putNowait(1);
    const [bad, good] = [outcome(queue.put("text")), outcome(queue.put(0))];
    expect(queue.getNowait()).toBe(0);
    await stage.host.advance(0);
    expect([bad.error instanceof TypeError, good]).toEqual([true, { value: undefined }]);
    expect(drain(queue)).toEqual([1]);
  });

  it("is not upset by a comparator that throws: every operation is done or not done", async () => {
    let broken = false;
    const queue = new PriorityQueue<number>(0, {
      compare: (a, b) => {
        if (broken) throw new Error("broken");
        return a - b;
      },
    });
    for (const item of [5, 3, 4, 1, 2]) queue.putNowait(item);
    broken = true;
    expect(() => queue.putNowait(0)).toThrow("broken");
    expect(() => queue.getNowait()).toThrow("broken");
    await expect(queue.get()).rejects.toThrow("broken");
    broken = false;
    expect([queue.size, drain(queue)]).toEqual([5, [1, 2, 3, 4, 5]]);
  });

  it("keeps its bound when a comparator fails while a put() is let in", async () => {
    let failAt = Number.POSITIVE_INFINITY;
    let calls = 0;
    const queue = new PriorityQueue<number>(3, {
      compare: (a, b) => {
        if (++calls === failAt) throw new Error("broken");
        return a - b;
      },
    });
    for (const item of [1, 2, 3]) queue.putNowait(item);
    const putters = [outcome(queue.put(4)), outcome(queue.put(5))];
    // Letting 4 in costs one comparison; the next one, for taking 1 out, fails.
    failAt = calls + 2;
    expect(() => queue.getNowait()).toThrow("broken");
    expect([queue.getNowait(), queue.size]).toEqual([1, 3]);
    await stage.host.advance(0);
    expect(putters).toEqual([{ value: undefined }, {}]);
    expect([queue.getNowait(), ...drain(queue)]).toEqual([2, 3, 4, 5]);
  });

  it("throws on a comparator that is none, and on both at once", () => {
    expect(() => new PriorityQueue(0, { compare: 1 as never })).toThrow(TypeError);
    expect(() => new PriorityQueue(0, { priority: "key" as never })).toThrow(TypeError);
    expect(() => new PriorityQueue(0, { compare: () => 0, priority: () => 0 })).toThrow(/not both/);
    const undecided = new PriorityQueue<number>(0, { compare: () => Number.NaN });
    expect(() => undecided.putNowait(1)).toThrow(TypeError);
    expect(undecided.empty).toBe(true);
  });
});

describe("LifoQueue", () => {
  it("gives the newest first", () => {
    const queue = new LifoQueue<number>();
    for (const item of [3, 2, 1]) queue.putNowait(item);
    expect(drain(queue)).toEqual([1, 2, 3]);
  });

  it("gives what a waiting put() brings before all that is in it", async () => {
    const queue = new LifoQueue<string>(1);
    queue.putNowait("old");
    outcome(queue.put("new"));
    expect(drain(queue)).toEqual(["new", "old"]);
  });
});
