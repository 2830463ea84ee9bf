// What every part of the transport stands on: its Node stream, whether the receiver may be called just now, and how it ends.
//
// A transport is one object in parts, each a class that knows those before it:
//
//   OwnedDuplex ◄─── DuplexReader ◄────────── NodeTransport
//   state, the end   bytes, the peer's end    start, write, end, options
//
// Node calls back when it likes: 'data' inside our own `write` (a PassThrough does), 'end' on a paused socket, 'close'
// in any order to both. Here each becomes the one call of the contract that it stands for, at a time the contract
// allows: what comes too early is put back into the stream, or remembered.

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type IOLoop, LazyAsyncResource } from "@tw/ioloop";
import { logSafely } from "@tw/util";
import { inNextTurn } from "../../next-turn.js";
import type { TransportReceiver } from "../../transport.js";
import { brokenPipe } from "../broken-pipe.js";
import { type Probed, probesOf } from "./probes.js";

/** Why nothing is delivered just now. */
export const PAUSED = 1;
/** The receiver holds a view. */
export const LEASED = 2;
/** A call to the receiver, or one of ours to the stream, is under way: another may not begin. */
export const BUSY = 4;

/** A Node stream that ends with the transport it belongs to. */
export abstract class OwnedDuplex extends LazyAsyncResource implements Probed {
  protected readonly loop: IOLoop;
  protected readonly duplex: Duplex;
  protected receiver: TransportReceiver | undefined = undefined;
  /** {@link PAUSED}, {@link LEASED}, {@link BUSY}. */
  protected held = 0;
  /** Where the peer's side is: `asked` while the kernel is asked whether it ended so, `told` after `onEnd`. */
  protected incoming: "open" | "ended" | "asked" | "told" = "open";
  /** Whether our side has ended. */
  protected ended: boolean;
  /** Set once, by whoever was first: `abort`, an 'error', 'close'. */
  protected fate: { readonly error: unknown } | undefined = undefined;
  protected closed = false;
  private told = false;

  constructor(loop: IOLoop, duplex: Duplex) {
    super("TWTransport");
    if (duplex.readableObjectMode || duplex.writableObjectMode)
      throw new TypeError("A transport needs a stream of bytes, got one of objects");
    if (duplex.readableEncoding !== null)
      throw new TypeError(
        `A transport needs a stream of bytes, got one with encoding ${duplex.readableEncoding}`,
      );
    this.loop = loop;
    this.duplex = duplex;
    duplex.allowHalfOpen = true;
    // A stream that can only be read has nothing to end.
    this.ended = !duplex.writable && duplex.writableFinished;
  }

  /** @internal */
  abstract get idleSocket(): Socket | undefined;

  /** @internal */
  abstract get isFlowing(): boolean;

  /** Tells the peer's end, if it is due and may be told. */
  protected abstract tellEnd(): void;

  /** The call under way has returned; what came meanwhile may follow. */
  protected abstract idle(): void;

  /** A receiver that throws loses its transport, not its process. */
  protected call(event: "onEnd" | "onDrain"): void {
    const receiver = this.receiver as TransportReceiver;
    this.held |= BUSY;
    try {
      this.runInAsyncScope(receiver[event], receiver);
    } catch (error) {
      this.abort(error);
    }
    this.idle();
  }

  /** In a later turn: what could not be told when it happened. */
  protected later(): void {
    inNextTurn(this.loop, () => {
      this.tellEnd();
      if (this.closed) this.tellClose();
    });
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  abort(reason?: unknown): void {
    if (this.fate !== undefined) return;
    this.fate = { error: reason };
    if (this.closed) return this.later();
    const { duplex } = this;
    // A reset, not a FIN: the peer must not take a truncated message for a complete one. After `end` there is nothing
    // to truncate, and a reset would take what is still on its way.
    if (!this.ended && isPlainTcp(duplex)) duplex.resetAndDestroy();
    else duplex.destroy();
  }

  /** To be called whenever one of the sides has ended. */
  protected closeWhenDone(): void {
    // Sockets do so by themselves; other streams may have been made without `autoDestroy`.
    if (this.incoming !== "open" && this.duplex.writableFinished) this.duplex.destroy();
  }

  /** @internal 'error' */
  streamFailed(error: unknown): void {
    this.fate ??= { error };
    this.duplex.destroy();
  }

  /** @internal 'close' */
  streamClosed(): void {
    this.closed = true;
    probesOf(this.loop).delete(this);
    // Nobody is left whom to ask.
    if (this.incoming === "asked") this.incoming = "ended";
    const error = this.duplex.errored ?? undefined;
    const clean = error === undefined && this.ended && this.incoming !== "open";
    // A stream that has ended both ways closes though it is held: the receiver hears of its end first, when it may.
    if (!clean || this.incoming === "told")
      this.fate ??= { error: clean ? undefined : (error ?? this.cutOff()) };
    if ((this.held & BUSY) === 0 && !this.endIsDue) this.tellClose();
    else this.later();
  }

  /** An HTTP/2 stream whose connection was lost ends as one does that is complete, and has a code that says otherwise. */
  protected get wasReset(): boolean {
    const { rstCode = 0 } = this.duplex as { rstCode?: number };
    return rstCode !== 0;
  }

  /** Why a stream has closed that had not said goodbye: who cannot send could only have stopped to read. */
  private cutOff(): Error {
    return this.incoming === "open" ? prematureClose() : brokenPipe();
  }

  /** Whether the peer's end has yet to be told. */
  protected get endIsDue(): boolean {
    return this.incoming === "ended" && this.fate === undefined;
  }

  private tellClose(): void {
    const { receiver } = this;
    if (this.told || receiver === undefined || this.endIsDue) return;
    this.told = true;
    try {
      this.runInAsyncScope(receiver.onClose, receiver, this.fate?.error);
    } catch (error) {
      logSafely(this.loop.logger, "error", { err: error }, "Uncaught exception in onClose");
    }
  }
}

/** What is written to it goes to the kernel as it is. */
export function isPlainSocket(duplex: Duplex): duplex is Socket {
  return duplex instanceof Socket && !("encrypted" in duplex);
}

function isPlainTcp(duplex: Duplex): duplex is Socket {
  return isPlainSocket(duplex) && duplex.remotePort !== undefined;
}

function prematureClose(): Error {
  return Object.assign(new Error("Premature close"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}
