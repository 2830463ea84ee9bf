// Collects the payload of one message that comes in pieces. One growing array: a thousand tiny fragments cost their
// bytes and nothing else, each byte is copied O(1) times on average, and a peer that announces ten megabytes and sends
// ten bytes has reserved a few kilobytes.

import { EMPTY_BYTES } from "@tw/util";
import { maskInto } from "./mask.js";

/** The smallest array worth having. */
const SMALLEST = 1024;

/** The payload of one message after another. */
export class MessageBuffer {
  #bytes: Uint8Array = EMPTY_BYTES;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The array that holds the payload, in its first `length` bytes; another one after the next `append`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Appends `source[start, end)` unmasked; `phase` counts the payload bytes of the frame before. `limit` is the
   * length the message cannot exceed: its own where the last frame has begun, else what is allowed.
   */
  append(source: Uint8Array, start: number, end: number, key: number, phase: number, limit: number): void {
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) this.#grow(needed, limit);
    maskInto(this.#bytes, this.#length, source, start, end, key, phase);
    this.#length = needed;
  }

  /** Gives the payload away, in an array of exactly its length, and is empty again. */
  take(): Uint8Array {
    const bytes = this.#length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#bytes = EMPTY_BYTES;
    this.#length = 0;
  }

  /** Doubles up to the limit, which is never below what is needed. */
  #grow(needed: number, limit: number): void {
    const bytes = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2, SMALLEST), limit));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }
}
