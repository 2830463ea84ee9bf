// Reading until a pattern matches.
//
// What is read is the shortest prefix of the input that contains a match, so that the result is the same however the
// peer's bytes were cut into packets: it is what one would get by looking after every single byte. A greedy `[0-9]+`
// therefore ends after its first digit, as it has to when no more is known; a pattern says itself what ends it.
//
// Without assertions that look ahead (regex-width.ts refuses them) a prefix that has a match keeps it when more bytes
// follow. So the pattern is tried once on all there is, and only when it matches the shortest prefix is found by bisection.

import type { ReadBuffer } from "./read-buffer.js";
import { Read, tooMuch } from "./reads.js";
import { measureRegex, type RegexSpan, withoutPlace } from "./regex-width.js";

/** Everything up to the end of the first match. */
export class RegexRead extends Read<Uint8Array> {
  readonly #regex: RegExp;
  readonly #span: RegexSpan;
  readonly #maxBytes: number;
  readonly #maxBufferSize: number;
  /** No prefix of this length has a match. */
  #searched = 0;

  /** @throws RangeError for a pattern that cannot be used: see {@link measureRegex} */
  constructor(regex: RegExp, maxBytes: number, maxBufferSize: number) {
    super();
    this.#span = spanOf(regex);
    this.#regex = withoutPlace(regex);
    this.#maxBytes = maxBytes;
    this.#maxBufferSize = maxBufferSize;
  }

  attempt(buffer: ReadBuffer): Uint8Array | undefined {
    const needed = this.#find(buffer);
    const least = needed ?? buffer.length;
    if (least > this.#maxBytes || least > this.#maxBufferSize)
      throw tooMuch(least, this.#maxBytes, this.#maxBufferSize, String(this.#regex));
    return needed === undefined ? undefined : buffer.take(needed);
  }

  #find(buffer: ReadBuffer): number | undefined {
    const { width, independent } = this.#span;
    // A match that was not there before ends behind what was looked at, and begins at most its width before that.
    const from = independent ? Math.max(0, this.#searched - width + 1) : 0;
    // One byte behind the limits tells that they are exceeded; more need not be looked at.
    const text = buffer.latin1(from, Math.min(buffer.length, this.#maxBytes + 1, this.#maxBufferSize + 1));
    const found = this.#regex.exec(text);
    if (found === null) {
      this.#searched = buffer.length;
      return undefined;
    }
    let without = Math.max(0, this.#searched - from);
    let within = found.index + found[0].length;
    // Most patterns end with what ends them: then the first match is the shortest, and one look tells.
    for (let next = within - 1; without < within - 1; next = (without + within) >>> 1) {
      if (this.#regex.test(text.slice(0, next))) within = next;
      else without = next;
    }
    return from + within;
  }
}

/** Protocols read until the same few patterns again and again. */
function spanOf(regex: RegExp): RegexSpan {
  let span = spans.get(regex);
  if (span === undefined) {
    span = measureRegex(regex);
    spans.set(regex, span);
  }
  return span;
}

const spans = new WeakMap<RegExp, RegexSpan>();
