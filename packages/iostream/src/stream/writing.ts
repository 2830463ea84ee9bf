// Writing: what is queued, and when it leaves.
//
//   a callback of the receiver runs   what it writes leaves in one call when the outermost one returns (the cork)
//   anybody else                      what all of them write leaves at the end of the microtask checkpoint
//   the peer takes no more            everything waits for the transport's `onDrain`

import { checkFunction, isPromiseLike } from "@tw/util";
import { type StreamSentMessage, sent } from "../channels.js";
import { StreamBufferFullError } from "../errors.js";
import type { FileLine } from "../file-line.js";
import { flushLater } from "../flush.js";
import type { IOStream } from "../iostream.js";
import { refused } from "../reads.js";
import type { StreamReceiver } from "../receiver.js";
import { giveQueue, takeQueue, type WriteQueue } from "../write-queue.js";
import { StreamBase } from "./base.js";
import { lending } from "./lending.js";
import { isFinDue } from "./life.js";
import { type Sender, turnsOf } from "./turns.js";

/** `send` returns false above this many queued bytes, so that a producer waits before it fills memory. */
const HIGH_WATER = 64 * 1024;

/**
 * What a stream gives to the kernel in ticks, until the others of the loop have had a turn. Ticks and promises come before
 * all I/O: a sender whose peer reads as fast as it writes, or whose socket takes what it will never send, would keep the
 * loop for ever.
 */
const SHARE = 256 * 1024;

/** What a stream gives in any case: it does not count, and whatever the others of the loop have given, it leaves. */
const FREE = 64 * 1024;

// Why what is queued waits; none of these excludes another.
/** A callback of the receiver runs. */
const ENTERED = 1;
/** The shared tick will flush. */
const QUEUED = 2;
/** The transport took less than all: it will say when it takes more. */
const BLOCKED = 4;
/** And what follows it: `send` returned false, so `onDrain` is due. */
const DRAIN_WANTED = 8;
/** A file is being read, or has its next turn later: it goes on by itself. */
const FILE = 16;
/** It has had its share: a later turn goes on. */
const RESTING = 32;
/** Somebody corked the stream; the bits from here on count how often. */
const CORK = 64;
/** No flush. */
const HELD_BACK = ~(ENTERED | QUEUED | DRAIN_WANTED);
/** No need to ask for a flush: one is sure to come. */
const FLUSH_COMES = ~DRAIN_WANTED;

/** What decides whether an `onDrain` that is due comes. */
const TOLD = DRAIN_WANTED | RESTING;

/** A stream that can be written to. */
export abstract class WritingStream extends StreamBase implements Sender {
  protected queue: WriteQueue | undefined;
  private waits = 0;
  /** Bytes of its share. */
  private given = 0;
  /** In which turn the first of them went. */
  private turn = 0;

