// Small pieces of a long queue, copied together: a piece of one byte costs a hundred and more as an object of its own,
// and a peer that does not read would make us hold millions of them.
//
//   chunks   [ … │ large │ view ────────┐ ]
//   page                   ├─ written ──┤── room ──┤     the next small piece makes the last view longer
//
// What is written is never written again, so a transport that still holds a shorter view sees its bytes as they were.

import { isBytes } from "@tw/util";

/** Bytes of one page. */
export const PAGE_SIZE: number = 16 * 1024;

/** Pieces up to this length are copied. */
export const SMALL_PIECE: number = PAGE_SIZE / 16;

/** The page that is being written. */
export class WritePages {
  #page: Buffer = Buffer.alloc(PAGE_SIZE);
  #used = 0;

  /** Puts a small `piece` behind `chunks`; a string is latin1. */
  add(chunks: (Uint8Array | string)[], piece: Uint8Array | string): void {
    if (this.#used + piece.length > this.#page.length) {
      this.#page = Buffer.alloc(PAGE_SIZE);
      this.#used = 0;
    }
    const last = chunks[chunks.length - 1];
    const from = this.#used;
    if (typeof piece === "string") this.#page.write(piece, from, "latin1");
    else this.#page.set(piece, from);
    this.#used += piece.length;
    if (this.#endsAt(last, from)) {
      const start = last.byteOffset;
      chunks[chunks.length - 1] = this.#page.subarray(start, this.#used);
    } else chunks.push(this.#page.subarray(from, this.#used));
  }

  /** Whether `chunk` is the view on this page up to `end`. */
  #endsAt(chunk: Uint8Array | string | undefined, end: number): chunk is Uint8Array {
    return isBytes(chunk) && chunk.buffer === this.#page.buffer && chunk.byteOffset + chunk.length === end;
  }
}
