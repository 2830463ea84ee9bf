// A map of what ends without saying so.

/** Swept from this many entries on. */
const SWEEP_FROM = 1024;

/** A map whose dead entries go when there are as many again as were live the last time: each is looked at twice or so. */
export class SweptMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #isLive: (key: K, value: V) => boolean;
  #sweepAt = SWEEP_FROM;

  constructor(isLive: (key: K, value: V) => boolean) {
    this.#isLive = isLive;
  }

  set(key: K, value: V): void {
    if (this.#entries.size >= this.#sweepAt) {
      this.#sweep();
      this.#sweepAt = Math.max(SWEEP_FROM, this.#entries.size * 2);
    }
    this.#entries.set(key, value);
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  /** What is live, in the order in which it was set. */
  live(): ReadonlyMap<K, V> {
    this.#sweep();
    return this.#entries;
  }

  #sweep(): void {
    for (const [key, value] of this.#entries) if (!this.#isLive(key, value)) this.#entries.delete(key);
  }
}
