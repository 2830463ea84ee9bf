// The smallest first, and among equals the one that came first: a binary heap whose entries know when they came.
//
// The comparator is user code and may throw. So each change looks for its way first, and moves entries only when the
// whole way is known: a comparator that throws leaves the heap as it was.

import type { Store } from "./store.js";

/** Negative when `a` comes before `b`, positive after, 0 when they are equal; as for `Array.sort`. */
export type Compare<T> = (a: T, b: T) => number;

interface Entry<T> {
  readonly item: T;
  readonly order: number;
}

/** A store in the order of a comparator, stable. */
export class Heap<T> implements Store<T> {
  readonly #entries: Entry<T>[] = [];
  readonly #compare: Compare<T>;
  #orders = 0;

  constructor(compare: Compare<T>) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#entries.length;
  }

  add(item: T): void {
    const entry = { item, order: this.#orders++ };
    // Compared with itself where it is alone, so that an item that cannot be compared is refused when it is put.
    if (this.#entries.length === 0) this.#before(entry, entry);
    const way = [this.#entries.length];
    for (let at = parentOf(this.#entries.length); at >= 0; at = parentOf(at)) {
      if (!this.#before(entry, this.#entries[at] as Entry<T>)) break;
      way.push(at);
    }
    this.#shift(way, entry);
  }

  take(): T {
    const entries = this.#entries;
    const first = entries[0] as Entry<T>;
    const last = entries[entries.length - 1] as Entry<T>;
    const way = [0];
    const end = entries.length - 1;
    for (let child = this.#smallerChild(0, end); child !== -1; child = this.#smallerChild(child, end)) {
      if (!this.#before(entries[child] as Entry<T>, last)) break;
      way.push(child);
    }
    entries.pop();
    if (end > 0) this.#shift(way, last);
    return first.item;
  }

  /** Moves each entry of the way one place towards its beginning, and puts `entry` at its end. */
  #shift(way: readonly number[], entry: Entry<T>): void {
    for (let i = 1; i < way.length; i++) {
      this.#entries[way[i - 1] as number] = this.#entries[way[i] as number] as Entry<T>;
    }
    this.#entries[way[way.length - 1] as number] = entry;
  }

  /** The child of `at` that comes first, of those before `end`; −1 when there is none. */
  #smallerChild(at: number, end: number): number {
    const left = 2 * at + 1;
    if (left >= end) return -1;
    const right = left + 1;
    if (right >= end) return left;
    return this.#before(this.#entries[right] as Entry<T>, this.#entries[left] as Entry<T>) ? right : left;
  }

  #before(a: Entry<T>, b: Entry<T>): boolean {
    const compared = this.#compare(a.item, b.item);
    if (typeof compared !== "number" || Number.isNaN(compared)) {
      throw new TypeError(`A comparator must return a number, got ${String(compared)}`);
    }
    return compared === 0 ? a.order < b.order : compared < 0;
  }
}

function parentOf(at: number): number {
  return at === 0 ? -1 : (at - 1) >> 1;
}
