// Finds the end of a head or of a trailer section, and its lines, RFC 9112 §2.1:
//
//   field-line CRLF  field-line CRLF  …  CRLF
//
// One pass looks at every byte once and knows everything that can be wrong with a line as a line: only CR LF ends it,
// and no control but HTAB stands in it. What comes after can therefore look at names and values alone.
//
// The first violation in the order of the bytes is the one reported, however the bytes were cut into pieces.

import { HTTPInputError } from "@tw/httputil";
import type { InputWindow } from "./input-window.js";

/** Where the lines of the last section end, counted from its start. Overwritten by the next scan. */
export interface SectionLines {
  ends: Int32Array;
  count: number;
}

/**
 * The lines of the last complete section. One for all machines: it is filled and used up within one call of `next()`.
 */
export const lines: SectionLines = { ends: new Int32Array(128), count: 0 };

/**
 * Looks for a complete section at `input.at`. Returns its length with the empty line, and its lines in {@link lines};
 * or −1 when more bytes are needed, and goes on from there the next time.
 *
 * @throws HTTPInputError 400 for a bare CR or LF or another control; `tooLarge()` past `limit` bytes
 */
export function scanSection(input: InputWindow, limit: number, tooLarge: () => HTTPInputError): number {
  const resumed = input.scanned > 0;
  const length = scan(input, limit, tooLarge);
  // The lines before the place where it was resumed are not in the list: once more, and no more than once.
  return length !== -1 && resumed ? scan(input, limit, tooLarge) : length;
}

function scan(input: InputWindow, limit: number, tooLarge: () => HTTPInputError): number {
  const { buf, at } = input;
  const stop = Math.min(input.end, at + limit);
  let lineStart = at + input.lineStart;
  let ends = lines.ends;
  let count = 0;
  let i = at + input.scanned;
  for (; i < stop; i++) {
    const c = buf[i] as number;
    if (c > 0x1f ? c !== 0x7f : c === 0x09) continue;
    if (c !== 0x0d) throw new HTTPInputError(`${describe(c)} at byte ${i - at}`);
    if (i + 1 === stop) break;
    if (buf[i + 1] !== 0x0a) throw new HTTPInputError(`CR without LF at byte ${i - at}`);
    if (i === lineStart) {
      input.scanned = 0;
      input.lineStart = 0;
      lines.count = count;
      return i + 2 - at;
    }
    if (count === ends.length) ends = grow();
    ends[count++] = i - at;
    i++;
    lineStart = i + 1;
  }
  if (stop === at + limit) throw tooLarge();
  input.scanned = i - at;
  input.lineStart = lineStart - at;
  return -1;
}

function grow(): Int32Array {
  const ends = new Int32Array(lines.ends.length * 2);
  ends.set(lines.ends);
  lines.ends = ends;
  return ends;
}

function describe(c: number): string {
  return c === 0x0a ? "LF without CR" : `Control character 0x${c.toString(16).padStart(2, "0")}`;
}
