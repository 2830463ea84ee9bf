// A body that is wanted whole. A peer decides how many pieces it comes in, so a piece may not cost more than its bytes.

import { concatBytes, EMPTY_BYTES } from "@tw/util";

/** Blocks grow with what was collected up to this size: at most half of the memory is spare. */
const MAX_BLOCK = 64 * 1024;

/** Collects the pieces of a body. What bounds it is the connection's `maxBodySize`. */
export class BodyCollector {
  readonly #full: Uint8Array[] = [];
  #block: Uint8Array = EMPTY_BYTES;
  #used = 0;
  #length = 0;

  /** Copies `chunk` behind what is there. */
  append(chunk: Uint8Array): void {
    if (chunk.length > this.#block.length - this.#used) this.#startBlock(chunk.length);
    this.#block.set(chunk, this.#used);
    this.#used += chunk.length;
    this.#length += chunk.length;
  }

  /** Everything, in one piece that is the caller's own. The collector is empty afterwards. */
  take(): Uint8Array {
    const last = this.#block.subarray(0, this.#used);
    const body =
      this.#full.length === 0 && this.#used === this.#block.length
        ? last
        : concatBytes([...this.#full, last]);
    this.clear();
    return body;
  }

  /** Forgets everything. */
  clear(): void {
    this.#full.length = 0;
    this.#block = EMPTY_BYTES;
    this.#used = 0;
    this.#length = 0;
  }

  #startBlock(atLeast: number): void {
    if (this.#used > 0) this.#full.push(this.#block.subarray(0, this.#used));
    this.#block = new Uint8Array(Math.max(atLeast, Math.min(this.#length, MAX_BLOCK)));
    this.#used = 0;
  }
}
