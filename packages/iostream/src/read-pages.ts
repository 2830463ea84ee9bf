// Memory for what readers are handed in small pieces: making it costs several times what filling it does.
//
//   page   [ piece │ piece │ piece │ room ────────── ]      cut once, never written again
//
// A page is of one stream, so that `piece.buffer` shows nothing of another connection. A piece keeps its page alive, at most
// thirty-two times its size. Of all streams of a thread some hundreds have a page: one that did not cut while the hand went round
// loses its place to one that does, and where all do, the others' pieces are copied one by one.

/** Bytes of one page. */
export const READ_PAGE_SIZE: number = 8 * 1024;

/** Pieces that are cut; a smaller one would keep too much alive, and of a larger one there are too few in a page. */
const SMALLEST = READ_PAGE_SIZE / 32;
const LARGEST = READ_PAGE_SIZE / 4;

/** Streams of a thread that have a page. */
export const MAX_READ_PAGES: number = 256;

/** The page of one stream, from its second piece on. */
export class ReadPages {
  #page: Uint8Array | undefined;
  #at = READ_PAGE_SIZE;
  /** Has cut since the hand was here. */
  #busy = false;
  /** Has handed out a piece: one that does it but once needs no page. */
  #used = false;

  /** A copy of `bytes[from, to)`. */
  cut(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const length = to - from;
    const first = !this.#used;
    this.#used = true;
    if (first || !isSmall(length) || (this.#at + length > READ_PAGE_SIZE && !this.#renew())) {
      return copyOf(bytes, from, to);
    }
    const piece = (this.#page as Uint8Array).subarray(this.#at, this.#at + length);
    piece.set(bytes.length === length ? bytes : bytes.subarray(from, to));
    this.#at += length;
    this.#busy = true;
    return piece;
  }

  /** Takes a fresh page; false when there is none to be had. */
  #renew(): boolean {
    if (this.#page === undefined && !this.#takePlace()) return false;
    this.#page = new Uint8Array(READ_PAGE_SIZE);
    this.#at = 0;
    return true;
  }

  #takePlace(): boolean {
    if (places.length < MAX_READ_PAGES) {
      places.push(this);
      return true;
    }
    const at = hand;
    hand = (hand + 1) % MAX_READ_PAGES;
    const holder = places[at] as ReadPages;
    if (holder.#busy) {
      holder.#busy = false;
      return false;
    }
    holder.#page = undefined;
    holder.#at = READ_PAGE_SIZE;
    places[at] = this;
    return true;
  }
}

/** Tells whether pieces of this length are cut from a page. */
function isSmall(length: number): boolean {
  return length >= SMALLEST && length <= LARGEST;
}

/** A copy of `bytes[from, to)` in memory of its own. A Buffer's own `slice` makes a view. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return slice.call(bytes, from, to);
}

const { slice } = Uint8Array.prototype;

const places: ReadPages[] = [];
let hand = 0;
