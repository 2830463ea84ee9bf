// What the codecs share: handing payloads out, checking messages and limits.

import { isBytes } from "@tw/util";
import { FrameTooLargeError } from "./errors.js";

/** `bytes[start, end)` as a view, or as a copy that refers to nothing else. Never a `Buffer`, whose `slice` is a view. */
export function payloadOf(bytes: Uint8Array, start: number, end: number, own: boolean): Uint8Array {
  const view = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
  return own ? view.slice() : view;
}

/** @throws TypeError unless it is one */
export function checkBytes(message: unknown): asserts message is Uint8Array {
  if (!isBytes(message))
    throw new TypeError(`A message of this codec is a Uint8Array, got ${typeof message}`);
}

/** @throws RangeError for half of a surrogate pair, which UTF-8 cannot say */
export function checkWellFormed(text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new RangeError("A text must not have half of a surrogate pair");
}

/** @throws FrameTooLargeError when a frame to be sent is larger than its receiver would take */
export function checkSent(size: number, maxFrameSize: number): void {
  if (size > maxFrameSize) throw new FrameTooLargeError(String(size), maxFrameSize);
}

/** @throws RangeError unless it is a number of bytes of at least `min` */
export function checkBytesOption(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(`${name} must be a finite integer of at least ${min}, got ${String(value)}`);
}

/** Options of every codec whose frames differ in size. */
export interface LimitedOptions {
  /**
   * Bytes of the largest frame, framing included. There is no default: what a message of your protocol may weigh is
   * yours to say. A peer can make a decoder hold this much. A larger frame ends in `FrameTooLargeError`.
   */
  readonly maxFrameSize: number;
}
