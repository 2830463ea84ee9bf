// multipart/form-data without I/O, RFC 7578 and RFC 2046 §5.1. Views go in, events come out, data as parts of the views.
//
//   CRLF? ── "--B" ──┬─ padding CRLF ── head ── CRLF CRLF ── data ── CRLF "--B" ──┬─ …
//                    └─ "--" ── padding ── CRLF ── epilogue, dropped              └─ "--" …
//
// Strict where two readers of one body could see different parts, for that is how a file gets past a filter: text
// before the first delimiter, a delimiter that the line goes on behind, one behind the last, a name twice: all refused.
// RFC 2046 §5.1.1: "receivers MUST be able to handle padding": blanks behind a delimiter are skipped. §5.1.2: an
// epilogue is ignored.

import { EMPTY_BYTES, quote } from "@tw/util";
import { isBoundary } from "./boundary.js";
import { Delimiter } from "./delimiter.js";
import { multipartError, multipartMisuse } from "./errors.js";
import { PartHeadReader } from "./head-reader.js";
import { type MultipartLimits, type ResolvedMultipartLimits, resolveMultipartLimits } from "./limits.js";
import { type PartHead, parsePartHead } from "./part-head.js";

/** What {@link MultipartParser.next} tells: for each part `part`, `data` any number of times, `partEnd`; then `end`. */
export type MultipartEvent =
  | { readonly type: "part"; readonly head: PartHead }
  /** A view of what was given to `receive`: as valid as that is. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "partEnd" }
  /** The final delimiter was read. What comes behind it is checked and dropped. */
  | { readonly type: "end" };

/**
 * Takes a multipart body apart (Tornado's `parse_multipart_form_data`, but as the bytes come). It keeps no data: at most
 * one part's head, where that lies in more than one view. Linear in time, however the body is cut into views.
 *
 * The first error is the last thing it says: every later call throws the same one.
 *
 * @example
 * const parser = new MultipartParser("B");
 * parser.receive(utf8('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--'));
 * for (let event = parser.next(); event !== undefined; event = parser.next()) console.log(event.type);
 * parser.receiveEnd(); // part, data, partEnd, end
 */
export class MultipartParser {
  readonly #delimiter: Delimiter;
  readonly #limits: ResolvedMultipartLimits;
  readonly #heads: PartHeadReader;
  #state: State = START;
  #view: Uint8Array = EMPTY_BYTES;
  #at = 0;
  /** Length of the beginning of a delimiter that the views so far end with. */
  #open = CRLF;
  /** So many bytes of it are not data, whatever comes: the line end that a head, or nothing, stands for. */
  #given = CRLF;
  #parts = 0;
  #padding = 0;
  #failure: unknown;

  /**
   * @throws RangeError when `boundary` is none (see {@link boundaryOf}), or a limit is none
   * @throws TypeError when `boundary` is no string, or a limit is no number
   */
  constructor(boundary: string, limits: MultipartLimits = {}) {
    if (typeof boundary !== "string")
      throw new TypeError(`boundary must be a string, got ${quote(boundary)}`);
    if (!isBoundary(boundary)) throw new RangeError(`Not a boundary: ${quote(boundary)}`);
    this.#limits = resolveMultipartLimits(limits);
    this.#delimiter = new Delimiter(boundary);
    this.#heads = new PartHeadReader(this.#limits.maxPartHeaderSize);
  }

  /**
   * Gives it bytes, which stay the caller's and must stay as they are until `next` has returned `undefined`.
   *
   * @throws TwError `ERR_TW_MULTIPART_STATE` when there are events left of the last view
   */
  receive(view: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#at < this.#view.length) throw multipartMisuse("Take every event before the next receive()");
    this.#view = view;
    this.#at = 0;
  }

