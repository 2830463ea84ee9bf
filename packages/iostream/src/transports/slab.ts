// Read buffers for all transports of an engine in a thread, so that an idle connection owns none.
//
//   0            from          at                        SIZE
//   ├─ leased ───┼─ this read ─┼────── free ─────────────┤
//
// A read is carved at the bump pointer `at`. While its receiver runs the range is reserved, so that a nested read
// lands behind it. When the receiver returned nothing the pointer rolls back; when it returned a promise the range
// stays leased until that settles. A slab without room is retired (its leases keep it alive) and a fresh one is taken.
// Whoever reads ahead of us reads to where we would: it has the pointer, and is told of each fresh slab. It does so for a
// few transports at a time, of which each has a pool to itself until it was called, as long as nothing of that is leased.

import { TwError } from "@tw/util";

/** Bytes asked of the kernel in one read. */
export const READ_SIZE: number = 64 * 1024;
const SLAB_SIZE = 4 * READ_SIZE;

/** Views up to this length are kept. */
const SHORT = 2048;

/** Slabs of a pool that are given up while somebody holds a part of them. */
const MAX_ABANDONED = 8;

/** One buffer. */
export interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Ranges in use: by receivers that run just now, and by promises. */
  uses: number;
  /** Given up, though parts of it are in use. */
  abandoned: boolean;
  /** Nearly every small read begins at 0. */
  readonly beginnings: Beginnings;
}

/** Views of the first bytes of a buffer. Those of small reads are kept: making one costs more than the read. */
export class Beginnings {
  readonly #bytes: Uint8Array;
  readonly #views = new Array<Uint8Array | undefined>(SHORT + 1).fill(undefined);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The first `length` bytes: a view that may have been returned before. */
  of(length: number): Uint8Array {
    if (length > SHORT) return this.#bytes.subarray(0, length);
    let view = this.#views[length];
    if (view === undefined) {
      view = this.#bytes.subarray(0, length);
      this.#views[length] = view;
    }
    return view;
  }
}

/** Where the next read goes in the slab of the moment; told of the buffer at first, and whenever it is another one. */
export interface ReadPlace {
  at: number;
  into(buffer: ArrayBuffer): void;
}

/** The slab allocator: of a thread on the native engine, of a loop on the other. */
export class SlabPool {
  readonly #place: ReadPlace;
  #slab: Slab = freshSlab();
  #abandoned = 0;
  /** Overwrites ranges when they are given back, so that a view kept too long shows up in tests. */
  poison = false;

  /** @param place somebody else's, who reads to it too */
  constructor(place: ReadPlace = { at: 0, into() {} }) {
    this.#place = place;
    place.into(this.#slab.bytes.buffer);
  }

  /** The bump pointer, in {@link current}. */
  get at(): number {
    return this.#place.at;
  }

  /** The slab to read into: at least {@link READ_SIZE} bytes are free behind {@link at}. */
  current(): Slab {
    // A receiver may have detached the buffer (`postMessage` or `structuredClone` with transfer): its length is 0 then.
    if (this.#place.at + READ_SIZE > this.#slab.bytes.length) this.#renew();
    return this.#slab;
  }

  #renew(): void {
    this.#slab = freshSlab();
    this.#place.at = 0;
    this.#place.into(this.#slab.bytes.buffer);
  }

  /** Whether what was read ahead to the bump pointer is gone: somebody transferred away a view that was no more his. */
  get lost(): boolean {
    return this.#slab.bytes.length === 0;
  }

  /** The `length` bytes that were read ahead. */
  copy(length: number): Uint8Array<ArrayBuffer> {
    return this.#slab.bytes.slice(this.at, this.at + length);
  }

  /** Reserves `length` bytes at the bump pointer of {@link current} and returns a view on them, which may be one that was returned before. */
  reserve(slab: Slab, length: number): Uint8Array {
    const { at } = this.#place;
    const view = at === 0 ? slab.beginnings.of(length) : slab.bytes.subarray(at, at + length);
    this.#place.at = at + length;
    slab.uses++;
    return view;
  }

  /**
   * A range of `slab` may never be given back: what is read from now on goes elsewhere. Not beyond a few such slabs, which
   * may be there for as long as whoever holds a part of one.
   */
  abandon(slab: Slab): void {
    if (slab !== this.#slab || this.#abandoned === MAX_ABANDONED) return;
    this.#abandoned++;
    slab.abandoned = true;
    this.#renew();
  }

  /** Gives a range back; the pointer returns when nothing was carved behind it. */
  release(slab: Slab, view: Uint8Array, length: number): void {
    if (this.poison && view.length > 0) view.fill(0xdb);
    slab.uses--;
    if (slab.abandoned && slab.uses === 0) this.#abandoned--;
    if (slab !== this.#slab) return;
    if (slab.uses === 0) this.#place.at = 0;
    else if (this.#place.at === view.byteOffset + length) this.#place.at -= length;
  }
}

function freshSlab(): Slab {
  const bytes = new Uint8Array(SLAB_SIZE);
  return { bytes, uses: 0, abandoned: false, beginnings: new Beginnings(bytes) };
}

/** Why a connection ends whose bytes were in a buffer that is gone. */
export function lostBytes(): TwError {
  return new TwError(
    "ERR_TW_READ_DETACHED",
    "Received bytes are gone: some receiver has transferred away a view that was no longer its own",
  );
}
