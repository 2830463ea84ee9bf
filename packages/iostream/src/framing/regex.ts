// Frames that end where a regular expression has matched.
//
// A match must not depend on how bytes come: /a+/ finds "a" in a stream that drips and "aaa" in one that does not. So a
// frame is the shortest prefix that contains a match, which is what dripping finds. Where a longer piece matches, the
// shortest is looked for by halving; that is right as long as more bytes behind a match never undo it, which is why
// patterns that look ahead are refused.

import { measureRegex, withoutPlace } from "../regex-width.js";
import { type Codec, UNKNOWN } from "./codec.js";
import { latin1Text } from "./latin1-text.js";
import { checkBytes, checkBytesOption, checkSent, type LimitedOptions, payloadOf } from "./payload.js";

/** Bytes that are looked at first, then twice as many, and so on: most frames end soon. */
const FIRST_LOOK = 128;

/**
 * Messages of bytes up to the end of the first match of `pattern`, the match included, as Tornado's
 * `read_until_regex`. The pattern sees bytes as latin1 characters, from the first byte of the frame on. Quantifiers at
 * its end match as little as they may.
 *
 * Each arrival looks at the frame from its beginning: keep `maxFrameSize` at some KiB, and the pattern free of nested
 * quantifiers.
 *
 * @throws RangeError for a pattern that looks ahead (`$`, `\b`, `\B`, `(?=`, `(?!`), matches nothing at all, or is sticky
 *
 * @example
 * for await (const head of stream.frames(regex(/\r?\n\r?\n/, { maxFrameSize: 8192 }))) console.log(head.length);
 */
export function regex(pattern: RegExp, options: LimitedOptions): Codec<Uint8Array> {
  if (!(pattern instanceof RegExp)) throw new TypeError("pattern must be a RegExp");
  const maxFrameSize = checkBytesOption("maxFrameSize", options.maxFrameSize, 1);
  measureRegex(pattern);
  const match = withoutPlace(pattern);
  return {
    maxFrameSize,
    measure: (bytes, start, end, seen) => shortestMatch(match, bytes, start, end, seen),
    decode: payloadOf,
    encode(message) {
      checkBytes(message);
      checkSent(message.length, maxFrameSize);
      if (shortestMatch(match, message, 0, message.length, 0) !== message.length)
        throw new RangeError("A message must end with its first match");
      return new Uint8Array(message); // not `slice`, which of a Buffer is a view
    },
  };
}

function shortestMatch(match: RegExp, bytes: Uint8Array, start: number, end: number, seen: number): number {
  const available = end - start;
  let without = seen;
  let looked = Math.min(available, Math.max(FIRST_LOOK, seen * 2));
  for (;;) {
    const text = latin1Text(bytes, start, start + looked);
    const found = match.exec(text);
    if (found !== null) return shorten(match, text, without, found.index + found[0].length);
    if (looked === available) return UNKNOWN;
    without = looked;
    looked = Math.min(available, looked * 2);
  }
}

/** The shortest prefix of `text` with a match: more than `without` characters, which have none, and up to `withOne`. */
function shorten(match: RegExp, text: string, without: number, withOne: number): number {
  let low = without;
  let high = withOne;
  // Most patterns end with something certain: one look at one character less.
  let middle = high - 1;
  while (high - low > 1) {
    if (match.test(text.slice(0, middle))) high = middle;
    else low = middle;
    middle = (low + high) >> 1;
  }
  return high;
}
