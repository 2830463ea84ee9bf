// Closing with grace. First what is queued leaves, then FIN, then what the peer still sends is read and dropped until
// it finishes too: closing a socket with unread bytes would send a reset, which can destroy our last answer on its way
// (RFC 9112 §9.6). A peer that made no progress in the last `graceMs` is given up; one timer looks once per `graceMs`.
//
// A peer that takes single bytes makes progress, and would keep a stream of which it wants nothing alive for ever (a
// slow-read attack). So after a time it also has to have been as fast as the slowest of real lines.

import type { IOLoop, Timeout } from "@tw/ioloop";
import { housekeeping } from "@tw/util";

/** Times `graceMs` in which any progress is enough. */
export const FREE_GRACES = 12;

/** What a peer must take on average from then on, in bytes per second. */
const SLOWEST_RATE = 1024;

/** A stream as seen by its closing. */
export interface ClosingStream {
  readonly loop: IOLoop;
  /** Bytes the peer has not taken, of files too. */
  readonly unsentAmount: number;
  /** Called when the time is over; `unsent` tells whether bytes were still waiting. */
  giveUp(unsent: boolean): void;
}

/** The timer of a stream that is being closed. */
export class Closing {
  readonly #stream: ClosingStream;
  readonly #graceMs: number;
  readonly #queued: number;
  #timer: Timeout | undefined;
  #left: number;
  #graces = 0;
  /** Whether `close()` is to reject, and with what. */
  failure: unknown = undefined;

  constructor(stream: ClosingStream, graceMs: number) {
    this.#stream = stream;
    this.#graceMs = graceMs;
    this.#queued = stream.unsentAmount;
    this.#left = this.#queued;
    this.#arm();
  }

  /** Ends the wait. */
  stop(): void {
    if (this.#timer !== undefined) this.#stream.loop.removeTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    if (this.#stream.loop.closed) return;
    this.#timer = this.#stream.loop.callLater(
      this.#graceMs,
      housekeeping(() => this.#check()),
    );
  }

  #check(): void {
    this.#timer = undefined;
    this.#graces++;
    const left = this.#stream.unsentAmount;
    if (left < this.#left && this.#isFastEnough(left)) {
      this.#left = left;
      this.#arm();
    } else this.#stream.giveUp(left > 0);
  }

  #isFastEnough(left: number): boolean {
    const countedMs = (this.#graces - FREE_GRACES) * this.#graceMs;
    return left === 0 || this.#queued - left >= (countedMs / 1000) * SLOWEST_RATE;
  }
}
