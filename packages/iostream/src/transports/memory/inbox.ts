// One direction of a memory pair: bytes that were written and are not consumed, each with the time it arrives at.

import { concatBytes } from "@tw/util";

interface Segment {
  bytes: Uint8Array;
  readonly due: number;
}

/** Bytes on their way to one end. */
export class Inbox {
  readonly #capacity: number;
  #segments: Segment[] = [];
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Bytes that can still be put in. */
  get room(): number {
    return this.#capacity - this.#size;
  }

  /** When the next byte arrives, or `undefined` when none is on its way. */
  get due(): number | undefined {
    return this.#segments[0]?.due;
  }

  /** Copies the first `length` bytes of `chunks`, for which there is room. */
  put(chunks: readonly (Uint8Array | string)[], length: number, due: number): void {
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of chunks) {
      if (at === length) break;
      at += copyInto(bytes, at, chunk);
    }
    this.#segments.push({ bytes, due });
    this.#size += length;
  }

  /** Takes what has arrived by `now`, or the part of it that `chunk` chooses. It occupies room until it is released. */
  take(now: number, chunk: ((available: number) => number) | undefined): Uint8Array {
    let arrived = this.#segments.findIndex((segment) => segment.due > now);
    if (arrived === -1) arrived = this.#segments.length;
    const ready = this.#segments.splice(0, arrived);
    const all =
      ready.length === 1 ? (ready[0] as Segment).bytes : concatBytes(ready.map((segment) => segment.bytes));
    const length =
      chunk === undefined ? all.length : Math.min(Math.max(1, Math.trunc(chunk(all.length))), all.length);
    if (length < all.length) this.#segments.unshift({ bytes: all.subarray(length), due: now });
    return all.subarray(0, length);
  }

  /** `length` taken bytes have been consumed. */
  release(length: number): void {
    this.#size -= length;
  }

  clear(): void {
    this.#segments = [];
  }
}

function copyInto(target: Uint8Array, at: number, chunk: Uint8Array | string): number {
  const length = Math.min(chunk.length, target.length - at);
  if (typeof chunk === "string") {
    for (let i = 0; i < length; i++) target[at + i] = chunk.charCodeAt(i);
  } else target.set(length === chunk.length ? chunk : chunk.subarray(0, length), at);
  return length;
}
