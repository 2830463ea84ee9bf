// Bytes in, messages out, without I/O. Frames that lie within one view are decoded where they are. Only a frame that
// began in an earlier view is put together in a buffer, which is there as long as there is such a frame.
//
//     carry                    view
//   ├─ front of a frame ─┤├─ its rest ─┼─ frame ─┼─ frame ─┼─ front of one ─┤
//   └──────── completed first ────────┘└─ decoded in place ┘└── next carry ──┘

import { EMPTY_BYTES } from "@tw/util";
import { type Codec, measureFrame, UNKNOWN } from "./codec.js";
import { IncompleteFrameError } from "./errors.js";

/** What a carry whose frame has no known size grows by at least. */
const STEP = 256;

/** Options of a {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Messages may be kept. Without, those that are bytes are views, valid until the next call. @default true */
  readonly own?: boolean;
}

/**
 * Decodes the frames of one direction of one stream: push views, then take messages until there are no more.
 *
 * A view is lent from `push` until `next` returned false or {@link keep} was called; by then what is not decoded is
 * copied. At most a frame of `maxFrameSize` and what was pushed behind it are held. An error stays: every later call
 * throws it again, and {@link unread} begins with the frame that it is about.
 *
 * @example
 * const decoder = new FrameDecoder(lines({ maxFrameSize: 1024 }));
 * stream.attach({
 *   onBytes(view) {
 *     decoder.push(view);
 *     while (decoder.next()) stream.send(`${decoder.message.length}\n`);
 *   },
 *   onEnd: () => decoder.end(),
 *   onDrain() {},
 *   onClose() {},
 * });
 */
export class FrameDecoder<T> {
  readonly #codec: Codec<T, never>;
  readonly #own: boolean;
  #message: T | undefined;
  #failure: unknown;

  #view: Uint8Array = EMPTY_BYTES;
  #at = 0;
  #carry: Uint8Array = EMPTY_BYTES;
  #from = 0;
  #to = 0;
  /** The last bytes of the carry that came from the view as it is now. */
  #taken = 0;

  /** Of the frame at the front: what was looked at, what it takes to look again, and whether that is its size. */
  #seen = 0;
  #need = 1;
  #measured = false;

  /** Messages decoded ahead with the sizes of their frames, how many were handed out, and the bytes of how many left. */
  #ahead: T[] = [];
  readonly #sizes: number[] = [];
  #served = 0;
  #settled = 0;

  constructor(codec: Codec<T, never>, options: FrameDecoderOptions = {}) {
    const { maxFrameSize } = codec;
    if (!Number.isSafeInteger(maxFrameSize) || maxFrameSize < 1)
      throw new RangeError(
        `maxFrameSize must be a finite integer of at least 1, got ${String(maxFrameSize)}`,
      );
    this.#codec = codec;
    this.#own = options.own !== false;
  }

  /** The message that `next` found last. */
  get message(): T {
    return this.#message as T;
  }

  /** Bytes that were pushed and belong to no message yet. */
  get length(): number {
    this.#settle();
    return this.#to - this.#from + this.#view.length - this.#at;
  }

  /** These bytes, for who reads on: a view or a copy, valid until the next call. */
  get unread(): Uint8Array {
    this.#settle();
    const front = this.#carry.subarray(this.#from, this.#to);
    const rest = this.#view.subarray(this.#at);
    if (front.length === 0) return rest;
    if (rest.length === 0) return front;
    const all = new Uint8Array(front.length + rest.length);
    all.set(front);
    all.set(rest, front.length);
    return all;
  }

  /** Adds bytes behind those that are there. */
  push(view: Uint8Array): void {
    this.keep();
    this.#view = view;
    this.#at = 0;
  }

