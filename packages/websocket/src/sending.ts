// The way out of a WebSocket: messages become frames, frames go to the stream, and who writes may wait until the peer has
// taken them. The way in is in receiving.ts, how a connection begins and ends in connection.ts.

import type { UpgradedStream } from "@tw/httputil";
import { Deferred, rejected } from "@tw/util";
import {
  CLOSE_ABNORMAL,
  type WebSocketClosedError,
  WebSocketError,
  type WebSocketMachine,
  type WireChunks,
} from "@tw/wsproto";
import { encodeMessage, type OutgoingMessage, type WriteMessageOptions } from "./message.js";

const DONE: Promise<void> = Promise.resolve();

/** The half of a connection that sends. A class of its own and no object: there are tens of thousands of them. */
export abstract class SendingHalf {
  protected readonly stream: UpgradedStream;
  protected readonly machine: WebSocketMachine;
  private readonly maxBufferedAmount: number;
  /** There while somebody waits for a slow peer. */
  private drained: Deferred | undefined = undefined;

  constructor(stream: UpgradedStream, machine: WebSocketMachine, maxBufferedAmount: number) {
    this.stream = stream;
    this.machine = machine;
    this.maxBufferedAmount = maxBufferedAmount;
  }

  /** Closes now, without a Close frame: the peer sees 1006. */
  abstract abort(reason?: unknown): void;

  /** What is said to whoever writes behind the end. */
  protected abstract closedError(): WebSocketClosedError;

  /** Bytes written that the kernel has not taken. */
  get bufferedAmount(): number {
    return this.stream.bufferedAmount;
  }

  /**
   * Sends a message. Resolves at once while the peer keeps up, else when everything went to the kernel: await it, or
   * memory fills. A server does not copy bytes: leave them alone while {@link bufferedAmount} counts them.
   *
   * Rejects with WebSocketClosedError after a Close frame or the end, and with WebSocketError above `maxBufferedAmount`,
   * which also aborts the connection. One may ignore the promise.
   *
   * @throws TypeError for what is no message
   */
  writeMessage(message: OutgoingMessage, options: WriteMessageOptions = {}): Promise<void> {
    if (!this.machine.canSend || this.stream.closed) return rejected(this.closedError());
    const chunks = encodeMessage(this.machine, message, options.binary);
    const { bufferedAmount } = this.stream;
    if (bufferedAmount > this.maxBufferedAmount) {
      const limit = this.maxBufferedAmount;
      const error = new WebSocketError(
        `Peer is too slow: ${bufferedAmount} bytes wait, limit ${limit}`,
        CLOSE_ABNORMAL,
      );
      this.abort(error);
      return rejected(error);
    }
    if (this.send(chunks)) return DONE;
    return this.stream.closed ? rejected(this.closedError()) : this.whenDrained();
  }

  /** Sends a ping of at most 125 bytes. @throws RangeError when longer @throws WebSocketClosedError when closed */
  ping(payload: Uint8Array | string = ""): void {
    if (this.stream.closed) throw this.closedError();
    this.send(this.machine.ping(payload));
  }

  onDrain(): void {
    const { drained } = this;
    this.drained = undefined;
    drained?.resolve();
  }

  /** The stream is gone, and what it had not sent. */
  protected drop(): void {
    const { drained } = this;
    this.drained = undefined;
    drained?.reject(this.closedError());
  }

  /**
   * Returns false when the peer is slow. A stream that refuses a chunk is aborted: half a frame would make garbage of
   * all that follows.
   */
  protected send(chunks: WireChunks): boolean {
    let ready = true;
    try {
      for (const chunk of chunks) ready = this.stream.send(chunk);
    } catch (error) {
      this.abort(error);
      return false;
    }
    return ready;
  }

  /** Resolves when everything went to the kernel; rejects when it will not. One may ignore it. */
  protected whenDrained(): Promise<void> {
    if (this.drained === undefined) {
      this.drained = new Deferred();
      this.drained.promise.catch(ignore);
    }
    return this.drained.promise;
  }
}

function ignore(): void {}
