// Closing with grace. First what is queued leaves, then FIN, then what the peer still sends is read and dropped until
// it finishes too: closing a socket with unread bytes would send a reset, which can destroy our last answer on its way
// (RFC 9112 §9.6). A peer that made no progress in the last `graceMs` is given up; one timer looks once per `graceMs`.

import type { IOLoop, Timeout } from "@tw/ioloop";

/** A stream as seen by its closing. */
export interface ClosingStream {
  readonly loop: IOLoop;
  /** Bytes the peer has not taken. */
  readonly bufferedAmount: number;
  /** Called when the time is over; `unsent` tells whether bytes were still waiting. */
  giveUp(unsent: boolean): void;
}

/** The timer of a stream that is being closed. */
export class Closing {
  readonly #stream: ClosingStream;
  readonly #graceMs: number;
  #timer: Timeout | undefined;
  #left: number;
  /** Whether `close()` is to reject, and with what. */
  failure: unknown;

  constructor(stream: ClosingStream, graceMs: number) {
    this.#stream = stream;
    this.#graceMs = graceMs;
    this.#left = stream.bufferedAmount;
    this.#arm();
  }

  /** Ends the wait. */
  stop(): void {
    if (this.#timer !== undefined) this.#stream.loop.removeTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#stream.loop.callLater(this.#graceMs, () => this.#check());
  }

  #check(): void {
    this.#timer = undefined;
    const left = this.#stream.bufferedAmount;
    if (left < this.#left) {
      this.#left = left;
      this.#arm();
    } else this.#stream.giveUp(left > 0);
  }
}
