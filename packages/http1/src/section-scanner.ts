// Finds the end of a head or of a trailer section, and its lines, RFC 9112 §2.1:
//
//   field-line CRLF  field-line CRLF  …  CRLF
//
// One pass looks at every byte once and knows everything that can be wrong with a line as a line: only CR LF ends it,
// and no control but HTAB stands in it. It also notes where the token that begins each line ends. What comes after can
// therefore cut names and values out without looking back.
//
// Nearly all sections are found faster: see whole-sections.ts. Here is who says what is wrong with the others, and goes on
// where it stopped.
//
// The first violation in the order of the bytes is the one reported, however the bytes were cut into pieces.

import { HTTPInputError } from "@tw/httputil";
import { CONTROL_CHAR, SECTION_CLASSES, TOKEN_CHAR } from "./grammar.js";
import type { InputWindow } from "./input-window.js";
import { growLines, lines } from "./section-lines.js";
import { scanWhole } from "./whole-sections.js";

/**
 * Looks for a complete section at `input.at`. Returns its length with the empty line, and its lines in {@link lines};
 * or −1 when more bytes are needed, and goes on from there the next time.
 *
 * @throws HTTPInputError 400 for a bare CR or LF or another control; `tooLarge(input)` past `limit` bytes
 */
export function scanSection(
  input: InputWindow,
  limit: number,
  tooLarge: (input: InputWindow) => HTTPInputError,
): number {
  const { at, end } = input;
  const stop = end - at > limit ? at + limit : end;
  const resumed = input.scanned > 0;
  const whole = resumed ? 0 : scanWhole(input, stop);
  if (whole > 0) return whole;
  let length = scan(input, stop);
  // The lines before the place where it was resumed are not in the list: once more, and no more than once.
  if (resumed && length !== -1) length = scan(input, stop);
  // RFC 9110 §5.4 (1): 431, before more is kept.
  if (length === -1 && stop === at + limit) throw tooLarge(input);
  return length;
}

/** One run, from where the last one stopped. Where it stops itself, it remembers that in `input`. */
function scan(input: InputWindow, stop: number): number {
  const { buf, at } = input;
  let { tokenEnds, ends } = lines;
  let count = 0;
  let lineStart = at + input.lineStart;
  let i = at + input.scanned;
  for (;;) {
    const tokenEnd = skipToken(buf, i, stop);
    i = skipText(buf, tokenEnd, stop);
    if (i === stop || (i + 1 === stop && buf[i] === CR)) break;
    // RFC 9112 §2.2 (3), RFC 9110 §5.5 (2): refused, not replaced.
    if (buf[i] !== CR || buf[i + 1] !== LF) throw badByte(buf, i, at);
    if (i === lineStart) {
      input.scanned = 0;
      input.lineStart = 0;
      lines.count = count;
      return i + 2 - at;
    }
    if (count === ends.length) ({ tokenEnds, ends } = growLines());
    tokenEnds[count] = tokenEnd - at;
    ends[count++] = i - at;
    i += 2;
    lineStart = i;
  }
  input.scanned = i - at;
  input.lineStart = lineStart - at;
  return -1;
}

// These two see every byte.

/** Index of the next byte that is of no token, or `stop`. */
function skipToken(buf: Uint8Array, from: number, stop: number): number {
  let i = from;
  while (i < stop && SECTION_CLASSES[buf[i] as number] === TOKEN_CHAR) i++;
  return i;
}

/** Index of the next control character, or `stop`. */
function skipText(buf: Uint8Array, from: number, stop: number): number {
  let i = from;
  while (i < stop && SECTION_CLASSES[buf[i] as number] !== CONTROL_CHAR) i++;
  return i;
}

function badByte(buf: Uint8Array, i: number, at: number): HTTPInputError {
  const c = buf[i] as number;
  const what = c === CR ? "CR without LF" : c === LF ? "LF without CR" : `Control character 0x${hex(c)}`;
  return new HTTPInputError(`${what} at byte ${i - at} of the section`);
}

function hex(c: number): string {
  return c.toString(16).padStart(2, "0");
}

const CR = 0x0d;
const LF = 0x0a;
