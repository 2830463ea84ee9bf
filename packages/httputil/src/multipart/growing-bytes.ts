// Bytes that come in pieces and are wanted in one. A peer decides how many pieces, so a piece costs its bytes only.

import { EMPTY_BYTES } from "@tw/util";

const SMALLEST = 256;

/** One array that doubles when it is full: at most half of the memory is spare, and each byte is copied twice on average. */
export class GrowingBytes {
  #bytes: Uint8Array = EMPTY_BYTES;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies `piece` behind what is there. */
  append(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2, SMALLEST));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = needed;
  }

  /** Everything, the caller's own from now on; nothing is left. */
  take(): Uint8Array {
    const all =
      this.#length === this.#bytes.length
        ? this.#bytes
        : new Uint8Array(this.#bytes.subarray(0, this.#length));
    this.#bytes = EMPTY_BYTES;
    this.#length = 0;
    return all;
  }
}
