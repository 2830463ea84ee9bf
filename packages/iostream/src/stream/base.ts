// What every part of a stream stands on: its transport and loop, how far its life has come, and why it ended.
//
// A stream is one object in parts, each a class that knows those before it:
//
//   StreamBase ◄── GivingStream ◄── FlushingStream ◄── WritingStream ◄── SendingStream ◄──╮
//   facts, life    transport        cork, turns        queue, limits     files            │
//   ╭─────────────────────────────────────────────────────────────────────────────────────╯
//   ╰─ ReceivingStream ◄── WaitingStream ◄── ReadingStream ◄── FedStream ◄── EndingStream
//      buffer, pause       its one read      reads             attach        close, abort
//
// IOStream is the last of them.
//
// Tens of thousands of idle streams are normal: what only some of them need is `undefined` until then. The parts keep
// their own in `private` members and not in `#` ones, of which methods cost each stream a field per class.

import type { IOLoop } from "@tw/ioloop";
import { checkDurationMs, Deferred, logSafely } from "@tw/util";
import type { Closing } from "../closing.js";
import { StreamClosedError } from "../errors.js";
import type { CloseOptions, StreamLimits } from "../options.js";
import type { Transport, TransportInfo } from "../transport.js";
import { isClosed, isGone, type Life, type LifeEvent, next } from "./life.js";

/** What a stream has that ends, or whose end somebody waits for. */
export class Ending {
  /** Why it ended. */
  error: unknown = undefined;
  /** Somebody waits for the end of the transport. */
  whenClosed: Deferred | undefined = undefined;
  /** The grace of `close`. */
  closing: Closing | undefined = undefined;
  /** Who has the transport now. */
  heir: Heir | undefined = undefined;
}

/** Whoever took a stream's transport over: what is asked of the stream is then asked of it. */
export interface Heir {
  readonly error: unknown;
  readonly whenClosed: Promise<void>;
  close(options?: CloseOptions): Promise<void>;
  abort(reason?: unknown): void;
}

/** Facts and life of a stream. */
export abstract class StreamBase {
  /** The loop that runs this stream's timers. */
  readonly loop: IOLoop;
  protected readonly transport: Transport;
  protected readonly limits: StreamLimits;
  protected life: Life = "open";
  /** Made when it is needed. */
  protected ending: Ending | undefined = undefined;

  protected constructor(transport: Transport, loop: IOLoop, limits: StreamLimits) {
    this.loop = loop;
    this.transport = transport;
    this.limits = limits;
  }

  // What goes wrong in any part ends the stream; how, is EndingStream's.
  abstract close(options?: CloseOptions): Promise<void>;
  abstract abort(reason?: unknown): void;

  /** Addresses of both ends, encryption, and which engine carries the bytes. */
  get info(): TransportInfo {
    return this.transport.info;
  }

  /** Whether nothing is accepted or delivered any more: the peer is gone, or `close` or `abort` was called. */
  get closed(): boolean {
    return isClosed(this.life);
  }

  /** Why the stream closed: a system error, what `abort` was given, the limit that was exceeded; `undefined` after a clean end. */
  get error(): unknown {
    return this.ending?.heir === undefined ? this.ending?.error : this.ending.heir.error;
  }

  /** Resolves when the transport is gone. Never rejects. */
  get whenClosed(): Promise<void> {
    this.ending ??= new Ending();
    if (this.ending.heir !== undefined) return this.ending.heir.whenClosed;
    this.ending.whenClosed ??= new Deferred();
    if (isGone(this.life)) this.ending.whenClosed.resolve();
    return this.ending.whenClosed.promise;
  }

  /** Whether an open stream keeps the process alive (it does at first). */
  setRef(ref: boolean): void {
    if (!isGone(this.life)) this.transport.setRef(ref);
  }

  /**
   * Disables Nagle's algorithm (it is off from the start): small writes leave at once. A transport without TCP ignores it.
   */
  setNodelay(on: boolean): void {
    if (!isGone(this.life)) this.transport.setNodelay?.(on);
  }

  /**
   * Has the kernel probe a peer that was silent for `idleMs`, in whole seconds upwards, so that one that vanished is
   * noticed; 0 turns it off, as it is at first. A transport without TCP ignores it.
   *
   * @throws TypeError, RangeError unless `idleMs` is a finite number of ms from 0 on
   */
  setKeepAlive(idleMs: number): void {
    checkDurationMs("idleMs", idleMs, Number.MAX_VALUE);
    if (!isGone(this.life)) this.transport.setKeepAlive?.(idleMs);
  }

  /** Goes where `event` leads; false when it means nothing now. */
  protected move(event: LifeEvent): boolean {
    const life = next(this.life, event);
    if (life === undefined) return false;
    this.life = life;
    return true;
  }

  /** Tells why `message` is so, and what closed the stream. */
  protected closedError(message: string): StreamClosedError {
    const why = this.closed ? "the stream is closed" : "one side has finished";
    return new StreamClosedError(`${message}, ${why}`, this.error);
  }

  /** The fault of a receiver or a transport ends its stream, not the process. */
  protected threw(error: unknown): void {
    logSafely(this.loop.logger, "error", { err: error }, "Uncaught exception in a stream");
    this.abort(error);
  }
}