  /** Whether there is another {@link message}. @throws TwError of framing; the same again ever after */
  next(): boolean {
    if (this.#served < this.#ahead.length) return this.#serve();
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#find();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** The next messages, as many as come at once, or `undefined` when more bytes are needed. Errors as of {@link next}. */
  nextBatch(): T[] | undefined {
    if (!this.next()) return undefined;
    if (this.#served === 1) {
      // What was decoded ahead is a batch as it is.
      const batch = this.#ahead;
      this.#served = batch.length;
      this.#forget();
      return batch;
    }
    const batch = [this.message];
    try {
      while (this.next()) batch.push(this.message);
    } catch {
      // It stays, and is what comes next.
    }
    return batch;
  }

  /** Copies what is left of the last view: it may be used for something else now. */
  keep(): void {
    this.#settle();
    const left = this.#view.length - this.#at;
    if (left > 0) this.#take(left);
    this.#view = EMPTY_BYTES;
    this.#at = 0;
    this.#taken = 0;
  }

  /** The stream has ended. @throws IncompleteFrameError unless it ended behind a frame */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.length > 0) throw new IncompleteFrameError(this.length);
  }

  #find(): boolean {
    for (;;) {
      const carrying = this.#to > this.#from;
      const bytes = carrying ? this.#carry : this.#view;
      const start = carrying ? this.#from : this.#at;
      const end = carrying ? this.#to : this.#view.length;
      const unread = end - start;
      if (unread >= this.#need) {
        if (this.#seen === 0 && this.#runs(bytes, start, end)) return this.#serve();
        const size = measureFrame(this.#codec, bytes, start, end, this.#seen);
        if (size !== UNKNOWN && size <= unread) return this.#decode(bytes, start, size, carrying);
        this.#seen = unread;
        this.#measured = size !== UNKNOWN;
        this.#need = this.#measured ? size : unread + 1;
      }
      const left = this.#view.length - this.#at;
      if (left === 0) return false;
      if (!carrying) {
        this.keep();
        return false;
      }
      this.#take(Math.min(left, this.#measured ? this.#need - unread : Math.max(STEP, unread)));
    }
  }

  #runs(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#codec.run === undefined) return false;
    this.#codec.run(bytes, start, end, this.#ahead, this.#sizes);
    return this.#ahead.length > 0;
  }

  #serve(): boolean {
    this.#message = this.#ahead[this.#served++] as T;
    // Whoever waits for more holds nothing of what was.
    if (this.#served === this.#ahead.length) this.#forget();
    return true;
  }

  #forget(): void {
    this.#settle();
    this.#ahead = [];
    this.#sizes.length = 0;
    this.#served = 0;
    this.#settled = 0;
  }

  /** Goes on behind the frames of what was handed out of `#ahead`. */
  #settle(): void {
    if (this.#settled === this.#served) return;
    let size = 0;
    while (this.#settled < this.#served) size += this.#sizes[this.#settled++] as number;
    this.#consume(size, this.#to > this.#from);
  }

  #decode(bytes: Uint8Array, start: number, size: number, carrying: boolean): boolean {
    // A frame that is most of the carry gets it as it is: nothing here will look at it again.
    const given = carrying && size * 2 >= bytes.length && this.#to - this.#from - size <= this.#taken;
    this.#message = this.#codec.decode(bytes, start, start + size, this.#own && !given);
    this.#consume(size, carrying);
    return true;
  }

  /** Goes on behind a frame. */
  #consume(size: number, carrying: boolean): void {
    this.#seen = 0;
    this.#need = 1;
    this.#measured = false;
    if (!carrying) {
      this.#at += size;
      return;
    }
    this.#from += size;
    const excess = this.#to - this.#from;
    if (excess > this.#taken) return;
    // The rest of the carry is in the view too.
    this.#at -= excess;
    this.#carry = EMPTY_BYTES;
    this.#from = 0;
    this.#to = 0;
    this.#taken = 0;
  }

  /** Copies the next `count` bytes of the view behind the carry. */
  #take(count: number): void {
    if (this.#to + count > this.#carry.length) this.#makeRoom(count);
    this.#carry.set(this.#view.subarray(this.#at, this.#at + count), this.#to);
    this.#to += count;
    this.#at += count;
    this.#taken += count;
  }

  /** Grows with what has come, not with what was announced: four bytes shall not cost a peer's megabyte. */
  #makeRoom(count: number): void {
    const front = this.#carry.subarray(this.#from, this.#to);
    const needed = front.length + count;
    let size = front.length === 0 ? Math.max(64, needed) : needed * 2;
    if (this.#measured && this.#need >= needed) size = Math.min(this.#need, needed * 2);
    const grown = new Uint8Array(size);
    grown.set(front);
    this.#carry = grown;
    this.#from = 0;
    this.#to = front.length;
  }
}
