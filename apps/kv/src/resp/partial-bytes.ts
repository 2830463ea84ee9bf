// An argument that comes in pieces. The memory grows with what has come, not with what was announced.

const latin1Slice = Buffer.prototype.latin1Slice;

/** Bytes of something that began in an earlier view; empty most of the time, and then without memory. */
export class PartialBytes {
  #bytes: Uint8Array = EMPTY;
  length = 0;

  /** Copies `view[start, end)` behind what is there; `most` is how much it can become. */
  add(view: Uint8Array, start: number, end: number, most: number): void {
    const needed = this.length + end - start;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(most, 2 * needed)));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(view.subarray(start, end), this.length);
    this.length = needed;
  }

  /** Everything, with `view[start, end)` as its end, as latin1 text; then it is empty again. */
  finish(view: Uint8Array, start: number, end: number): string {
    if (this.length === 0) return latin1Slice.call(view, start, end);
    this.add(view, start, end, 0);
    const text = latin1Slice.call(this.#bytes, 0, this.length);
    this.#bytes = EMPTY;
    this.length = 0;
    return text;
  }
}

const EMPTY = new Uint8Array(0);
