// Unsigned numbers in groups of seven bits, the lowest first; the high bit says that another group follows. As Protocol
// Buffers write lengths. Five groups at most, so a number is below 2 to the power of 32; the shortest spelling only:
// two spellings of one length are two opinions about where a message ends.

import { UNKNOWN } from "./codec.js";
import { MalformedFrameError } from "./errors.js";

/** The largest number that fits. */
export const MAX_VARINT = 0xffff_ffff;

const MAX_GROUPS = 5;

/** How many bytes `value` takes. */
export function varintSize(value: number): number {
  let size = 1;
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x80)) size++;
  return size;
}

/** Writes `value` at `at`; returns the index behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let index = at;
  let left = value;
  while (left >= 0x80) {
    bytes[index++] = (left & 0x7f) | 0x80;
    left = Math.floor(left / 0x80);
  }
  bytes[index++] = left;
  return index;
}

/** The number at `start`, or {@link UNKNOWN} while its last byte is missing. @throws MalformedFrameError for one that is none */
export function readVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let groups = 1, at = start; at < end; groups++, at++) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (value > MAX_VARINT || (groups === MAX_GROUPS && byte >= 0x80))
      throw new MalformedFrameError("Length overflows 32 bits");
    if (byte < 0x80) {
      if (byte === 0 && groups > 1) throw new MalformedFrameError("Length is not in its shortest form");
      return value;
    }
  }
  return UNKNOWN;
}
