// Handing items from those who have them to those who want them (Tornado's queues.Queue).
//
//   put ──► putters wait while full ──► store (maxSize) ──► getters wait while empty ──► get
//
// At most one of the three is not at rest: getters wait only while the store is empty, putters only while it is full.
// An item is in exactly one place at any moment: with its putter, in the store, or with its getter.

import type { LoopOption, WaitOptions } from "@tw/gen";
import { checkLoopOption, checkWait, timeOut, Waiters } from "@tw/gen/waiters";
import { IOLoop } from "@tw/ioloop";
import { checkInteger } from "@tw/util";
import { QueueEmptyError, QueueFullError, TaskDoneError } from "./errors.js";
import { Fifo, Lifo, type Store } from "./store.js";

/** Options of a queue. */
export type QueueOptions = LoopOption;

/**
 * A queue for coroutines, first in, first out.
 *
 * With a `maxSize`, `put` waits while it is full: whoever produces is held back by whoever consumes. 0 is no limit, so
 * only what is bounded elsewhere belongs in such a queue. Those who wait are served in the order they came. Who times
 * out (`TimeoutError`) or gives up (`signal.reason`) has not put its item, or has not taken one.
 *
 * @throws TypeError, RangeError when `maxSize` is not an integer from 0 on; TypeError on options that are none
 * @example
 * const queue = new Queue<string>(2);
 * await queue.put("a");
 * for await (const item of queue) { await work(item); queue.taskDone(); }
 */
export class Queue<T> implements AsyncIterable<T> {
  /** How many items it holds before `put` waits; 0 is no limit. */
  readonly maxSize: number;
  readonly #store: Store<T>;
  readonly #getters: Waiters<T>;
  readonly #putters: Waiters<void, T>;
  readonly #joiners: Waiters<void>;
  #unfinished = 0;

  /** `store` gives a subclass its order. */
  constructor(maxSize = 0, options: QueueOptions = {}, store: Store<T> = new Fifo<T>()) {
    checkInteger("maxSize", maxSize);
    checkLoopOption(options);
    const loop = options.loop ?? IOLoop.current();
    this.maxSize = maxSize;
    this.#store = store;
    this.#getters = new Waiters(loop);
    this.#putters = new Waiters(loop);
    this.#joiners = new Waiters(loop);
  }

  /** Items in it (Tornado's `qsize()`). Items of a `put` that waits are not. */
  get size(): number {
    return this.#store.size;
  }

  /** Whether a `get` would wait. */
  get empty(): boolean {
    return this.#store.size === 0;
  }

  /** Whether a `put` would wait. */
  get full(): boolean {
    return this.maxSize > 0 && this.#store.size >= this.maxSize;
  }

  /** Items that were put and for which {@link taskDone} has not been called. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /**
   * Puts an item in, as soon as there is room. Rejected, the item is not in the queue.
   *
   * @throws TypeError, RangeError on options that are none, at once
   */
  put(item: T, options: WaitOptions = {}): Promise<void> {
    checkWait(options);
    if (this.full || options.signal?.aborted) {
      return this.#putters.wait(item, options, timeOut(options, "in Queue.put()"));
    }
    this.#accept(item);
    return Promise.resolve();
  }

  /** Puts an item in without waiting. @throws QueueFullError `ERR_TW_QUEUE_FULL` when there is no room */
  putNowait(item: T): void {
    if (this.full) throw new QueueFullError(this.maxSize);
    this.#accept(item);
  }

  /**
   * Takes the next item, as soon as there is one. Rejected, no item has been taken.
   *
   * @throws TypeError, RangeError on options that are none, at once
   */
  get(options: WaitOptions = {}): Promise<T> {
    checkWait(options);
    if (this.empty || options.signal?.aborted) {
      return this.#getters.wait(undefined, options, timeOut(options, "in Queue.get()"));
    }
    // What a comparator throws is a rejection here: the arguments were right.
    return new Promise((resolve) => resolve(this.#take()));
  }

  /** Takes the next item without waiting. @throws QueueEmptyError `ERR_TW_QUEUE_EMPTY` when there is none */
  getNowait(): T {
    if (this.empty) throw new QueueEmptyError();
    return this.#take();
  }

  /**
   * Says that the work on one item that was taken is done. The last one lets {@link join} resolve.
   *
   * @throws TaskDoneError `ERR_TW_TASK_DONE` when called more often than items were put
   */
  taskDone(): void {
    if (this.#unfinished === 0) throw new TaskDoneError();
    this.#unfinished--;
    if (this.#unfinished === 0) while (this.#joiners.wake());
  }

  /**
   * Resolves when `taskDone` has been called for every item that was put; at once when there is none.
   *
   * @throws TypeError, RangeError on options that are none, at once
   */
  join(options: WaitOptions = {}): Promise<void> {
    checkWait(options);
    if (this.#unfinished === 0 && !options.signal?.aborted) return Promise.resolve();
    return this.#joiners.wait(undefined, options, timeOut(options, "in Queue.join()"));
  }

  /** Items as they come, for ever: `get()` at each step, with nothing taken in advance. */
  [Symbol.asyncIterator](): AsyncIterator<T, never> {
    return this.items()[Symbol.asyncIterator]();
  }

  /**
   * As `for await` over the queue itself, with a limit on each wait and a signal that ends the loop by an exception.
   *
   * @throws TypeError, RangeError on options that are none, at once
   * @example
   * for await (const item of queue.items({ signal })) console.log(item);
   */
  items(options: WaitOptions = {}): AsyncIterable<T, never> {
    checkWait(options);
    const next = async () => ({ done: false as const, value: await this.get(options) });
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  /** There is room. Through the store also where a getter waits, because the store may refuse the item. */
  #accept(item: T): void {
    this.#store.add(item);
    this.#unfinished++;
    if (this.#getters.size > 0) this.#getters.wake(this.#store.take());
  }

  /** There is an item. What the first putter brings is taken into account: it may come before all others. */
  #take(): T {
    if (this.maxSize > 0 && this.#store.size <= this.maxSize) this.#admit();
    return this.#store.take();
  }

  /** Lets the first putter in whose item the store accepts; the others learn what is wrong with theirs. */
  #admit(): void {
    for (let putter = this.#putters.first; putter !== undefined; putter = this.#putters.first) {
      try {
        this.#store.add(putter.note);
      } catch (error) {
        this.#putters.fail(error);
        continue;
      }
      this.#unfinished++;
      this.#putters.wake();
      return;
    }
  }
}

/** A queue that gives the newest item first. */
export class LifoQueue<T> extends Queue<T> {
  constructor(maxSize = 0, options: QueueOptions = {}) {
    super(maxSize, options, new Lifo<T>());
  }
}
