// When the loop is blocked: its counter has not moved for the threshold, while the watcher itself kept looking.

/** What one look found: nothing, the beginning of a block, its end. */
export type Verdict = "quiet" | "blocked" | "ended";

/** Told the counter and the time at each look; knows nothing of threads. */
export class Detector {
  readonly #thresholdMs: number;
  #seq: number | undefined;
  #since = 0;
  #began = 0;
  #last = 0;
  #blocked = false;

  constructor(thresholdMs: number) {
    this.#thresholdMs = thresholdMs;
  }

  /** How long the counter stands still at `now`; time in which nobody looked is left out. */
  still(now: number): number {
    return now - this.#since;
  }

  /** After `"ended"`: how long it had stood still. */
  stood(now: number): number {
    return now - this.#began;
  }

  look(seq: number, now: number): Verdict {
    const unseen = now - this.#last;
    this.#last = now;
    // The watcher was not running either: a suspended process, or no CPU for anybody. That is no block.
    if (unseen > this.#thresholdMs) this.#since += unseen;
    if (seq === this.#seq) {
      if (this.#blocked || now - this.#since < this.#thresholdMs) return "quiet";
      this.#blocked = true;
      return "blocked";
    }
    this.#seq = seq;
    const ended = this.#blocked;
    this.#blocked = false;
    this.#began = this.#since;
    this.#since = now;
    return ended ? "ended" : "quiet";
  }
}