  /** Who is told when everything went. */
  protected abstract receiver: StreamReceiver | undefined;

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
    else if (!(chunk instanceof Uint8Array))
      throw new TypeError(`chunk must be a Uint8Array or a string, got ${typeof chunk}`);
    if (this.life !== "open") return refused(this.closedError("Cannot write"));
    if (chunk.length === 0) return Promise.resolve();
    try {
      this.push(chunk);
    } catch (error) {
      return refused(error);
    }
    return (this.queue as WriteQueue).whenFlushed();
  }

  /**
   * Queues bytes without a promise. A string is latin1: one byte a character, which the caller vouches for. Returns
   * false above 64 KiB queued: `onDrain` tells the receiver when everything went. On a closed stream it does nothing.
   *
   * The chunk is the stream's from then on. A receiver may send the view that it is given, or parts of it, as they are, on
   * this stream or another, while it looks at it: an echo costs no copy.
   *
   * @throws StreamBufferFullError beyond `maxWriteBufferSize`; nothing of the chunk is sent
   */
  send(chunk: Uint8Array | string): boolean {
    if (this.life !== "open") return false;
    if (chunk.length > 0) this.push(chunk);
    if (this.bufferedAmount <= HIGH_WATER) return true;
    this.wantDrain();
    return false;
  }

  /** The receiver will be told when everything went. */
  protected wantDrain(): void {
    if ((this.waits & (DRAIN_WANTED | ENTERED | BLOCKED)) === 0) process.nextTick(flushAndTell, this);
    this.waits |= DRAIN_WANTED;
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
    this.waits += CORK;
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

  private uncork(): void {
    // `close` may have taken it out.
    if (this.waits < CORK) return;
    this.waits -= CORK;
    if (this.waits >= CORK || this.isFlushed) return;
    this.flushInTime();
    if ((this.waits & (DRAIN_WANTED | ENTERED | BLOCKED)) === DRAIN_WANTED)
      process.nextTick(flushAndTell, this);
  }

  /** Sends what is queued now, as far as the kernel takes it; false when something is left, or is held back. */
  protected flushQueued(): boolean {
    this.flush();
    return this.isFlushed && this.waits < CORK;
  }

  /** Takes all corks out. */
  protected uncorkAll(): void {
    this.waits &= CORK - 1;
  }

  /** Whether there is nothing to be given to the transport, not even FIN. */
  private get isFlushed(): boolean {
    return this.queue === undefined && !isFinDue(this.life);
  }

  /** Half-closes after what is queued: the peer sees the end, and may go on sending. May be repeated. */
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
    const leaves = this.transport.sendsViews === true && (this.waits & HELD_BACK) === 0;
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

  /** Sees to it that a flush comes, unless one is sure to come. */
  protected flushInTime(): void {
    if ((this.waits & FLUSH_COMES) !== 0) return;
    this.waits |= QUEUED;
    flushLater(this);
  }

  /** @internal The shared tick. */
  flushNow(): void {
    this.waits &= ~QUEUED;
    if (!this.rests()) this.flushShare();
  }

  /** @internal The tick of a sender that waits for `onDrain`, in the sender's context. */
  flushAndTell(): void {
    if (this.rests()) return;
    this.flushShare();
    this.tellDrained();
  }

  private flushShare(): void {
    const size = this.flush();
    if (this.given === 0) this.turn = turnsOf(this.loop).number;
    this.given += size;
    if (this.given >= FREE) turnsOf(this.loop).add(size);
  }

  /** Whether it has just had its share, or the senders of its loop theirs. */
  private rests(): boolean {
    if (this.given < FREE) return false;
    const turns = turnsOf(this.loop);
    if (this.turn !== turns.number) {
      this.given = 0; // others have had their turns meanwhile
      return false;
    }
    if (this.given < SHARE && !turns.over) return false;
    if (this.loop.closed) {
      this.given = 0; // no others are left who could wait
      return false;
    }
    turns.rest(this);
    this.waits |= RESTING;
    this.given = 0;
    return true;
  }

  /** @internal The others have had a turn. */
  goOnRested(): number {
    this.waits &= ~RESTING;
    this.flushAndTell();
    return Math.max(this.given, SHARE);
  }

  private flush(): number {
    if ((this.waits & HELD_BACK) !== 0) return 0;
    return sent.hasSubscribers ? this.giveAndTell() : this.give();
  }

  /** Gives the queue to the transport, which takes so many bytes; behind the last one comes FIN, when one was asked for. */
  private give(files?: StreamSentMessage[]): number {
    const queue = this.queue;
    let size = 0;
    try {
      if (queue !== undefined) {
        if (queue.before !== undefined && !this.giveFiles(queue.before, files)) return 0;
        size = this.transport.write(queue.chunks);
        queue.advance(size);
        if (queue.bytes > 0) {
          this.waits |= BLOCKED;
          return size;
        }
        this.queue = undefined;
        giveQueue(queue);
      }
      if (this.life !== "open" && this.move("flushed")) this.fin();
    } catch (error) {
      this.threw(error);
    }
    return size;
  }

  /** Last, because an observer may do anything. */
  private giveAndTell(): number {
    const chunks = this.queue?.chunks.slice() ?? [];
    const files: StreamSentMessage[] = [];
    const size = this.give(files);
    for (const message of files) sent.publish(message);
    if (size > 0) sent.publish({ stream: this as unknown as IOStream, size, chunks });
    return size;
  }

  /** Gives the files before the queue to the transport, and notes what it took; false when it has not taken all of them. */
  protected abstract giveFiles(line: FileLine, taken: StreamSentMessage[] | undefined): boolean;

  /** The transport has not taken all: it will say when it takes more. */
  protected block(): false {
    this.waits |= BLOCKED;
    return false;
  }

  /** A file goes on by itself, and then calls {@link goOn}. */
  protected waitForFile(): false {
    this.waits |= FILE;
    return false;
  }

  protected goOn(): void {
    this.waits &= ~FILE;
    this.flushAndTell();
  }

  /** The last byte is with the transport. */
  protected fin(): void {
    this.transport.end();
  }

  private tellDrained(): void {
    // What `onDrain` sends may want the next one; each round needs the kernel to have taken everything.
    while ((this.waits & TOLD) === DRAIN_WANTED && this.queue === undefined && !this.closed) {
      // It stays due until there is somebody to be told.
      if (this.receiver === undefined || this.rests()) return;
      this.waits &= ~DRAIN_WANTED;
      this.waits |= ENTERED;
      try {
        this.receiver.onDrain();
      } catch (error) {
        this.threw(error);
      }
      this.waits &= ~ENTERED;
      this.flushShare();
    }
  }

  /** An `onDrain` that nobody could be told of is due to the receiver that has come. */
  protected remindOfDrain(): void {
    if ((this.waits & DRAIN_WANTED) !== 0 && this.queue === undefined) process.nextTick(flushAndTell, this);
  }

  /** A callback of the receiver begins; true for the outermost one, which has to {@link leave}. */
  protected enter(): boolean {
    const outermost = (this.waits & ENTERED) === 0;
    this.waits |= ENTERED;
    return outermost;
  }

  /** The outermost callback has returned: what it wrote leaves. */
  protected leave(): void {
    this.waits &= ~ENTERED;
    if (this.isFlushed) return;
    this.flush();
    if ((this.waits & DRAIN_WANTED) !== 0) this.tellDrained();
  }

  /** Drops what is queued and tells those who wait for it; returns what they were told, if anything was queued. */
  protected dropQueue(): unknown {
    if ((this.waits & RESTING) !== 0) turnsOf(this.loop).leave(this);
    const queue = this.queue;
    if (queue === undefined) return undefined;
    this.queue = undefined;
    const error = this.closedError("Cannot complete the write");
    queue.before?.drop(error);
    queue.drop(error);
    giveQueue(queue);
    return error;
  }

  /** @internal Called by the transport. */
  onDrain(): void {
    this.waits &= ~BLOCKED;
    // The others have had their turns meanwhile. There is no more room than in a socket, so it does not count for theirs.
    this.turn = turnsOf(this.loop).number;
    this.given = this.flush();
    this.tellDrained();
  }
}

function flushAndTell(stream: WritingStream): void {
  stream.flushAndTell();
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
