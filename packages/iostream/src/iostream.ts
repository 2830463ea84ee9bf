// A stream of bytes over a transport: Tornado's reads and writes for people, `attach` and `send` for protocol machines.
//
//   transport ──onBytes──► receiver            attached: views go straight through, nothing is kept
//                 └──────► ReadBuffer ──► read  otherwise: kept for a read; with none pending the transport is paused
//   transport ◄──write──── WriteQueue ◄── send, write     one call for all that one callback wrote
//
// Tens of thousands of idle streams are normal, so a stream is one object: buffer, queue, pending read and promises
// exist only while they are needed.

import { channel } from "node:diagnostics_channel";
import { IOLoop } from "@tw/ioloop";
import { checkDurationMs, Deferred, isPromiseLike, latin1 } from "@tw/util";
import { Closing } from "./closing.js";
import { CloseTimeoutError, StreamBufferFullError, StreamBusyError, StreamClosedError } from "./errors.js";
import { flushLater } from "./flush.js";
import {
  type CloseOptions,
  checkSize,
  DEFAULT_BUFFER_SIZE,
  DEFAULT_GRACE_MS,
  type ReadBytesOptions,
  type ReadUntilOptions,
  type StreamOptions,
} from "./options.js";
import { ReadBuffer } from "./read-buffer.js";
import { BytesRead, bufferFull, NOTHING, type Read, refused, UntilRead } from "./reads.js";
import type { StreamReceiver } from "./receiver.js";
import type { Transport, TransportInfo, TransportReceiver } from "./transport.js";
import { giveQueue, takeQueue, type WriteQueue } from "./write-queue.js";

/** `send` returns false above this many queued bytes, so that a producer waits before it fills memory. */
const HIGH_WATER = 64 * 1024;

// Facts, one bit each. They become true in any order; none excludes another.
/** A callback of the receiver runs: what it writes leaves when it returns. */
const ENTERED = 1 << 0;
/** Waits for the shared tick. */
const QUEUED = 1 << 1;
/** The transport took less than all: it will say when it takes more. */
const BLOCKED = 1 << 2;
/** `send` returned false. */
const DRAIN_WANTED = 1 << 3;
/** The owner asked for a pause. */
const PAUSED = 1 << 4;
/** The receiver holds a lease on bytes that came from the buffer. */
const HELD = 1 << 5;
/** The transport was told to pause. */
const STOPPED = 1 << 6;
/** The peer finished sending. */
const PEER_ENDED = 1 << 7;
/** The present receiver knows that. */
const END_TOLD = 1 << 8;
/** `end` was called: after the queue comes FIN. */
const ENDING = 1 << 9;
/** FIN is on its way. */
const ENDED = 1 << 10;
const CLOSING = 1 << 11;
const ABORTED = 1 << 12;
/** The transport is gone. */
const GONE = 1 << 13;

const SHUT = CLOSING | ABORTED | GONE;
const NO_WRITES = SHUT | ENDING | ENDED;

/**
 * A non-blocking stream of bytes.
 *
 * Reads resolve with bytes that are the caller's own. One read at a time: a second rejects with `StreamBusyError`.
 * What was received before the peer closed stays readable; a read that cannot be satisfied any more rejects with
 * {@link StreamClosedError}, whose `cause` is the reason, and closes the stream. With nobody reading, the kernel's
 * window closes and the peer waits.
 *
 * Chunks given to `write` and `send` belong to the stream until they went to the kernel.
 *
 * @example
 * for (;;) {
 *   const line = await stream.readUntil("\n", { maxBytes: 1024 });
 *   await stream.write(line);
 * }
 */
export class IOStream implements TransportReceiver {
  /** The loop that runs this stream's timers. */
  readonly loop: IOLoop;
  readonly #transport: Transport;
  readonly #maxBufferSize: number;
  readonly #maxWriteBufferSize: number;
  #state = 0;
  #receiver: StreamReceiver | undefined;
  #buffer: ReadBuffer | undefined;
  #read: Read | undefined;
  #queue: WriteQueue | undefined;
  #closing: Closing | undefined;
  #whenClosed: Deferred | undefined;
  #error: unknown;

