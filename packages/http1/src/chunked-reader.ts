// The chunked transfer coding, RFC 9112 §7.1:
//
//   size [extensions] CRLF  data CRLF   …   "0" [extensions] CRLF  trailer fields  CRLF
//
// Size lines are read byte by byte and nothing of them is kept, so that it does not matter where the input is cut.

import { HTTPHeaders, HTTPInputError } from "@tw/httputil";
import { type BodyReader, bodyTooLarge, take, truncated } from "./body-readers.js";
import { AFTER_SEMICOLON, mayEndAt, stepExtension } from "./chunk-extension.js";
import { type DataEvent, END, type EndEvent } from "./events.js";
import { readFields } from "./field-reader.js";
import { HEX_VALUES } from "./grammar.js";
import type { InputWindow } from "./input-window.js";
import type { ResolvedHTTP1Options } from "./options.js";
import { lines } from "./section-lines.js";
import { scanSection } from "./section-scanner.js";
import { acceptTrailers } from "./trailers.js";

/** S-01: digits of a chunk size. */
const MAX_SIZE_DIGITS = 64;
/** Bytes of all chunk extensions of one body: a body of extensions is work without a body. */
const MAX_EXTENSION_BYTES = 16_384;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;

/** A chunked body. */
export class ChunkedReader implements BodyReader {
  readonly #options: ResolvedHTTP1Options;
  #at = SIZE;
  #digits = 0;
  /** Size of the chunk while its line is read, then bytes of it that are missing. */
  #remaining = 0;
  #received = 0;
  #place = AFTER_SEMICOLON;
  #extensionBytes = 0;

  constructor(options: ResolvedHTTP1Options) {
    this.#options = options;
  }

  read(input: InputWindow, limit: number): DataEvent | EndEvent | undefined {
    while (this.#at !== TRAILERS) {
      if (input.at === input.end) return undefined;
      if (this.#at === DATA) return this.#readData(input);
      this.#step(input.buf[input.at++] as number, limit);
    }
    return this.#readTrailers(input);
  }

  readEnd(): EndEvent {
    // RFC 9112 §8 (1): incomplete.
    throw truncated("last chunk missing");
  }

  #readData(input: InputWindow): DataEvent | undefined {
    const data = take(input, this.#remaining);
    if (data === undefined) return undefined;
    this.#remaining -= data.bytes.length;
    this.#received += data.bytes.length;
    if (this.#remaining === 0) this.#at = DATA_CR;
    return data;
  }

  #step(c: number, limit: number): void {
    switch (this.#at) {
      case SIZE:
        this.#stepSize(c, limit);
        return;
      case EXTENSION:
        if (c === 0x0d && mayEndAt(this.#place)) {
          this.#at = SIZE_LF;
          return;
        }
        // RFC 9112 §7.1.1 (1), RFC 9110 §5.6.3 (2): walked by its grammar, blanks included, and ignored.
        this.#place = stepExtension(this.#place, c);
        if (this.#place === -1) throw new HTTPInputError("Malformed chunk extension");
        this.#countExtensionByte();
        return;
      case SIZE_LF:
        expect(c, 0x0a, "LF after a chunk size");
        this.#at = this.#remaining === 0 ? TRAILERS : DATA;
        return;
      case DATA_CR:
        expect(c, 0x0d, "CR after chunk data");
        this.#at = DATA_LF;
        return;
      case DATA_LF:
        expect(c, 0x0a, "LF after chunk data");
        this.#at = SIZE;
        return;
    }
  }

  #stepSize(c: number, limit: number): void {
    const digit = HEX_VALUES[c] as number;
    if (digit !== 0xff) {
      this.#remaining = this.#remaining * 16 + digit;
      // RFC 9112 §7.1 (2): no digit is lost.
      if (++this.#digits > MAX_SIZE_DIGITS || !Number.isSafeInteger(this.#remaining)) throw badSize();
      return;
    }
    if (this.#digits === 0 || (c !== 0x0d && c !== 0x3b)) throw badSize();
    if (this.#received + this.#remaining > limit) throw bodyTooLarge(this.#received + this.#remaining, limit);
    this.#digits = 0;
    this.#place = AFTER_SEMICOLON;
    this.#at = c === 0x0d ? SIZE_LF : EXTENSION;
    if (c === 0x3b) this.#countExtensionByte();
  }

  #countExtensionByte(): void {
    if (++this.#extensionBytes <= MAX_EXTENSION_BYTES) return;
    throw new HTTPInputError(`Chunk extensions too large, limit ${MAX_EXTENSION_BYTES} bytes`);
  }

  #readTrailers(input: InputWindow): EndEvent | undefined {
    const length = scanSection(input, Math.max(2, this.#options.maxTrailerSize), trailersTooLarge);
    if (length === -1) return undefined;
    const { buf, at } = input;
    input.at = at + length;
    if (lines.count === 0) return END;
    if (lines.count > this.#options.maxHeaderFields) throw trailersTooLarge();
    const text = this.#options.fromLatin1(buf, at, at + length);
    const trailers = acceptTrailers(HTTPHeaders.fromSection(text, readFields(buf, at, text, 0)));
    // RFC 9112 §7.1.2 (1), (2), RFC 9110 §6.5.1 (2): a list of their own.
    return trailers === undefined ? END : { type: "end", trailers };
  }
}

function expect(c: number, wanted: number, what: string): void {
  if (c !== wanted) throw new HTTPInputError(`No ${what}, but 0x${c.toString(16).padStart(2, "0")}`);
}

function badSize(): HTTPInputError {
  return new HTTPInputError("Malformed chunk size");
}

function trailersTooLarge(): HTTPInputError {
  return new HTTPInputError("Trailer section too large", { status: 431, code: "ERR_TW_TRAILERS_TOO_LARGE" });
}
