// Requests of the Redis protocol (RESP2), as a machine that is pushed bytes:
//
//   *2\r\n $3\r\n GET\r\n $4\r\n name\r\n        an array of bulk strings
//   GET name\r\n                               or, typed by hand, one line
//
// No socket, no clock, no promise: bytes in, requests out. Numbers are read digit by digit, so that a split between any
// two bytes needs no memory but `#number`. Only an argument that is split is put together, in `#partial`.

import type { Limits } from "../limits.js";
import { splitInline } from "./inline.js";
import { PartialBytes } from "./partial-bytes.js";

/** A request: the name of a command and its arguments. Bytes as latin1 text: one character is one byte. */
export type Request = readonly string[];

/** The client does not speak the protocol: nobody can tell where its next request begins. */
export class ProtocolError extends Error {
  readonly code = "ERR_KV_PROTOCOL";
}

// What the next byte is.
const TYPE = 0; //      the first of a request
const COUNT = 1; //     a digit of the number of arguments
const COUNT_LF = 2;
const DOLLAR = 3; //    the first of an argument
const LENGTH = 4; //    a digit of its length
const LENGTH_LF = 5;
const BULK = 6; //      of its bytes
const BULK_CR = 7;
const BULK_LF = 8;
const INLINE = 9; //    of a line

const LF = 10;
const CR = 13;
const MINUS = 45;
const ZERO = 48;
const ASTERISK = 42;
const DOLLAR_SIGN = 36;

/** More digits than any limit has. */
const MAX_DIGITS = 10;

/** Reads the requests of one connection. */
export class RequestParser {
  readonly #limits: Limits;
  #state = TYPE;
  #view: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The number that is being read, its sign and how many digits it has. */
  #number = 0;
  #negative = false;
  #digits = 0;
  /** The request that is being read: its arguments so far, how many are to come, and their bytes together. */
  #args: string[] = [];
  #left = 0;
  #size = 0;
  /** Bytes of a bulk or a line that began in an earlier view. */
  readonly #partial = new PartialBytes();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Gives it the next view. It is lent until `next` returned `undefined` or {@link keep} was called. */
  push(view: Uint8Array): void {
    this.keep();
    this.#view = view;
    this.#at = 0;
  }

  /** Copies what is left of the view. */
  keep(): void {
    // Not `slice`, which of a Buffer is a view.
    if (this.#at < this.#view.length) this.#view = new Uint8Array(this.#view.subarray(this.#at));
    else this.#view = this.#view.subarray(0, 0);
    this.#at = 0;
  }

  /** The next request, or `undefined` when more bytes are needed. @throws ProtocolError and is of no use any more */
  next(): Request | undefined {
    const view = this.#view;
    while (this.#at < view.length) {
      const byte = view[this.#at] as number;
      switch (this.#state) {
        case TYPE:
          // An empty line between requests is nothing.
          if (byte === CR || byte === LF) this.#at++;
          else if (byte === ASTERISK) this.#beginNumber(COUNT);
          else this.#state = INLINE;
          break;
        case COUNT:
          if (this.#readDigits(COUNT_LF, "invalid multibulk length")) this.#checkCount();
          break;
        case COUNT_LF:
          this.#expect(byte, LF);
          this.#state = this.#left > 0 ? DOLLAR : TYPE;
          break;
        case DOLLAR:
          if (byte !== DOLLAR_SIGN)
            throw new ProtocolError(`expected '$', got '${String.fromCharCode(byte)}'`);
          this.#beginNumber(LENGTH);
          break;
        case LENGTH:
          if (this.#readDigits(LENGTH_LF, "invalid bulk length")) this.#checkLength();
          break;
        case LENGTH_LF:
          this.#expect(byte, LF);
          this.#state = this.#number > 0 ? BULK : BULK_CR;
          if (this.#number === 0) this.#args.push("");
          break;
        case BULK:
          this.#readBulk();
          break;
        case BULK_CR:
          this.#expect(byte, CR);
          this.#state = BULK_LF;
          break;
        case BULK_LF:
          this.#expect(byte, LF);
          if (--this.#left > 0) this.#state = DOLLAR;
          else return this.#finish();
          break;
        case INLINE: {
          const args = this.#readLine();
          if (args !== undefined && args.length > 0) return args;
        }
      }
    }
    return undefined;
  }

  #beginNumber(state: number): void {
    this.#state = state;
    this.#number = 0;
    this.#digits = 0;
    this.#negative = false;
    this.#at++;
  }

  /** Reads digits up to CR; true when it was there. */
  #readDigits(then: number, complaint: string): boolean {
    const view = this.#view;
    while (this.#at < view.length) {
      const byte = view[this.#at++] as number;
      const digit = byte - ZERO;
      if (digit >= 0 && digit <= 9) {
        // Neither 01 nor -0: two readers of one number must not differ about it.
        if (this.#number === 0 && (this.#digits > 0 || (this.#negative && digit === 0)))
          throw new ProtocolError(complaint);
        this.#number = this.#number * 10 + digit;
        if (++this.#digits > MAX_DIGITS) throw new ProtocolError(complaint);
      } else if (byte === CR && this.#digits > 0) {
        this.#state = then;
        if (this.#negative) this.#number = -this.#number;
        return true;
      } else if (byte === MINUS && this.#digits === 0 && !this.#negative) this.#negative = true;
      else throw new ProtocolError(complaint);
    }
    return false;
  }

  #checkCount(): void {
    if (this.#number > this.#limits.maxArguments) throw new ProtocolError("invalid multibulk length");
    // As Redis has it, a request of no arguments or fewer is none.
    this.#left = Math.max(0, this.#number);
  }

  #checkLength(): void {
    const { maxBulkSize, maxRequestSize } = this.#limits;
    // Before any of its bytes is there: a client that announces much shall not make us keep much.
    if (this.#negative || this.#number > maxBulkSize) throw new ProtocolError("invalid bulk length");
    this.#size += this.#number;
    if (this.#size > maxRequestSize) throw new ProtocolError("too big request");
  }

  #readBulk(): void {
    const wanted = this.#number - this.#partial.length;
    const end = Math.min(this.#at + wanted, this.#view.length);
    if (end - this.#at < wanted) this.#partial.add(this.#view, this.#at, end, this.#number);
    else {
      this.#args.push(this.#partial.finish(this.#view, this.#at, end));
      this.#state = BULK_CR;
    }
    this.#at = end;
  }

  #readLine(): Request | undefined {
    const found = this.#view.indexOf(LF, this.#at);
    const end = found === -1 ? this.#view.length : found;
    const { maxInlineSize } = this.#limits;
    if (this.#partial.length + end - this.#at > maxInlineSize)
      throw new ProtocolError("too big inline request");
    if (found === -1) {
      this.#partial.add(this.#view, this.#at, end, maxInlineSize);
      this.#at = end;
      return undefined;
    }
    const line = this.#partial.finish(this.#view, this.#at, end);
    this.#at = end + 1;
    this.#state = TYPE;
    const args = splitInline(line);
    if (args === undefined) throw new ProtocolError("unbalanced quotes in request");
    return args;
  }

  #expect(byte: number, wanted: number): void {
    if (byte !== wanted) throw new ProtocolError("expected CRLF");
    this.#at++;
  }

  #finish(): Request {
    const args = this.#args;
    this.#args = [];
    this.#size = 0;
    this.#state = TYPE;
    return args;
  }
}
