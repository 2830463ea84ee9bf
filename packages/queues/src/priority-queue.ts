// The smallest first (Tornado's queues.PriorityQueue).

import { checkLoopOption } from "@tw/gen/waiters";
import { type Compare, Heap } from "./heap.js";
import { Queue, type QueueOptions } from "./queue.js";
import type { Store } from "./store.js";

/** What items can be ordered by without a comparator. All items of a queue have the same kind. */
export type Priority = number | bigint | string;

/** Options of a {@link PriorityQueue}: at most one of both ways to say what comes first. */
export interface PriorityQueueOptions<T> extends QueueOptions {
  /** The priority of an item, asked once, when it enters. The smallest is the first. */
  readonly priority?: (item: T) => Priority;
  /** Compares two items as for `Array.sort`: negative when the first one comes first. Must not use the queue. */
  readonly compare?: Compare<T>;
}

/**
 * A queue that gives the item with the smallest priority first, and among equals the one that was put first.
 *
 * Without options items are numbers, bigints or strings, or arrays that begin with one: `[0, job]`. What cannot be
 * compared is refused when it is put: `put` throws, or rejects where it had to wait; the queue stays as it was.
 *
 * @throws TypeError, RangeError on bad arguments
 * @example
 * const queue = new PriorityQueue<[number, string]>();
 * queue.putNowait([10, "low"]);
 * queue.putNowait([0, "high"]);
 * queue.getNowait(); // [0, "high"]
 * const jobs = new PriorityQueue<Job>(100, { priority: (job) => job.deadline });
 */
export class PriorityQueue<T> extends Queue<T> {
  constructor(maxSize = 0, options: PriorityQueueOptions<T> = {}) {
    super(maxSize, options, storeFor(options));
  }
}

function storeFor<T>(options: PriorityQueueOptions<T>): Store<T> {
  checkLoopOption(options);
  const { priority, compare } = options;
  for (const [name, fn] of Object.entries({ priority, compare })) {
    if (fn !== undefined && typeof fn !== "function") throw new TypeError(`${name} must be a function`);
  }
  if (compare === undefined) return new Keyed(priority ?? ownPriority);
  if (priority !== undefined) throw new TypeError("Give priority or compare, not both");
  return new Heap(compare);
}

/** A heap by priorities that are asked once, so that an item that changes does not upset the order. */
class Keyed<T> implements Store<T> {
  readonly #heap = new Heap<{ readonly key: Priority; readonly item: T }>((a, b) =>
    compareKeys(a.key, b.key),
  );
  readonly #priority: (item: T) => unknown;

  constructor(priority: (item: T) => unknown) {
    this.#priority = priority;
  }

  get size(): number {
    return this.#heap.size;
  }

  add(item: T): void {
    this.#heap.add({ key: this.#priority(item) as Priority, item });
  }

  take(): T {
    return this.#heap.take().item;
  }
}

function ownPriority(item: unknown): unknown {
  return Array.isArray(item) ? item[0] : item;
}

function compareKeys(a: Priority, b: Priority): number {
  const [kindA, kindB] = [kindOf(a), kindOf(b)];
  if (kindA !== kindB) throw new TypeError(`Cannot compare the priorities ${String(a)} and ${String(b)}`);
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function kindOf(key: Priority): string {
  if (typeof key === "string") return "string";
  if (typeof key === "bigint" || (typeof key === "number" && !Number.isNaN(key))) return "number";
  throw new TypeError(
    `A priority must be a number, bigint or string, got ${Number.isNaN(key) ? "NaN" : typeof key}; ` +
      "pass the option priority or compare",
  );
}
