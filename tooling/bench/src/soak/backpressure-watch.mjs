// What both sides of backpressure.mjs share.

const EVERY_MS = 20;

/** The most resident memory that was seen, above what there was at first. */
export class MemoryWatch {
  #idle;
  #most = 0;
  #timer;

  constructor() {
    globalThis.gc();
    this.#idle = process.memoryUsage.rss();
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  #look() {
    this.#most = Math.max(this.#most, process.memoryUsage.rss() - this.#idle);
  }

  /** In MiB. */
  most() {
    this.#look();
    return Number((this.#most / 2 ** 20).toFixed(1));
  }

  stop() {
    clearInterval(this.#timer);
    return this.most();
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
