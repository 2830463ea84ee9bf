// Reading from a Node stream: what comes, and the end behind it, are told when the receiver may be called. What comes at
// another time goes back into the stream.

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isPromiseLike } from "@tw/util";
import { inNextTurn } from "../../next-turn.js";
import { isSending } from "./at-once.js";
import { BUSY, LEASED, OwnedDuplex, PAUSED } from "./duplex.js";
import type { StreamListener } from "./listeners.js";
import { askForReset, probesOf } from "./probes.js";

/** Who reads into memory of its own, and counts what of it is leased; one view at a time. */
export interface Lender {
  /** Returns the error for whoever leases too much. */
  beginLease(length: number): Error | undefined;
  /** Harmless when there is none. */
  endLease(): void;
}

/** What the stream calls, and what it gives to the receiver. */
export abstract class DuplexReader extends OwnedDuplex implements StreamListener {
  /** Whose memory views are of, where that is read into again: what is written is not always looked at at once. */
  private lender: Lender | undefined = undefined;

  get sendsViews(): boolean {
    return this.lender === undefined;
  }

  pause(): void {
    this.hold(PAUSED);
  }

  resume(): void {
    this.unhold(PAUSED);
  }

  private hold(why: number): void {
    if ((this.held & (PAUSED | LEASED)) === 0) {
      this.duplex.pause();
      this.probe();
    }
    this.held |= why;
  }

  private unhold(why: number): void {
    if ((this.held & why) === 0) return;
    this.held &= ~why;
    if ((this.held & (PAUSED | LEASED)) !== 0 || this.receiver === undefined) return;
    if (this.incoming === "ended") this.later();
    this.duplex.resume();
  }

  /** @internal A view of the memory of `lender`, who wants to know when its time is over. */
  streamRead(view: Uint8Array, lender: Lender, ended: () => void): void {
    this.lender = lender;
    if (this.receiver === undefined) this.keep(new Uint8Array(view));
    else if (this.held === 0) return this.deliver(view, ended);
    else this.putBack(new Uint8Array(view));
    ended();
  }

  /** @internal 'data' */
  streamData(chunk: Uint8Array): void {
    if (this.held !== 0) this.putBack(chunk);
    else this.deliver(chunk, undefined);
  }

  private deliver(view: Uint8Array, ended: (() => void) | undefined): void {
    let lease: unknown;
    this.held |= BUSY;
    try {
      const { receiver } = this;
      // After an abort bytes may still come out of the stream's buffer.
      if (receiver !== undefined && this.fate === undefined) {
        lease = this.runInAsyncScope(receiver.onBytes, receiver, view);
      }
    } catch (error) {
      this.abort(error);
    }
    this.idle();
    if (!isPromiseLike(lease)) {
      ended?.();
      return;
    }
    // The receiver may have let go of us before it returned: the stream is another's then, and nothing is held for us.
    if (this.receiver !== undefined) {
      this.hold(LEASED);
      if (ended !== undefined) this.beginLease(view.length);
    }
    const settled = () => {
      this.endLease();
      ended?.();
      this.unhold(LEASED);
    };
    lease.then(settled, (error) => {
      this.abort(error);
      settled();
    });
  }

  private beginLease(length: number): void {
    if (this.closed) return;
    const tooMuch = this.lender?.beginLease(length);
    if (tooMuch !== undefined) this.abort(tooMuch);
  }

  /** Also when we are closed: a promise that is never settled may be all that is left of a lease. */
  protected endLease(): void {
    this.lender?.endLease();
  }

  override streamClosed(): void {
    this.endLease();
    super.streamClosed();
  }

  /**
   * For the next owner, if there is one: Node begins to read in the tick behind `resume`, also when we were detached in
   * between. A stream that flows again is his to stop.
   */
  private keep(chunk: Uint8Array): void {
    const { duplex } = this;
    if (!duplex.push(chunk) && duplex.readableFlowing !== true) duplex.pause();
  }

  /** Not now: Node delivers during our own calls, and one read more after `resume` and `pause` in the same turn. */
  private putBack(chunk: Uint8Array): void {
    this.duplex.pause();
    this.duplex.unshift(chunk);
  }

  protected override idle(): void {
    this.held &= ~BUSY;
    if (this.held !== 0 || this.receiver === undefined) return;
    if (this.duplex.isPaused()) this.duplex.resume();
    if (this.incoming === "ended") this.later();
  }

  // ── The peer's end ───────────────────────────────────────────────────────────────────────────────────────────────

  /** @internal 'end' */
  streamEnded(): void {
    if (this.wasReset) return; // 'close' tells why
    this.incoming = "ended";
    this.probe();
    this.tellEnd();
  }

  protected override tellEnd(): void {
    if (!this.endIsDue || this.held !== 0) return;
    this.incoming = "asked";
    const socket = this.duplex.writableEnded ? undefined : tcpOf(this.duplex);
    if (socket === undefined) this.confirmEnd();
    // What is on its way has the error of a reset by the next turn; behind it the answer could take for ever.
    else if (isSending(socket)) inNextTurn(this.loop, () => this.confirmEnd());
    else askForReset(socket, (error) => this.confirmEnd(error));
  }

  /** Unless it was a reset. A broken pipe is one behind an end, which who has nothing more to say need not know. */
  private confirmEnd(error?: unknown): void {
    const behindEnd = (error as { code?: unknown } | null | undefined)?.code === "EPIPE";
    if (this.incoming !== "asked" || (error && !behindEnd)) return;
    this.incoming = "ended";
    if (this.held !== 0 || this.fate !== undefined) return;
    this.incoming = "told";
    this.call("onEnd");
    if (behindEnd && this.ended) this.fate ??= { error: undefined };
    this.closeWhenDone();
  }

  /** Node does not look for a reset while nobody reads. */
  private probe(): void {
    if (this.duplex instanceof Socket && !this.closed) probesOf(this.loop).add(this);
  }

  /** @internal */
  get idleSocket(): Socket | undefined {
    const { duplex } = this;
    if (this.ended || this.fate !== undefined || isSending(duplex)) return undefined;
    // A Unix socket says the same of a reset as of an end: it may be asked when there is nothing left to be lost by that.
    return this.incoming === "told" && duplex instanceof Socket ? duplex : tcpOf(duplex);
  }

  /** @internal */
  get isFlowing(): boolean {
    return (this.held & (PAUSED | LEASED)) === 0 && this.incoming === "open";
  }
}

/** The socket of a connection that may be reset: a Unix socket whose peer has closed refuses to be asked. */
function tcpOf(duplex: Duplex): Socket | undefined {
  return duplex instanceof Socket && duplex.localPort !== undefined ? duplex : undefined;
}
