// What receivers hold of the read buffers of one engine, by promises that have not settled yet.

import { TwError } from "@tw/util";

/**
 * Bytes that the receivers of one engine may hold leased. A connection whose receiver would hold more is aborted with
 * `ERR_TW_LEASE_LIMIT`; its neighbours, who hold nothing, read on.
 */
export const MAX_LEASED: number = 256 * 1024 * 1024;

/** The count of an engine: of a thread on the native one, of a loop on the other. */
export class Leases {
  #leased = 0;

  /** Counts a range as held by a promise. Returns the error for whoever holds it, where that is too much. */
  begin(length: number): TwError | undefined {
    this.#leased += length;
    if (this.#leased <= MAX_LEASED) return undefined;
    return new TwError(
      "ERR_TW_LEASE_LIMIT",
      `Receivers hold ${this.#leased} bytes leased, limit ${MAX_LEASED}`,
    );
  }

  /**
   * Ends what {@link begin} began: the promise has settled, or the connection is closed, whose receiver may have dropped
   * the promise, and the view with it. Only `SlabPool.release` lets the range be read into again.
   */
  end(length: number): void {
    this.#leased -= length;
  }
}