  /** The next event, or `undefined` when it needs more bytes. @throws HTTPInputError `ERR_TW_MULTIPART_…` */
  next(): MultipartEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      if (this.#state === FINAL) return this.#enter(CLOSED, END);
      while (this.#at < this.#view.length) {
        const event = this.#step();
        if (event !== undefined) return event;
      }
      this.#view = EMPTY_BYTES;
      this.#at = 0;
      return undefined;
    } catch (error) {
      this.#failure = error;
      this.#view = EMPTY_BYTES;
      throw error;
    }
  }

  /**
   * Says that the body is over.
   *
   * @throws HTTPInputError `ERR_TW_MULTIPART_TRUNCATED` when the final delimiter has not come
   * @throws TwError `ERR_TW_MULTIPART_STATE` when there are events left
   */
  receiveEnd(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#at < this.#view.length || this.#state === FINAL) {
      throw multipartMisuse("Take every event before receiveEnd()");
    }
    if (this.#state === CLOSED || this.#state === EPILOGUE) return;
    this.#failure = multipartError("ERR_TW_MULTIPART_TRUNCATED", "The final boundary is missing");
    throw this.#failure;
  }

  #step(): MultipartEvent | undefined {
    switch (this.#state) {
      case START:
        return this.#start();
      case HEAD:
        return this.#head();
      case DATA:
        return this.#data();
      case EPILOGUE:
        this.#data();
        if ((this.#state as State) === EPILOGUE) return undefined;
        throw syntax("A boundary follows the final one");
      default:
        return this.#line(this.#view[this.#at++] as number);
    }
  }

  /** The first delimiter; its CRLF is implied, but may be there: nothing else may. */
  #start(): undefined {
    if (this.#open === CRLF && this.#given === CRLF && this.#view[this.#at] === CR)
      this.#open = this.#given = 0;
    const end = this.#delimiter.match(this.#view, this.#at, this.#open);
    this.#open += end - this.#at;
    this.#at = end;
    if (this.#open === this.#delimiter.length) this.#delimiterRead();
    else if (end < this.#view.length) throw syntax("The body does not begin with its boundary");
  }

  #delimiterRead(): void {
    this.#open = this.#given = this.#padding = 0;
    this.#state = BOUNDARY;
  }

  /** Data up to the next delimiter, or to what may become one. */
  #data(): MultipartEvent | undefined {
    const view = this.#view;
    const delimiter = this.#delimiter;
    if (this.#open > 0) {
      const begin = this.#at;
      const held = this.#open;
      const end = delimiter.match(view, begin, held);
      this.#open += end - begin;
      this.#at = end;
      if (this.#open === delimiter.length) this.#delimiterRead();
      if (this.#open === 0 || end === view.length) return undefined;
      // It was data. What lies in this view is told with what follows; of what lies before, only the length is known.
      this.#at = begin;
      const bytes = delimiter.bytes.slice(this.#given, held);
      this.#open = this.#given = 0;
      if (bytes.length > 0) return { type: "data", bytes };
    }
    const start = this.#at;
    let end = delimiter.find(view, start);
    if (end !== -1) {
      this.#at = end + delimiter.length;
      this.#delimiterRead();
    } else {
      this.#open = delimiter.openAtEnd(view, start);
      this.#at = view.length;
      end = view.length - this.#open;
    }
    return end > start ? { type: "data", bytes: view.subarray(start, end) } : undefined;
  }

  /** One byte of the line that a delimiter begins. */
  #line(byte: number): MultipartEvent | undefined {
    if (byte === LF && this.#state === LINE_END) return this.#nextPart();
    if (byte === LF && this.#state === FINAL_LINE_END) {
      this.#open = CRLF;
      return this.#enter(EPILOGUE);
    }
    if (byte === CR && (this.#state === BOUNDARY || this.#state === PADDING)) return this.#enter(LINE_END);
    if (byte === CR && this.#state === CLOSED) return this.#enter(FINAL_LINE_END);
    if (byte === DASH && this.#state === BOUNDARY) return this.#enter(DASHED);
    if (byte === DASH && this.#state === DASHED) {
      return this.#parts > 0 ? this.#enter(FINAL, PART_END) : this.#enter(CLOSED, END);
    }
    const blank = byte === SP || byte === HTAB;
    if (blank && ++this.#padding <= this.#limits.maxPartHeaderSize) {
      if (this.#state === BOUNDARY || this.#state === PADDING) return this.#enter(PADDING);
      if (this.#state === CLOSED) return undefined;
    }
    throw syntax("A line begins with the boundary and goes on");
  }

  #nextPart(): MultipartEvent | undefined {
    if (this.#parts === this.#limits.maxParts) {
      throw multipartError("ERR_TW_MULTIPART_TOO_MANY_PARTS", `More than ${this.#limits.maxParts} parts`);
    }
    return this.#enter(HEAD, this.#parts++ > 0 ? PART_END : undefined);
  }

  #head(): MultipartEvent | undefined {
    const bytes = this.#heads.read(this.#view, this.#at);
    this.#at = this.#heads.end;
    if (bytes === undefined) return undefined;
    // The empty line may be the CRLF of a delimiter: a part without data.
    this.#open = this.#given = CRLF;
    return this.#enter(DATA, { type: "part", head: parsePartHead(bytes) });
  }

  #enter(state: State, event?: MultipartEvent): MultipartEvent | undefined {
    this.#state = state;
    return event;
  }
}

type State = number;
/** Before the first delimiter. */
const START = 0;
/** Behind a delimiter; behind blanks that follow it; behind a CR that follows those. */
const BOUNDARY = 1;
const PADDING = 2;
const LINE_END = 3;
/** Behind a delimiter and one dash. */
const DASHED = 4;
const HEAD = 5;
const DATA = 6;
/** Behind the final delimiter: `end` is still to be told; it is told; a CR came; a line end came. */
const FINAL = 7;
const CLOSED = 8;
const FINAL_LINE_END = 9;
const EPILOGUE = 10;

const PART_END: MultipartEvent = { type: "partEnd" };
const END: MultipartEvent = { type: "end" };

/** Length of CRLF, with which a delimiter begins. */
const CRLF = 2;
const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const DASH = 0x2d;

function syntax(message: string): Error {
  return multipartError("ERR_TW_MULTIPART_SYNTAX", message);
}
