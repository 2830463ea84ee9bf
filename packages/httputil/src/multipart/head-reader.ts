// Finds the end of a part's head, CRLF CRLF, in views that break anywhere.

import { multipartError } from "./errors.js";
import { GrowingBytes } from "./growing-bytes.js";

/** Collects one head after the other. Bytes are copied only where a head lies in more than one view. */
export class PartHeadReader {
  readonly #limit: number;
  readonly #kept = new GrowingBytes();
  /** Bytes of CRLF CRLF seen last; the delimiter's own line end counts, so that an empty head ends with one CRLF. */
  #matched = 2;
  #length = 0;
  /** Index behind the head, after {@link read} returned it. */
  end = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Reads `view` from `from` on. Returns the head without its empty line when it is whole: a view, or a copy.
   *
   * @throws HTTPInputError `ERR_TW_MULTIPART_HEAD_TOO_LARGE`
   */
  read(view: Uint8Array, from: number): Uint8Array | undefined {
    const stop = Math.min(view.length, from + this.#limit + EMPTY_LINE - this.#length);
    let at = from;
    let matched = this.#matched;
    while (at < stop && matched < EMPTY_LINE) {
      const byte = view[at++];
      if (byte === ((matched & 1) === 0 ? CR : LF)) matched++;
      else matched = byte === CR ? 1 : 0;
    }
    this.#length += at - from;
    this.#matched = matched;
    this.end = at;
    if (matched === EMPTY_LINE) return this.#take(view.subarray(from, at));
    if (at < view.length) {
      throw multipartError(
        "ERR_TW_MULTIPART_HEAD_TOO_LARGE",
        `The head of a part exceeds ${this.#limit} bytes`,
      );
    }
    this.#kept.append(view.subarray(from));
    return undefined;
  }

  #take(rest: Uint8Array): Uint8Array {
    let whole = rest;
    if (this.#kept.length > 0) {
      this.#kept.append(rest);
      whole = this.#kept.take();
    }
    this.#matched = 2;
    this.#length = 0;
    return whole.subarray(0, Math.max(0, whole.length - EMPTY_LINE));
  }
}

const CR = 0x0d;
const LF = 0x0a;
/** Length of CRLF CRLF. */
const EMPTY_LINE = 4;
