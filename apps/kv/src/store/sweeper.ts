// Expired keys that nobody asks for would stay for ever: a timer looks for them, while there are keys with a time.

import type { IOLoop, Timeout } from "@tw/ioloop";
import type { Store } from "./store.js";

/** Between two looks; Redis looks as often. */
const SWEEP_EVERY_MS = 100;

/** As many found at once as say that there are more: the next look comes in the next turn. */
const MANY = 50;

/** Sweeps a store from time to time. */
export class Sweeper {
  readonly #loop: IOLoop;
  readonly #store: Store;
  #timer: Timeout | undefined;

  constructor(loop: IOLoop, store: Store) {
    this.#loop = loop;
    this.#store = store;
  }

  /** Called when there may be keys with a time. */
  start(): void {
    if (this.#timer === undefined && this.#store.expiring > 0) this.#again(SWEEP_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
  }

  #again(delayMs: number): void {
    this.#timer = this.#loop.callLater(delayMs, () => {
      this.#timer = undefined;
      const removed = this.#store.sweep();
      if (this.#store.expiring > 0) this.#again(removed >= MANY ? 0 : SWEEP_EVERY_MS);
    });
  }
}
