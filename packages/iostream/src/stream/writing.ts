// Writing: what is queued, how much that may be, and what is kept of bytes that were only lent.

import { checkFunction, isBytes, isPromiseLike, rejected } from "@tw/util";
import { sent } from "../channels.js";
import { StreamBufferFullError } from "../errors.js";
import { giveQueue, takeEmptyQueue, takeQueue, type WriteQueue } from "../write-queue.js";
import { FlushingStream } from "./flushing.js";
import { lending } from "./lending.js";

/** `send` returns false above this many queued bytes, so that a producer waits before it fills memory. */
const HIGH_WATER = 64 * 1024;

/** A stream that can be written to. */
export abstract class WritingStream extends FlushingStream {
  /** Bytes accepted by `send` and `write` that the kernel has not taken. */
  get bufferedAmount(): number {
    const queue = this.queue;
    if (queue === undefined) return 0;
    return queue.before === undefined ? queue.bytes : queue.bytes + queue.before.bytes;
  }

  /** Bytes that the kernel has not taken, in memory as {@link bufferedAmount} and of files. */
  get unsentAmount(): number {
    return this.queue === undefined ? 0 : this.queue.bytes + (this.queue.before?.left ?? 0);
  }

  /**
   * Bytes that the kernel took since last nothing was queued; 0 while nothing is. Where it does not change while
   * {@link writing} is true, the peer takes nothing (or a disk gives nothing: files count).
   */
  get flushedAmount(): number {
    return this.queue === undefined ? 0 : this.queue.flushed + (this.queue.before?.flushed ?? 0);
  }

  /** Whether bytes wait for the kernel to take them. */
  get writing(): boolean {
    return this.queue !== undefined;
  }

  /**
   * Queues bytes and resolves when they went to the kernel; one may ignore the promise. A string is latin1. Rejects with
   * `StreamBufferFullError` beyond `maxWriteBufferSize` (nothing of the chunk is sent) and with `StreamClosedError`.
   * Any number of writes may be outstanding. The chunk is the stream's until it resolves; only of the view that a receiver
   * is given it keeps a copy, where it does not leave at once.
   *
   * @throws TypeError when the chunk is neither bytes nor a string, RangeError when a string is not latin1
   *
   * @example
   * stream.write("length: 5\r\n\r\n");
   * await stream.write(new TextEncoder().encode("hello"));
   */
  write(chunk: Uint8Array | string): Promise<void> {
    if (typeof chunk === "string") checkLatin1(chunk);
    else checkBytes(chunk);
    if (this.life !== "open") return rejected(this.closedError("Cannot write"));
    if (chunk.length === 0) return Promise.resolve();
    try {
      this.push(chunk);
    } catch (error) {
      return rejected(error);
    }
    return (this.queue as WriteQueue).whenFlushed();
  }

  /**
   * Queues bytes without a promise. A string is latin1: one byte a character, which the caller vouches for. Returns
   * false above 64 KiB queued: `onDrain` tells the receiver when everything went. On a closed stream it does nothing.
   *
   * The chunk is the stream's from then on. A receiver may send the view that it is given, or parts of it, as they are, on
   * this stream or another, while it looks at it: on the native engine an echo costs no copy.
   *
   * @throws TypeError when the chunk is neither bytes nor a string
   * @throws StreamBufferFullError beyond `maxWriteBufferSize`; nothing of the chunk is sent
   */
  send(chunk: Uint8Array | string): boolean {
    if (typeof chunk !== "string") checkBytes(chunk);
    if (this.life !== "open") return false;
    if (chunk.length > 0) this.push(chunk);
    if (this.bufferedAmount <= HIGH_WATER) return true;
    this.wantDrain();
    return false;
  }

  /**
   * Queues copies of `bytes` and of a latin1 `text` behind them, where that costs less than {@link send}, and returns true:
   * for what is sent over and over, as the head of an answer and a short body. Both leave together, in order with all that
   * is sent. False, and nothing was queued, where it would not: then one sends them. That is so where the engine does not
   * provide for it, where something is queued already (but what this method has), and for what is longer than 16 KiB.
   *
   * @throws TypeError unless they are bytes and a string, RangeError when the string is not latin1
   *
   * @example
   * if (!stream.sendCopies(head, "Hello")) stream.send(`${headText}Hello`);
   */
  sendCopies(bytes: Uint8Array, text: string): boolean {
    checkBytes(bytes);
    if (typeof text !== "string") throw new TypeError(`text must be a string, got ${typeof text}`);
    const { page } = this.transport;
    if (page === undefined || this.life !== "open" || this.heldBack || sent.hasSubscribers) return false;
    const { queue } = this;
    const queued = queue === undefined ? 0 : queue.paged;
    if (queue === undefined ? page.owner !== undefined : queued === 0) return false;
    const size = queued + bytes.length + text.length;
    if (size > page.size || size > this.limits.maxWriteBufferSize || size === queued) return false;
    if (queue !== undefined) queue.put(page, bytes, text);
    else {
      const empty = takeEmptyQueue();
      empty.put(page, bytes, text);
      this.queue = empty;
    }
    this.flushInTime();
    return true;
  }

