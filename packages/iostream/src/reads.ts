// What a reader waits for. A read tries itself on the buffer each time bytes arrive, and remembers how far it looked,
// so that a peer that drips single bytes costs linear time.

import { EMPTY_BYTES } from "@tw/util";
import { StreamBufferFullError, UnsatisfiableReadError } from "./errors.js";
import type { ReadBuffer } from "./read-buffer.js";

/** One pending read of a stream. */
export abstract class Read {
  #resolve: ((bytes: Uint8Array) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  /** Takes what was asked for out of the buffer, or `undefined` when more is needed. Throws when it can never be had. */
  abstract attempt(buffer: ReadBuffer): Uint8Array | undefined;

  /** Starts to wait. The rejection counts as observed: a reader may be gone by the time its stream breaks. */
  wait(): Promise<Uint8Array> {
    const promise = new Promise<Uint8Array>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    promise.catch(ignore);
    return promise;
  }

  resolve(bytes: Uint8Array): void {
    this.#resolve?.(bytes);
  }

  reject(reason: unknown): void {
    this.#reject?.(reason);
  }
}

/** Exactly `count` bytes, or with `partial` between one and `count`. */
export class BytesRead extends Read {
  readonly #count: number;
  readonly #partial: boolean;

  constructor(count: number, partial: boolean) {
    super();
    this.#count = count;
    this.#partial = partial;
  }

  attempt(buffer: ReadBuffer): Uint8Array | undefined {
    const { length } = buffer;
    if (length >= this.#count) return buffer.take(this.#count);
    return this.#partial && length > 0 ? buffer.take(length) : undefined;
  }
}

/** Everything up to and including a delimiter. */
export class UntilRead extends Read {
  readonly #delimiter: Uint8Array;
  readonly #maxBytes: number;
  readonly #maxBufferSize: number;
  #searched = 0;

  constructor(delimiter: Uint8Array, maxBytes: number, maxBufferSize: number) {
    super();
    this.#delimiter = delimiter;
    this.#maxBytes = maxBytes;
    this.#maxBufferSize = maxBufferSize;
  }

  attempt(buffer: ReadBuffer): Uint8Array | undefined {
    // The delimiter may have begun in what was looked at already.
    const at = buffer.indexOf(this.#delimiter, Math.max(0, this.#searched - this.#delimiter.length + 1));
    this.#searched = buffer.length;
    const needed = at === -1 ? buffer.length : at + this.#delimiter.length;
    if (needed > this.#maxBytes) {
      throw new UnsatisfiableReadError(
        `Cannot read until ${quote(this.#delimiter)}: not found within ${this.#maxBytes} bytes`,
      );
    }
    if (needed > this.#maxBufferSize) throw bufferFull(needed, this.#maxBufferSize);
    return at === -1 ? undefined : buffer.take(needed);
  }
}

/** The error of a read that needs more than the buffer may hold. */
export function bufferFull(needed: number, limit: number): StreamBufferFullError {
  return new StreamBufferFullError(`Read buffer is full: ${needed} bytes needed, limit ${limit}`);
}

/** A promise that is rejected already and counts as observed. */
export function refused(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(ignore);
  return promise;
}

/** Resolved for a read of nothing. */
export const NOTHING: Uint8Array = EMPTY_BYTES;

function ignore(): void {}

function quote(delimiter: Uint8Array): string {
  return JSON.stringify(String.fromCharCode(...delimiter.subarray(0, 32)));
}
