// What a reader waits for. A read tries itself on the buffer each time bytes arrive, and remembers how far it looked,
// so that a peer that drips single bytes costs linear time.

import { EMPTY_BYTES, type TwError } from "@tw/util";
import { StreamBufferFullError, UnsatisfiableReadError } from "./errors.js";
import type { ReadBuffer } from "./read-buffer.js";

/** One pending read of a stream. */
export abstract class Read<T = unknown> {
  // Methods alone name the type, so that a stream may hold a read of any.
  #promise: Promise<unknown> | undefined;
  #resolve: ((result: never) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  /** Called when the wait is over, by whoever watches a signal. */
  whenOver: (() => void) | undefined = undefined;

  /** Takes what was asked for out of the buffer, or `undefined` when more is needed. Throws when it can never be had. */
  abstract attempt(buffer: ReadBuffer): T | undefined;

  /** What the read makes of a clean end of input: a result, or `undefined` when it wanted more. */
  atEnd(_buffer: ReadBuffer | undefined): T | undefined {
    return undefined;
  }

  /** Takes nothing any more, and gives back to `buffer` what it took and will not hand over. */
  undo(_buffer: () => ReadBuffer): void {}

  /** Starts to wait. */
  wait(): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#promise = promise;
    return promise;
  }

  resolve(result: T): void {
    this.#resolve?.(result as never);
    this.whenOver?.();
  }

  /** The rejection counts as observed: a reader may be gone by the time its stream breaks. */
  reject(reason: unknown): void {
    this.#promise?.catch(ignore);
    this.#reject?.(reason);
    this.whenOver?.();
  }
}

/** Exactly `count` bytes, or with `partial` between one and `count`. */
export class BytesRead extends Read<Uint8Array> {
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

/** Between one and `size` bytes; none at the end of input. */
export class ChunkRead extends Read<Uint8Array> {
  readonly #size: number;

  constructor(size: number) {
    super();
    this.#size = size;
  }

  attempt(buffer: ReadBuffer): Uint8Array | undefined {
    return buffer.length === 0 ? undefined : buffer.take(Math.min(buffer.length, this.#size));
  }

  override atEnd(): Uint8Array {
    return EMPTY_BYTES;
  }
}

/** Everything up to and including a delimiter. */
export class UntilRead extends Read<Uint8Array> {
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
    const delimiter = this.#delimiter;
    // The delimiter may have begun in what was looked at already.
    const at = buffer.indexOf(delimiter, Math.max(0, this.#searched - delimiter.length + 1));
    this.#searched = buffer.length;
    const needed = at === -1 ? buffer.length : at + delimiter.length;
    if (needed > this.#maxBytes || needed > this.#maxBufferSize)
      throw tooMuch(needed, this.#maxBytes, this.#maxBufferSize, quote(delimiter));
    return at === -1 ? undefined : buffer.take(needed);
  }
}

/** Everything up to the end of input. */
export class UntilCloseRead extends Read<Uint8Array> {
  attempt(): undefined {
    return undefined;
  }

  override atEnd(buffer: ReadBuffer | undefined): Uint8Array {
    return buffer === undefined ? EMPTY_BYTES : buffer.takeAll();
  }
}

/** The error of a read that needs more than one of its limits: the lower one is met first, however bytes arrive. */
export function tooMuch(needed: number, maxBytes: number, maxBufferSize: number, what: string): TwError {
  if (maxBytes > maxBufferSize) return bufferFull(needed, maxBufferSize);
  return new UnsatisfiableReadError(`Cannot read until ${what}: not found within ${maxBytes} bytes`);
}

/** The error of a read that needs more than the buffer may hold. */
export function bufferFull(needed: number, limit: number): StreamBufferFullError {
  return new StreamBufferFullError(`Read buffer is full: ${needed} bytes needed, limit ${limit}`);
}

function ignore(): void {}

function quote(delimiter: Uint8Array): string {
  return JSON.stringify(String.fromCharCode(...delimiter.subarray(0, 32)));
}
