// A stream of bytes over a transport: Tornado's reads and writes for people, `attach` and `send` for protocol machines.
//
//   transport ──onBytes──► receiver            attached: views go straight through, nothing is kept
//                 └──────► ReadBuffer ──► read  otherwise: kept for a read; with none pending the transport is paused
//   transport ◄──write──── WriteQueue ◄── send, write     one call for all that one callback wrote
//
// This file makes and ends a stream. The parts it consists of are in stream/, one idea each: see stream/base.ts.

import { channel } from "node:diagnostics_channel";
import { IOLoop } from "@tw/ioloop";
import { checkDurationMs } from "@tw/util";
import { Closing } from "./closing.js";
import { CloseTimeoutError, StreamBusyError } from "./errors.js";
import type { Codec } from "./framing/codec.js";
import { Frames, type FramesOptions } from "./framing/frames.js";
import { type CloseOptions, DEFAULT_GRACE_MS, type StreamOptions, streamLimits } from "./options.js";
import type { StreamReceiver } from "./receiver.js";
import { Ending } from "./stream/base.js";
import { FedStream } from "./stream/feeding.js";
import type { Transport, TransportReceiver } from "./transport.js";

const opened = channel("tw:iostream:opened");
const closed = channel("tw:iostream:closed");

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
 * const stream = new IOStream(await connectNodeSocket(loop, { host: "127.0.0.1", port: 7 }), { loop });
 * await stream.write("hello\n");
 * const line = await stream.readUntil("\n", { maxBytes: 1024 });
 * await stream.close();
 */
export class IOStream extends FedStream implements TransportReceiver {
  /** Takes `transport` over and starts it. @throws RangeError when a size is not a non-negative integer */
  constructor(transport: Transport, options: StreamOptions = {}) {
    super(transport, options.loop ?? IOLoop.current(), streamLimits(options));
    transport.start(this);
    if (opened.hasSubscribers) opened.publish({ stream: this });
  }

  /**
   * The messages of this stream in the frames of `codec`, to iterate over and to send; see {@link Frames}. Codecs are in
   * `@tw/iostream/framing`. Nothing is read before the iteration begins.
   *
   * @throws RangeError when the codec has no finite limit
   *
   * @example
   * const frames = stream.frames(lines({ maxFrameSize: 1024 }));
   * for await (const line of frames) await frames.write(line.toUpperCase());
   */
  frames<T, S = T>(codec: Codec<T, S>, options?: FramesOptions): Frames<T, S> {
    return new Frames(this, codec, options);
  }

  /** @internal Attaches the receiver of a read: unlike a machine it takes the stream over from nobody. */
  claim(receiver: StreamReceiver): void {
    if (this.receiver !== undefined) throw new StreamBusyError("Cannot read: a receiver is attached");
    this.attach(receiver);
  }

  /**
   * Flushes, then closes; delivery stops now, a pending read rejects. Always closes: it rejects only when the peer took
   * nothing for `graceMs` or broke the connection before everything was sent. One may ignore the promise.
   */
  close(options: CloseOptions = {}): Promise<void> {
    if (!this.closed) {
      const { graceMs = DEFAULT_GRACE_MS } = options;
      checkDurationMs("graceMs", graceMs);
      this.move("close");
      this.uncorkAll();
      this.flushInTime();
      this.rejectRead();
      this.ending ??= new Ending();
      this.ending.closing = new Closing(this, graceMs);
      this.regulate();
    }
    const closed = this.whenClosed.then(() => {
      const failure = this.ending?.closing?.failure;
      if (failure !== undefined) throw failure;
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
    if (!this.move("abort")) return;
    this.endWith(reason);
    this.transport.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Called by the transport. */
  onClose(error?: unknown): void {
    // What `abort` was given counts more than what became of it.
    const reason = this.life === "aborted" ? this.error : error;
    this.move("gone");
    this.endWith(reason);
    this.ending?.whenClosed?.resolve();
    if (closed.hasSubscribers) closed.publish({ stream: this, error: reason });
    try {
      this.tellClose();
    } catch (thrown) {
      this.threw(thrown);
    }
  }

  /** Nothing will be read or written any more: tells everybody who waits. */
  private endWith(error: unknown): void {
    if (error !== undefined) {
      this.ending ??= new Ending();
      this.ending.error = error;
    }
    this.finishRead();
    const failure = this.dropQueue();
    const closing = this.ending?.closing;
    if (closing === undefined) return;
    if (failure !== undefined) closing.failure = failure;
    closing.stop();
  }
}

function ignore(): void {}
