// Reading into memory of the caller's: bytes go there from the transport's own view, without a stop in the buffer.

import type { ReadBuffer } from "./read-buffer.js";
import { Read } from "./reads.js";

/** Fills `target`, or with `partial` puts at least one byte there. The result is how many bytes. */
export class IntoRead extends Read<number> {
  readonly #target: Uint8Array;
  readonly #length: number;
  readonly #partial: boolean;
  #filled = 0;

  constructor(target: Uint8Array, partial: boolean) {
    super();
    this.#target = target;
    this.#length = target.length;
    this.#partial = partial;
  }

  attempt(buffer: ReadBuffer): number | undefined {
    // Transferred away, or of a buffer that was made smaller: there is nowhere to put them.
    if (this.#target.length !== this.#length) {
      throw new TypeError(`The array to read into has ${this.#target.length} bytes, it had ${this.#length}`);
    }
    this.#filled += buffer.takeInto(this.#target, this.#filled);
    const enough = this.#filled === this.#length || (this.#partial && this.#filled > 0);
    return enough ? this.#filled : undefined;
  }

  override undo(buffer: () => ReadBuffer): void {
    // An array that was transferred away took its bytes along: whoever has it has them.
    if (this.#filled > 0 && this.#target.length === this.#length)
      buffer().prepend(this.#target.subarray(0, this.#filled));
    this.#filled = 0;
  }
}
