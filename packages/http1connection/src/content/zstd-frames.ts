// Where frames of Zstandard begin and end, RFC 8878 §3.1. Node's decoder takes a body that breaks off for a whole one,
// and stops at the end of the first frame of a chunk; so frames are counted here. Nothing is decoded.
//
//   magic(4) descriptor(1) fields(0…13) │ block: head(3) content │ … │ last block │ checksum(0, 4)
//   magic(4) size(4) content                                        a skippable frame

import { contentError } from "./errors.js";

const MAGIC = 0xfd2f_b528;
const SKIPPABLE = 0x184d_2a50;

/** What comes next; of all but `content` and `checksum` the bytes matter. */
type Part = "magic" | "descriptor" | "fields" | "block" | "content" | "checksum" | "size" | "skipped";

/** Follows the frames of one body. */
export class ZstdFrames {
  #part: Part = "magic";
  /** Bytes of the part that are still to come. */
  #left = 4;
  #read = 0;
  #number = 0;
  #frames = 0;
  #checksum = false;
  #last = false;

  /** Whether the bytes so far are whole frames, at least one. */
  get complete(): boolean {
    return this.#part === "magic" && this.#read === 0 && this.#frames > 0;
  }

  /**
   * Looks at `chunk` from `from` on, and gives the index behind the end of the frame, or the chunk's length.
   *
   * @throws HTTPInputError for what is no frame
   */
  scan(chunk: Uint8Array, from: number): number {
    const frames = this.#frames;
    let at = from;
    while (at < chunk.length && this.#frames === frames) {
      const count = Math.min(this.#left, chunk.length - at);
      // At most four bytes are a number: sizes and magic.
      for (let i = 0; i < count && this.#read < 4; i++)
        this.#number += (chunk[at + i] as number) * 2 ** (8 * this.#read++);
      at += count;
      this.#left -= count;
      while (this.#left === 0 && this.#frames === frames) this.#next();
    }
    return at;
  }

  #next(): void {
    const number = this.#number;
    this.#number = 0;
    this.#read = 0;
    switch (this.#part) {
      case "magic":
        if (number === MAGIC) return this.#expect("descriptor", 1);
        if (number - (number % 16) === SKIPPABLE) return this.#expect("size", 4);
        throw contentError("zstd: no frame begins where one must");
      case "descriptor":
        if ((number & 0x08) !== 0) throw contentError("zstd: reserved bit of a frame");
        this.#checksum = (number & 0x04) !== 0;
        return this.#expect("fields", sizeOfFields(number));
      case "fields":
        return this.#expect("block", 3);
      case "block": {
        const type = (number >> 1) & 3;
        if (type === 3) throw contentError("zstd: reserved type of a block");
        this.#last = (number & 1) === 1;
        // A block of one repeated byte has that byte only.
        return this.#expect("content", type === 1 ? 1 : number >> 3);
      }
      case "content":
        if (!this.#last) return this.#expect("block", 3);
        return this.#expect("checksum", this.#checksum ? 4 : 0);
      case "size":
        return this.#expect("skipped", number);
      default:
        this.#frames++;
        return this.#expect("magic", 4);
    }
  }

  #expect(part: Part, size: number): void {
    this.#part = part;
    this.#left = size;
  }
}

/** Window, dictionary id and content size, RFC 8878 §3.1.1.1. */
function sizeOfFields(descriptor: number): number {
  const single = (descriptor & 0x20) !== 0;
  const id = [0, 1, 2, 4][descriptor & 3] as number;
  const content = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  return (single ? 0 : 1) + id + content;
}