  /** Takes `transport` over and starts it. @throws RangeError when a size is not a non-negative integer */
  constructor(transport: Transport, options: StreamOptions = {}) {
    this.#maxBufferSize = checkSize("maxBufferSize", options.maxBufferSize, DEFAULT_BUFFER_SIZE);
    this.#maxWriteBufferSize = checkSize(
      "maxWriteBufferSize",
      options.maxWriteBufferSize,
      DEFAULT_BUFFER_SIZE,
    );
    this.loop = options.loop ?? IOLoop.current();
    this.#transport = transport;
    transport.start(this);
    if (opened.hasSubscribers) opened.publish({ stream: this });
  }

  // ── Facts ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Addresses of both ends, encryption, and which engine carries the bytes. */
  get info(): TransportInfo {
    return this.#transport.info;
  }

  /** Whether nothing is accepted or delivered any more: the peer is gone, or `close` or `abort` was called. */
  get closed(): boolean {
    return (this.#state & SHUT) !== 0;
  }

  /** Why the stream closed: a system error, what `abort` was given, the limit that was exceeded; `undefined` after a clean end. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when the transport is gone. Never rejects. */
  get whenClosed(): Promise<void> {
    this.#whenClosed ??= new Deferred();
    if ((this.#state & GONE) !== 0) this.#whenClosed.resolve();
    return this.#whenClosed.promise;
  }

  /** Bytes accepted by `send` and `write` that the kernel has not taken. */
  get bufferedAmount(): number {
    return this.#queue === undefined ? 0 : this.#queue.bytes;
  }

  /** Whether an open stream keeps the process alive (it does at first). */
  setRef(ref: boolean): void {
    if ((this.#state & GONE) === 0) this.#transport.setRef(ref);
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Reads exactly `count` bytes, or with `partial` at least one and at most `count`. 0 resolves at once.
   *
   * @throws RangeError when `count` is not a non-negative integer
   */
  readBytes(count: number, options: ReadBytesOptions = {}): Promise<Uint8Array> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`count must be a non-negative integer, got ${String(count)}`);
    }
    const partial = options.partial === true;
    const read = new BytesRead(count, partial);
    if (count === 0) return this.#busy() ?? Promise.resolve(NOTHING);
    if (!partial && count > this.#maxBufferSize) {
      return this.#busy() ?? this.#fail(bufferFull(count, this.#maxBufferSize));
    }
    return this.#start(read);
  }

  /**
   * Reads up to and including `delimiter`; a string is latin1. The stream is closed with `UnsatisfiableReadError` when
   * that would be more than `maxBytes`.
   *
   * @throws RangeError when the delimiter is empty or not latin1, or `maxBytes` not a non-negative integer
   */
  readUntil(delimiter: Uint8Array | string, options: ReadUntilOptions = {}): Promise<Uint8Array> {
    const bytes = typeof delimiter === "string" ? latin1(delimiter) : delimiter;
    if (!(bytes instanceof Uint8Array)) throw new TypeError("delimiter must be a Uint8Array or a string");
    if (bytes.length === 0) throw new RangeError("delimiter must not be empty");
    const maxBytes = checkSize("maxBytes", options.maxBytes, Number.POSITIVE_INFINITY);
    return this.#start(new UntilRead(bytes, maxBytes, this.#maxBufferSize));
  }

  #busy(): Promise<never> | undefined {
    if (this.#read !== undefined) return refused(new StreamBusyError("Already reading"));
    if (this.#receiver !== undefined)
      return refused(new StreamBusyError("Cannot read: a receiver is attached"));
    return undefined;
  }

  #start(read: Read): Promise<Uint8Array> {
    const busy = this.#busy();
    if (busy !== undefined) return busy;
    try {
      const bytes = this.#attempt(read);
      if (bytes !== undefined) {
        this.#regulate();
        return Promise.resolve(bytes);
      }
    } catch (error) {
      return this.#fail(error);
    }
    if ((this.#state & (SHUT | PEER_ENDED)) !== 0) return this.#refuse("Cannot read");
    this.#read = read;
    this.#regulate();
    return read.wait();
  }

  /** Tries a read on the buffer, which goes away when it is empty. */
  #attempt(read: Read): Uint8Array | undefined {
    const buffer = this.#buffer;
    if (buffer === undefined) return undefined;
    const bytes = read.attempt(buffer);
    if (bytes === undefined && buffer.length > this.#maxBufferSize)
      throw bufferFull(buffer.length + 1, this.#maxBufferSize);
    if (buffer.length === 0) this.#buffer = undefined;
    return bytes;
  }

  #fail(error: unknown): Promise<never> {
    this.abort(error);
    return this.#refuse("Cannot read");
  }

  /** Rejects a read for which nothing will come; an end of the peer closes our side too, as nobody will read it. */
  #refuse(message: string): Promise<never> {
    const error = this.#closedError(message);
    if ((this.#state & SHUT) === 0) this.close();
    return refused(error);
  }

  #closedError(message: string): StreamClosedError {
    const why = (this.#state & SHUT) === 0 ? "one side has finished" : "the stream is closed";
    return new StreamClosedError(`${message}, ${why}`, this.#error);
  }

  #rejectRead(): void {
    const read = this.#read;
    this.#read = undefined;
    read?.reject(this.#closedError("Cannot complete the read"));
  }

  /**
   * Stops delivery: none comes after this returns, to a read as to a receiver, until {@link resume}. May be repeated.
   */
  pause(): void {
    this.#state |= PAUSED;
    this.#regulate();
  }

  /** Ends {@link pause}. Delivers nothing before it returns. */
  resume(): void {
    if ((this.#state & PAUSED) === 0) return;
    this.#state &= ~PAUSED;
    const untold = (this.#state & (PEER_ENDED | END_TOLD)) === PEER_ENDED;
    if (this.#receiver !== undefined && (untold || this.#buffer !== undefined))
      this.loop.addCallback(() => this.#deliver());
    else this.#regulate();
  }

  /** Makes the transport flow when somebody wants bytes, and only then. */
  #regulate(): void {
    const state = this.#state;
    const stop =
      (state & (CLOSING | ABORTED)) === 0 &&
      ((state & (PAUSED | HELD)) !== 0 || (this.#buffer !== undefined && this.#read === undefined));
    if (stop === ((state & STOPPED) !== 0) || (state & GONE) !== 0) return;
    this.#state ^= STOPPED;
    if (stop) this.#transport.pause();
    else this.#transport.resume();
  }

  // ── Feeding a receiver ───────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Gives everything that arrives from now on to `receiver`, and takes it from the receiver before. What is buffered is
   * delivered first, during this call; then an end or a close that happened already.
   *
   * @throws StreamBusyError while a read is pending
   */
  attach(receiver: StreamReceiver): void {
    if (this.#read !== undefined) throw new StreamBusyError("Cannot attach: a read is pending");
    this.#receiver = receiver;
    this.#state &= ~(HELD | END_TOLD);
    this.#deliver();
  }

  /**
   * Stops delivering and lifts a {@link pause}. `leftover` is what the receiver was given and has no use for: the next
   * owner sees it first. It is copied.
   */
  detach(leftover?: Uint8Array): void {
    this.#receiver = undefined;
    this.#state &= ~(HELD | PAUSED);
    if (leftover !== undefined && leftover.length > 0) {
      this.#buffer ??= new ReadBuffer();
      this.#buffer.prepend(leftover);
    }
    this.#regulate();
  }

  /** Tells the receiver what it does not know yet: buffered bytes, the end, the close. */
  #deliver(): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const outer = this.#state & ENTERED;
    this.#state |= ENTERED;
    try {
      if (this.#buffer !== undefined && (this.#state & (PAUSED | HELD | CLOSING | ABORTED)) === 0) {
        const bytes = this.#buffer.takeAll();
        this.#buffer = undefined;
        const result = receiver.onBytes(bytes);
        if (isPromiseLike(result) && this.#receiver === receiver) this.#hold(receiver, result);
      }
      if (this.#receiver === receiver) this.#tellEnd(receiver);
      if ((this.#state & GONE) !== 0 && this.#receiver === receiver) {
        this.#receiver = undefined;
        receiver.onClose(this.#error);
      }
    } catch (error) {
      this.#threw(error);
    }
    this.#regulate();
    if (outer === 0) this.#leave();
  }

  /** A lease on bytes of the buffer: nothing more comes until it ends. */
  #hold(receiver: StreamReceiver, lease: PromiseLike<unknown>): void {
    this.#state |= HELD;
    lease.then(
      () => {
        if (this.#receiver !== receiver) return;
        this.#state &= ~HELD;
        this.#deliver();
      },
      (error) => this.#threw(error),
    );
  }

  #tellEnd(receiver: StreamReceiver): void {
    const state = this.#state;
    if ((state & (PEER_ENDED | END_TOLD)) !== PEER_ENDED || this.#buffer !== undefined) return;
    if ((state & (PAUSED | HELD | CLOSING | ABORTED)) !== 0) return;
    this.#state |= END_TOLD;
    receiver.onEnd();
  }

  /** The receiver's fault ends the stream, not the process. */
  #threw(error: unknown): void {
    this.loop.logger.error({ err: error }, "Uncaught exception in a stream's receiver");
    this.abort(error);
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Queues bytes and resolves when they went to the kernel; one may ignore the promise. A string is latin1. Rejects with
   * `StreamBufferFullError` beyond `maxWriteBufferSize` (nothing of the chunk is sent) and with `StreamClosedError`.
   *
   * @throws TypeError when the chunk is neither bytes nor a string, RangeError when a string is not latin1
   */
  write(chunk: Uint8Array | string): Promise<void> {
    if (typeof chunk === "string") checkLatin1(chunk);
    else if (!(chunk instanceof Uint8Array)) throw new TypeError("chunk must be a Uint8Array or a string");
    if ((this.#state & NO_WRITES) !== 0) return refused(this.#closedError("Cannot write"));
    if (chunk.length === 0) return Promise.resolve();
    try {
      this.#push(chunk);
    } catch (error) {
      return refused(error);
    }
    return (this.#queue as WriteQueue).whenFlushed();
  }

  /**
   * Queues bytes without a promise. A string is latin1: one byte a character, which the caller vouches for. Returns
   * false above 64 KiB queued: `onDrain` tells the receiver when everything went. On a closed stream it does nothing.
   *
   * @throws StreamBufferFullError beyond `maxWriteBufferSize`; nothing of the chunk is sent
   */
  send(chunk: Uint8Array | string): boolean {
    if ((this.#state & NO_WRITES) !== 0) return false;
    if (chunk.length > 0) this.#push(chunk);
    if (this.bufferedAmount <= HIGH_WATER) return true;
    if ((this.#state & (DRAIN_WANTED | ENTERED | BLOCKED)) === 0) process.nextTick(flushAndTell, this);
    this.#state |= DRAIN_WANTED;
    return false;
  }

  #push(chunk: Uint8Array | string): void {
    const queue = this.#queue;
    const queued = queue === undefined ? 0 : queue.bytes;
    if (queued + chunk.length > this.#maxWriteBufferSize) {
      throw new StreamBufferFullError(
        `Write buffer is full: ${queued} bytes queued, ${chunk.length} more, limit ${this.#maxWriteBufferSize}`,
      );
    }
    if (queue === undefined) this.#queue = takeQueue(chunk);
    else queue.push(chunk);
    if ((this.#state & (ENTERED | QUEUED | BLOCKED)) === 0) this.#flushLater();
  }

  #flushLater(): void {
    this.#state |= QUEUED;
    flushLater(this);
  }

  /** @internal The shared tick. */
  flushNow(): void {
    this.#state &= ~QUEUED;
    this.#flush();
  }

  /** @internal The tick of a sender that waits for `onDrain`, in the sender's context. */
  flushAndTell(): void {
    this.#flush();
    this.#tellDrained();
  }

  /** Gives the queue to the transport; behind the last byte comes FIN, when one was asked for. */
  #flush(): void {
    const queue = this.#queue;
    if ((this.#state & (BLOCKED | ABORTED | GONE)) !== 0) return;
    try {
      if (queue !== undefined) {
        queue.advance(this.#transport.write(queue.chunks));
        if (queue.bytes > 0) {
          this.#state |= BLOCKED;
          return;
        }
        this.#queue = undefined;
        giveQueue(queue);
      }
      if ((this.#state & (ENDING | ENDED)) === ENDING) {
        this.#state |= ENDED;
        this.#transport.end();
      }
    } catch (error) {
      this.#threw(error);
    }
  }

  #tellDrained(): void {
    // What `onDrain` sends may want the next one; each round needs the kernel to have taken everything.
    while ((this.#state & DRAIN_WANTED) !== 0 && this.#queue === undefined && (this.#state & SHUT) === 0) {
      this.#state &= ~DRAIN_WANTED;
      if (this.#receiver === undefined) return;
      this.#state |= ENTERED;
      try {
        this.#receiver.onDrain();
      } catch (error) {
        this.#threw(error);
      }
      this.#state &= ~ENTERED;
      this.#flush();
    }
  }

  /** The outermost callback has returned: what it wrote leaves. */
  #leave(): void {
    this.#state &= ~ENTERED;
    if (this.#queue === undefined && (this.#state & (ENDING | ENDED)) !== ENDING) return;
    this.#flush();
    if ((this.#state & DRAIN_WANTED) !== 0) this.#tellDrained();
  }

  /** Half-closes after what is queued: the peer sees the end, and may go on sending. May be repeated. */
  end(): void {
    if ((this.#state & NO_WRITES) !== 0) return;
    this.#state |= ENDING;
    if ((this.#state & (ENTERED | QUEUED | BLOCKED)) === 0) this.#flushLater();
  }

  // ── Closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Flushes, then closes; delivery stops now, a pending read rejects. Always closes: it rejects only when the peer took
   * nothing for `graceMs` or broke the connection before everything was sent. One may ignore the promise.
   */
  close(options: CloseOptions = {}): Promise<void> {
    if ((this.#state & SHUT) === 0) {
      const { graceMs = DEFAULT_GRACE_MS } = options;
      checkDurationMs("graceMs", graceMs);
      this.end();
      this.#state |= CLOSING;
      this.#rejectRead();
      this.#closing = new Closing(this, graceMs);
      this.#regulate();
    }
    const closed = this.whenClosed.then(() => {
      if (this.#closing?.failure !== undefined) throw this.#closing.failure;
    });
    closed.catch(ignore);
    return closed;
  }

  /** @internal The grace of `close` is over. */
  giveUp(unsent: boolean): void {
    this.abort(
      unsent ? new CloseTimeoutError(`Peer did not take ${this.bufferedAmount} bytes in time`) : undefined,
    );
  }

  /** Closes now: what is queued is dropped, everybody who waits learns `reason`, the peer may see a reset. */
  abort(reason?: unknown): void {
    if ((this.#state & (ABORTED | GONE)) !== 0) return;
    this.#state |= ABORTED;
    this.#error = reason;
    this.#dropAll();
    this.#transport.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #dropAll(): void {
    this.#rejectRead();
    const queue = this.#queue;
    if (queue !== undefined) {
      this.#queue = undefined;
      const error = this.#closedError("Cannot complete the write");
      if (this.#closing !== undefined) this.#closing.failure = error;
      queue.drop(error);
      giveQueue(queue);
    }
    this.#closing?.stop();
  }

  // ── Called by the transport ──────────────────────────────────────────────────────────────────────────────────────

  /** @internal */
  onBytes(view: Uint8Array): void | Promise<void> {
    const receiver = this.#receiver;
    if (receiver === undefined || this.#buffer !== undefined || (this.#state & SHUT) !== 0)
      return this.#store(view);
    this.#state |= ENTERED;
    let result: unknown;
    try {
      result = receiver.onBytes(view);
    } catch (error) {
      this.#threw(error);
    }
    this.#leave();
    if (isPromiseLike(result)) return this.#lease(result);
  }

  async #lease(result: PromiseLike<unknown>): Promise<void> {
    try {
      await result;
    } catch (error) {
      this.#threw(error);
    }
  }

  /** Nobody takes views: keeps the bytes for a read, which may be the one that waits. */
  #store(view: Uint8Array): void {
    if ((this.#state & SHUT) !== 0) return;
    this.#buffer ??= new ReadBuffer();
    this.#buffer.append(view);
    const read = this.#read;
    if (read !== undefined) {
      try {
        const bytes = this.#attempt(read);
        if (bytes !== undefined) {
          this.#read = undefined;
          read.resolve(bytes);
        }
      } catch (error) {
        this.abort(error);
      }
    }
    this.#regulate();
  }

  /** @internal */
  onEnd(): void {
    this.#state |= PEER_ENDED;
    if (this.#receiver !== undefined) this.#deliver();
    else if (this.#read !== undefined) {
      this.#rejectRead();
      this.close();
    }
  }

  /** @internal */
  onDrain(): void {
    this.#state &= ~BLOCKED;
    this.#flush();
    this.#tellDrained();
  }

  /** @internal */
  onClose(error?: unknown): void {
    if ((this.#state & ABORTED) === 0) this.#error = error;
    this.#state |= GONE;
    this.#dropAll();
    this.#whenClosed?.resolve();
    if (closed.hasSubscribers) closed.publish({ stream: this, error: this.#error });
    const receiver = this.#receiver;
    this.#receiver = undefined;
    try {
      receiver?.onClose(this.#error);
    } catch (thrown) {
      this.#threw(thrown);
    }
  }
}

const opened = channel("tw:iostream:opened");
const closed = channel("tw:iostream:closed");

function flushAndTell(stream: IOStream): void {
  stream.flushAndTell();
}

function ignore(): void {}

/** A character above U+00FF has no byte: truncating it could make a line feed of it. */
function checkLatin1(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what latin1 means
  if (/[^\x00-\xff]/.test(text))
    throw new RangeError("A string written to a stream must be latin1; encode text as UTF-8 first");
}
