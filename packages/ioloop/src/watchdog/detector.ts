// When the loop is blocked: its counter has not moved for the threshold, while the watcher itself kept looking.

/** What one look found: nothing, the beginning of a block, its end. */
export type Verdict = "quiet" | "blocked" | "ended";

/** Told the counter and the time at each look; knows nothing of threads. */
export class Detector {
  readonly #thresholdMs: number;
  #seq: number | undefined;
  #since = 0;
  #last = 0;
  #blocked = false;

  constructor(thresholdMs: number) {
    this.#thresholdMs = thresholdMs;
  }

  /** When the counter last moved, as far as was seen; time in which nobody looked is left out. */
  get since(): number {
    return this.#since;
  }

  look(seq: number, now: number): Verdict {
    const pause = now - this.#last;
    this.#last = now;
    if (seq !== this.#seq) {
      const ended = this.#blocked;
      // What was, stays readable until the next look: the caller asks how long it took.
      if (!ended) this.#since = now;
      this.#seq = ended ? undefined : seq;
      this.#blocked = false;
      return ended ? "ended" : "quiet";
    }
    // The watcher was not running either: a suspended process, or no CPU for anybody. That is no block.
    if (pause > this.#thresholdMs) this.#since += pause;
    if (this.#blocked || now - this.#since < this.#thresholdMs) return "quiet";
    this.#blocked = true;
    return "blocked";
  }
}