  /**
   * Holds writes back, so that what several callbacks write leaves in one system call. It may be done more than once; what is
   * queued leaves when each cork is out. (What one callback writes leaves together anyway.) `maxWriteBufferSize`
   * binds; `close` takes all corks out.
   *
   * With a function, for as long as it runs or the promise it returned is pending, and its result is returned. Without,
   * until the result is disposed of.
   *
   * @example
   * await stream.cork(async () => {
   *   stream.send(head);
   *   stream.send(await body());
   * });
   */
  cork(): Disposable;
  cork<T>(fn: () => T): T;
  cork<T>(fn?: () => T): Disposable | T {
    if (fn !== undefined) checkFunction("fn", fn);
    this.putCork();
    let out = false;
    const uncork = (): void => {
      if (!out) this.uncork();
      out = true;
    };
    if (fn === undefined) return { [Symbol.dispose]: uncork };
    let later = false;
    try {
      const result = fn();
      later = isPromiseLike(result);
      if (later) (result as PromiseLike<unknown>).then(uncork, uncork);
      return result;
    } finally {
      if (!later) uncork();
    }
  }

  /**
   * Half-closes after what is queued: the peer sees the end, and may go on sending. When it has ended too, and what it sent
   * was read, the stream closes by itself. May be repeated.
   */
  end(): void {
    if (this.move("end")) this.flushInTime();
  }

  private push(chunk: Uint8Array | string): void {
    const queue = this.queue;
    const queued = this.bufferedAmount;
    const { maxWriteBufferSize } = this.limits;
    if (queued + chunk.length > maxWriteBufferSize) {
      throw new StreamBufferFullError(
        `Write buffer is full: ${queued} bytes queued, ${chunk.length} more, limit ${maxWriteBufferSize}`,
      );
    }
    const nothingLent = lending.view === undefined && lending.others === 0;
    const kept = nothingLent || typeof chunk === "string" ? chunk : this.keepable(chunk);
    if (queue === undefined) this.queue = takeQueue(kept);
    else queue.push(kept);
    this.flushInTime();
  }

  /** What may be queued of a view that a receiver was lent: see lending.ts. */
  private keepable(chunk: Uint8Array): Uint8Array {
    if (chunk.buffer !== lending.view?.buffer) return lending.holds(chunk) ? new Uint8Array(chunk) : chunk;
    const leaves = this.transport.sendsViews === true && !this.heldBack;
    if (lending.stream !== this || !leaves) return new Uint8Array(chunk);
    lending.returned = true;
    return chunk;
  }

  /** @internal Copies what is queued of the view that is lent just now, if any of it is. */
  ownLent(): void {
    if (!lending.returned) return;
    lending.returned = false;
    this.queue?.own(lending.view as Uint8Array);
  }

  /** Drops what is queued and tells those who wait for it; returns what they were told, if anything was queued. */
  protected dropQueue(): unknown {
    this.leaveTurns();
    const queue = this.queue;
    if (queue === undefined) return undefined;
    this.queue = undefined;
    const error = this.closedError("Cannot complete the write");
    queue.before?.drop(error);
    queue.drop(error);
    giveQueue(queue);
    return error;
  }
}

function checkBytes(chunk: Uint8Array): void {
  if (isBytes(chunk)) return;
  throw new TypeError(
    `chunk must be a Uint8Array or a string, got ${chunk === null ? "null" : typeof chunk}`,
  );
}

/** A character above U+00FF has no byte: truncating it could make a line feed of it. */
function checkLatin1(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what latin1 means
  const at = text.search(/[^\x00-\xff]/);
  if (at === -1) return;
  const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  throw new RangeError(
    `A string written to a stream must be latin1, got U+${code} at index ${at}; encode text as UTF-8 first`,
  );
}
