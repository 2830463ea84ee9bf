// Whether a peer takes what is queued for it. Nothing is measured per write: now and then somebody looks.
//
//   look ──quarter──► look ──quarter──► look …    the same bytes queued at five looks in a row: it takes nothing
//
// A peer that takes single bytes makes progress, and would hold an answer, its handler and its memory for ever (a
// slow-read attack). So from the first `writeTimeoutMs` on it also has to be as fast as `minRate` on average.

import type { IOStream } from "@tw/iostream";
import type { Pace } from "./options.js";

/** Looks within `writeTimeoutMs`. */
export const LOOKS = 4;

/** Watches one peer for as long as it leaves something in the queue. */
export class WriteWatch {
  /** `stream.flushedAmount` at the last look. */
  #flushed = 0;
  /** Looks since bytes wait; the first of them only notes how many. */
  #looks = 0;
  #idleLooks = 0;
  #taken = 0;

  /** Looks at what waits; false when the peer is to be given up. To be called once in a quarter of `writeTimeoutMs`. */
  look({ writing, flushedAmount }: IOStream, { writeTimeoutMs, minRate }: Pace): boolean {
    if (!writing || this.#looks === 0 || flushedAmount < this.#flushed) {
      // Nothing waits, or the queue was empty in between: it begins anew.
      this.#looks = writing ? 1 : 0;
      this.#idleLooks = 0;
      this.#taken = 0;
      this.#flushed = flushedAmount;
      return true;
    }
    const taken = flushedAmount - this.#flushed;
    this.#flushed = flushedAmount;
    this.#taken += taken;
    this.#idleLooks = taken === 0 ? this.#idleLooks + 1 : 0;
    const countedMs = ((this.#looks++ - LOOKS) * writeTimeoutMs) / LOOKS;
    return this.#idleLooks < LOOKS && this.#taken >= (countedMs / 1000) * minRate;
  }
}
