// What every part of the transport stands on: its descriptor, who reads and writes just now, and how it ends.
//
// A transport is one object in parts, each a class that knows those before it:
//
//   OwnedDescriptor ◄── DescriptorWriter ◄── DescriptorReader ◄── NativeTransport
//   state, the end      write, end           edges, reads         start, pause, options, release

import { LazyAsyncResource } from "@tw/ioloop";
import type { PollHandle } from "@tw/poller";
import { logSafely } from "@tw/util";
import { inNextTurn } from "../../next-turn.js";
import type { TransportReceiver } from "../../transport.js";
import type { NativeEngine } from "./engine.js";
import type { NativeInfo } from "./info.js";

/**
 * What kind of descriptor it is: only TCP may take a short read for "drained". A `pipe` has both directions (a terminal, a
 * FIFO opened for both), a `source` can only be read and a `sink` only be written to.
 */
export type DescriptorKind = "tcp" | "unix" | "pipe" | "source" | "sink";

/** Who reads: nobody while the receiver paused us, or holds a lease, or after the end of input. */
export const PAUSED = 1;
export const LEASED = 2;
export const ENDED = 4;

/** Not registered with the poller. */
export const UNWATCHED: PollHandle = -1;

/** A descriptor that is closed with the transport it belongs to. */
export abstract class OwnedDescriptor extends LazyAsyncResource {
  protected readonly engine: NativeEngine;
  protected readonly fd: number;
  protected readonly fdKind: DescriptorKind;
  protected handle: PollHandle = UNWATCHED;
  protected receiver: TransportReceiver | undefined = undefined;
  /** {@link PAUSED}, {@link LEASED}, {@link ENDED}. */
  protected held = 0;
  /** What edges told and no read has refuted yet. */
  protected hints = 0;
  /** What was read ahead of an event that found us paused. */
  protected unread: Uint8Array<ArrayBuffer> | undefined = undefined;
  protected sending: "open" | "blocked" | "ended" = "open";
  protected closed = false;
  /** Why no more can be written, or why the transport closed. */
  protected broken: unknown = undefined;
  /** Made when it is asked for. */
  protected facts: NativeInfo | undefined = undefined;

  constructor(engine: NativeEngine, fd: number, kind: DescriptorKind) {
    super("TWTransport");
    this.engine = engine;
    this.fd = fd;
    this.fdKind = kind;
    if (kind === "source") this.sending = "ended";
    else if (kind === "sink") this.held = ENDED;
  }

  /** No promise of the receiver's counts any more. */
  protected abstract abandonLease(): void;

  /** Lets the poller read, or not: to be called whenever what this depends on has changed. */
  protected allowReadAhead(): void {
    if (this.closed || this.handle === UNWATCHED) return;
    const wanted = this.held === 0 && this.sending !== "blocked" && this.unread === undefined;
    this.engine.ahead?.allow(this.handle, wanted);
  }

  abort(reason?: unknown): void {
    if (this.closed) return;
    // A reset, not a FIN: the peer must not take a truncated message for a complete one. After `end` there is nothing
    // to truncate, and a reset would take what is still on its way.
    if (this.fdKind === "tcp" && this.sending !== "ended")
      this.engine.poller.setsockopt(this.fd, "linger0", 1);
    this.close(reason);
  }

  /** Frees the descriptor now and tells the receiver in a later turn. */
  protected close(error: unknown, unread?: Uint8Array): void {
    if (this.closed) return;
    this.free(error);
    if (this.receiver !== undefined) this.tellClosed(unread);
  }

  /** Both directions have ended and no call of the receiver's or on us is under way: it can be told at once. */
  protected closeAtEnd(): void {
    this.free(this.broken);
    try {
      (this.receiver as TransportReceiver).onClose(this.broken);
    } catch (error) {
      logSafely(this.engine.loop.logger, "error", { err: error }, "Uncaught exception in onClose");
    }
  }

  private free(error: unknown): void {
    this.closed = true;
    this.broken = error;
    this.unread = undefined;
    this.abandonLease();
    this.facts?.close();
    if (this.handle === UNWATCHED) this.engine.poller.closeFd(this.fd);
    else this.engine.poller.close(this.handle);
  }

  protected tellClosed(unread?: Uint8Array): void {
    const receiver = this.receiver as TransportReceiver;
    inNextTurn(this.engine.loop, () => this.runInAsyncScope(receiver.onClose, receiver, this.broken, unread));
  }

  /** A receiver that throws loses its transport, not its process. */
  protected guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.abort(error);
    }
  }
}
