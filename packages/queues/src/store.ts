// What a queue keeps its items in. The order of a queue is its store's; waiting is the queue's own business.

/** Items in some order. Whatever one of its methods throws, it must have changed nothing. */
export interface Store<T> {
  readonly size: number;
  add(item: T): void;
  /** Takes the next item out. Only called while {@link size} is above 0. */
  take(): T;
}

/** A released place of {@link Fifo}: what was there is not kept alive. */
const TAKEN = undefined as never;

/** Below this many places taken in front, {@link Fifo} does not bother to move the rest. */
const SLACK = 64;

/**
 * First in, first out. Items are taken from a place that moves on; when half of the array is behind it, the rest moves
 * to the front, which costs each item a constant on average (`Array.shift` costs the length, each time).
 *
 *     [ taken | taken | c | d | e ]
 *                       ▲ head
 */
export class Fifo<T> implements Store<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    const item = this.#items[this.#head] as T;
    this.#items[this.#head++] = TAKEN;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > SLACK && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

/** Last in, first out. */
export class Lifo<T> implements Store<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
  }

  take(): T {
    return this.#items.pop() as T;
  }
}
