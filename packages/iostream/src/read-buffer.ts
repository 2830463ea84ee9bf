// Received bytes that nobody took yet, in one piece, so that delimiters are found across packets.
//
//   0        start            end        capacity
//   ├─ taken ─┼──── unread ─────┼─── free ───┤
//
// Appending is amortised linear: room is won by moving the unread bytes when the taken ones are at least as many, else
// by doubling. A piece that is handed out is the reader's own: nothing here is written to afterwards.

import { EMPTY_BYTES, indexOfBytes } from "@tw/util";

/** What one read of a transport brings at most, and what is kept for the next stream that needs as much. */
const BLOCK_SIZE = 64 * 1024;

/** Blocks kept per thread. */
const SPARE_BLOCKS = 8;

/** Bytes within which a delimiter is near: that of a short line is. */
const NEAR = 64;

/** Bytes between the transport and a reader. Exists only while there are any. */
export class ReadBuffer {
  #bytes: Uint8Array = EMPTY_BYTES;
  #start = 0;
  #end = 0;
  #borrowed = false;

  /**
   * Makes the unread bytes those of `view`, which is somebody else's, until {@link giveBack}. Only for a buffer that is empty.
   * What is taken meanwhile is copied.
   */
  borrow(view: Uint8Array): this {
    this.#bytes = view;
    this.#end = view.length;
    this.#borrowed = true;
    return this;
  }

  /** Ends {@link borrow}; returns what was not taken. */
  giveBack(): Uint8Array {
    this.#borrowed = false;
    if (this.#start < this.#end) return this.#handOver(this.#start);
    this.#forget();
    return EMPTY_BYTES;
  }

  /** Unread bytes. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Copies `view` behind the unread bytes. */
  append(view: Uint8Array): void {
    if (this.#end + view.length > this.#bytes.length) this.#makeRoom(view.length);
    this.#bytes.set(view, this.#end);
    this.#end += view.length;
  }

  /** Copies `view` before the unread bytes. */
  prepend(view: Uint8Array): void {
    if (view.length <= this.#start) {
      this.#start -= view.length;
      this.#bytes.set(view, this.#start);
      return;
    }
    const all = new Uint8Array(view.length + this.length);
    all.set(view);
    all.set(this.#bytes.subarray(this.#start, this.#end), view.length);
    this.#bytes = all;
    this.#start = 0;
    this.#end = all.length;
  }

  /** Index of `needle` among the unread bytes, looked for from `from` on, or −1. */
  indexOf(needle: Uint8Array, from: number): number {
    return indexOfBytes(this.#bytes.subarray(this.#start, this.#end), needle, from);
  }

  /** Index of `needle` when it is within the first few unread bytes, where looking takes neither a view nor a call; else −1. */
  indexOfNear(needle: Uint8Array): number {
    const bytes = this.#bytes;
    const first = needle[0];
    const last = Math.min(this.#end - needle.length, this.#start + NEAR);
    for (let at = this.#start; at <= last; at++) {
      if (bytes[at] === first && this.#isAt(needle, at)) return at - this.#start;
    }
    return -1;
  }

  #isAt(needle: Uint8Array, at: number): boolean {
    for (let i = 1; i < needle.length; i++) if (this.#bytes[at + i] !== needle[i]) return false;
    return true;
  }

  /** The unread bytes in `[from, to)` as text, one character a byte. */
  latin1(from: number, to: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + this.#start + from, to - from).toString("latin1");
  }

  /** Moves as many unread bytes as `target` has room for behind `at`; returns how many. */
  takeInto(target: Uint8Array, at: number): number {
    const count = Math.min(this.length, target.length - at);
    target.set(this.#bytes.subarray(this.#start, this.#start + count), at);
    this.#start += count;
    return count;
  }

  /** Takes the first `count` unread bytes; the result is the caller's own. */
  take(count: number): Uint8Array {
    const from = this.#start;
    this.#start += count;
    // All of a buffer that is mostly theirs is handed over as it is; a small piece must not keep a large one alive.
    if (this.#start === this.#end && count * 2 >= this.#bytes.length && !this.#borrowed)
      return this.#handOver(from);
    return copyOf(this.#bytes, from, this.#start);
  }

  /** Takes everything, without a copy. */
  takeAll(): Uint8Array {
    return this.#handOver(this.#start);
  }

  #handOver(from: number): Uint8Array {
    // A block may have been another stream's before, and whoever has a piece can see all of its memory.
    if (this.#bytes.length === BLOCK_SIZE) this.#bytes.fill(0, this.#end);
    const all = this.#bytes.subarray(from, this.#end);
    this.#forget();
    return all;
  }

  #forget(): void {
    this.#bytes = EMPTY_BYTES;
    this.#start = 0;
    this.#end = 0;
  }

  /** Ends the use of an empty buffer: memory that nobody was handed is kept, as making 64 KiB costs more than filling it. */
  recycle(): void {
    if (this.#bytes.length === BLOCK_SIZE && spare.length < SPARE_BLOCKS) spare.push(this.#bytes);
    this.#bytes = EMPTY_BYTES;
  }

  #makeRoom(count: number): void {
    const { length } = this;
    if (this.#start >= length && length + count <= this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#start, this.#end);
    } else {
      const grown = memoryOf(length === 0 ? count : Math.max(2 * length, length + count));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = grown;
    }
    this.#start = 0;
    this.#end = length;
  }
}

/** `bytes[from, to)`, in memory of its own. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  // A Buffer's own makes a view.
  if (to - from < bytes.length) return slice.call(bytes, from, to);
  // What came is what was asked for: a sixth cheaper.
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

const { slice } = Uint8Array.prototype;

const spare: Uint8Array[] = [];

/** At least `size` bytes; a small buffer shall not hold a large block. */
function memoryOf(size: number): Uint8Array {
  if (size <= BLOCK_SIZE / 2 || size > BLOCK_SIZE) return new Uint8Array(size);
  return spare.pop() ?? new Uint8Array(BLOCK_SIZE);
}
