// The three ways in which a body can end, RFC 9112 §6.3, one reader each. A reader exists as long as its body is read.

import { HTTPInputError } from "@tw/httputil";
import { type DataEvent, END, type EndEvent } from "./events.js";
import type { InputWindow } from "./input-window.js";

/** Reads one body. */
export interface BodyReader {
  /**
   * The next piece of the body or its end; undefined when more input is needed.
   *
   * @param limit bytes that the whole body may have
   * @throws HTTPInputError 413 past the limit, 400 for broken framing
   */
  read(input: InputWindow, limit: number): DataEvent | EndEvent | undefined;
  /** The peer finished sending. @throws HTTPInputError where the body is not complete then */
  readEnd(): EndEvent;
}

/** A body of as many bytes as Content-Length says. */
export class LengthReader implements BodyReader {
  readonly #length: number;
  #remaining: number;

  constructor(length: number) {
    this.#length = length;
    this.#remaining = length;
  }

  read(input: InputWindow, limit: number): DataEvent | EndEvent | undefined {
    if (this.#length > limit) throw bodyTooLarge(this.#length, limit);
    if (this.#remaining === 0) return END;
    const data = take(input, this.#remaining);
    if (data !== undefined) this.#remaining -= data.bytes.length;
    return data;
  }

  readEnd(): EndEvent {
    // RFC 9112 §6.3 (8), RFC 9112 §8 (1): incomplete.
    throw truncated(`${this.#remaining} of ${this.#length} bytes of the body missing`);
  }
}

/** The body of a response without framing: it ends where the connection ends. */
export class UntilCloseReader implements BodyReader {
  #received = 0;

  read(input: InputWindow, limit: number): DataEvent | undefined {
    const room = limit - this.#received;
    if (input.length > 0 && room <= 0) throw bodyTooLarge(this.#received + input.length, limit);
    const data = take(input, room);
    if (data !== undefined) this.#received += data.bytes.length;
    return data;
  }

  readEnd(): EndEvent {
    return END;
  }
}

/** Consumes up to `most` bytes. The view is the whole input as it came, where it can be. */
export function take(input: InputWindow, most: number): DataEvent | undefined {
  const { buf, at, end } = input;
  const length = Math.min(end - at, most);
  if (length <= 0) return undefined;
  input.at = at + length;
  return { type: "data", bytes: length === buf.length ? buf : buf.subarray(at, at + length) };
}

/** The error for a body past its limit. */
export function bodyTooLarge(size: number, limit: number): HTTPInputError {
  return new HTTPInputError(`Body too large: at least ${size} bytes, limit ${limit}`, {
    status: 413,
    code: "ERR_TW_BODY_TOO_LARGE",
  });
}

/** The error for a message that the end of the connection cut short. */
export function truncated(what: string): HTTPInputError {
  return new HTTPInputError(`Connection ended within a message: ${what}`, {
    code: "ERR_TW_MESSAGE_TRUNCATED",
  });
}
