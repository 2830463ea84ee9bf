// One read buffer for all transports of an engine in a loop, so that an idle connection owns none.
//
//   0            from          at                        SIZE
//   ├─ leased ───┼─ this read ─┼────── free ─────────────┤
//
// A read is carved at the bump pointer `at`. While its receiver runs the range is reserved, so that a nested read
// lands behind it. When the receiver returned nothing the pointer rolls back; when it returned a promise the range
// stays leased until that settles. A slab without room is retired (its leases keep it alive) and a fresh one is taken.

import { TwError } from "@tw/util";

/** Bytes asked of the kernel in one read. */
export const READ_SIZE: number = 64 * 1024;
const SLAB_SIZE = 4 * READ_SIZE;

/** Views up to this length are kept. */
const SHORT = 4096;

/**
 * Bytes that the receivers of one loop may hold leased. A connection whose receiver would hold more is aborted with
 * `ERR_TW_LEASE_LIMIT`; its neighbours, who hold nothing, read on.
 */
export const MAX_LEASED: number = 256 * 1024 * 1024;

/** One buffer and its bump pointer. */
export interface Slab {
  readonly bytes: Uint8Array;
  at: number;
  /** Ranges in use: by receivers that run just now, and by promises. */
  uses: number;
  /** The first `n` bytes under `n`. Nearly every small read begins at 0, and making a view costs more than the read. */
  readonly views: (Uint8Array | undefined)[];
}

/** The slab allocator of one loop. */
export class SlabPool {
  #slab: Slab = freshSlab();
  #leased = 0;
  /** Overwrites ranges when they are given back, so that a view kept too long shows up in tests. */
  poison = false;

  /** The slab to read into: at least {@link READ_SIZE} bytes are free behind `slab.at`. */
  current(): Slab {
    // A receiver may have detached the buffer (`postMessage` or `structuredClone` with transfer): its length is 0 then.
    if (this.#slab.at + READ_SIZE > this.#slab.bytes.length) this.#slab = freshSlab();
    return this.#slab;
  }

  /** Reserves `length` bytes at the bump pointer and returns a view on them, which may be one that was returned before. */
  reserve(slab: Slab, length: number): Uint8Array {
    const view =
      slab.at === 0 && length <= SHORT
        ? shortView(slab, length)
        : slab.bytes.subarray(slab.at, slab.at + length);
    slab.at += length;
    slab.uses++;
    return view;
  }

  /** Counts a reserved range as held by a promise. Returns the error for whoever holds it, where that is too much. */
  lease(length: number): TwError | undefined {
    this.#leased += length;
    if (this.#leased <= MAX_LEASED) return undefined;
    return new TwError(
      "ERR_TW_LEASE_LIMIT",
      `Receivers hold ${this.#leased} bytes leased, limit ${MAX_LEASED}`,
    );
  }

  /**
   * Ends what {@link lease} began: the promise has settled, or the connection is closed, whose receiver may have dropped
   * the promise, and the view with it. Only {@link release} lets the range be read into again.
   */
  endLease(length: number): void {
    this.#leased -= length;
  }

  /** Gives a range back; the pointer returns when nothing was carved behind it. */
  release(slab: Slab, view: Uint8Array, length: number): void {
    if (this.poison) view.fill(0xdb);
    if (--slab.uses === 0) slab.at = 0;
    else if (slab.at === view.byteOffset + length) slab.at -= length;
  }
}

function freshSlab(): Slab {
  const views = new Array<Uint8Array | undefined>(SHORT + 1).fill(undefined);
  return { bytes: new Uint8Array(SLAB_SIZE), at: 0, uses: 0, views };
}

function shortView(slab: Slab, length: number): Uint8Array {
  let view = slab.views[length];
  if (view === undefined) {
    view = slab.bytes.subarray(0, length);
    slab.views[length] = view;
  }
  return view;
}
