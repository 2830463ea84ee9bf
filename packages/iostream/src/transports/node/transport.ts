// A transport over a Node stream: `net.Socket`, `tls.TLSSocket`, any Duplex of bytes. Public API only.
//
// Node calls back when it likes: 'data' inside our own `write` (a PassThrough does), 'end' on a paused socket, 'close'
// in any order to both. Here each becomes the one call of the contract that it stands for, at a time the contract
// allows: what comes too early is put back into the stream, or remembered.

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type IOLoop, LazyAsyncResource } from "@tw/ioloop";
import { isPromiseLike, logSafely } from "@tw/util";
import { inNextTurn } from "../../next-turn.js";
import type { Transport, TransportInfo, TransportReceiver } from "../../transport.js";
import { brokenPipe } from "../broken-pipe.js";
import { keepAliveSeconds } from "../keep-alive.js";
import { nodeInfo } from "./info.js";
import { listenToData, listenToEnd, type StreamListener, unlisten } from "./listeners.js";
import { Outlet } from "./outlet.js";
import { askForReset, type Probed, probesOf } from "./probes.js";

/** Why nothing is delivered just now. */
const PAUSED = 1;
/** The receiver holds a view. */
const LEASED = 2;
/** A call to the receiver, or one of ours to the stream, is under way: another may not begin. */
const BUSY = 4;

/**
 * Makes a {@link Transport} of a connected Node stream, which belongs to the transport from then on. Nothing else may
 * read from it, write to it or give it an encoding.
 *
 * For half-close over TCP the stream must not end itself: its `allowHalfOpen` is set.
 *
 * @throws TypeError for a stream of objects or of text
 */
export function nodeTransport(loop: IOLoop, duplex: Duplex): NodeTransport {
  return new NodeTransport(loop, duplex);
}

/** See {@link nodeTransport}. */
export class NodeTransport extends LazyAsyncResource implements Transport, Probed, StreamListener {
  readonly #loop: IOLoop;
  readonly #duplex: Duplex;
  #receiver: TransportReceiver | undefined;
  #outlet: Outlet | undefined;
  #info: TransportInfo | undefined;
  #held = 0;
  /** Where the peer's side is: `asked` while the kernel is asked whether it ended so, `told` after `onEnd`. */
  #incoming: "open" | "ended" | "asked" | "told" = "open";
  #ended = false;
  /** Set once, by whoever was first: `abort`, an 'error', 'close'. */
  #fate: { readonly error: unknown } | undefined;
  #closed = false;
  #told = false;
  /** Views are of memory that is read into again, and what is written is not always looked at at once. */
  #lends = false;

  /** @internal Use {@link nodeTransport}. */
  constructor(loop: IOLoop, duplex: Duplex) {
    super("TWTransport");
    if (duplex.readableObjectMode || duplex.writableObjectMode)
      throw new TypeError("A transport needs a stream of bytes, got one of objects");
    if (duplex.readableEncoding !== null)
      throw new TypeError(
        `A transport needs a stream of bytes, got one with encoding ${duplex.readableEncoding}`,
      );
    this.#loop = loop;
    this.#duplex = duplex;
    duplex.allowHalfOpen = true;
    // A stream that can only be read has nothing to end.
    this.#ended = !duplex.writable && duplex.writableFinished;
    listenToEnd(duplex, this);
    if (duplex.closed) this.streamClosed();
  }

  get sendsViews(): boolean {
    return !this.#lends;
  }

  get info(): TransportInfo {
    this.#info ??= nodeInfo(this.#duplex);
    return this.#info;
  }

  start(receiver: TransportReceiver): void {
    const again = this.#receiver !== undefined;
    this.#receiver = receiver;
    if (again) return;
    const duplex = this.#duplex;
    listenToData(duplex);
    if (duplex.readableEnded && !wasReset(duplex)) this.#incoming = "ended";
    if (this.#closed || this.#incoming === "ended") this.#later();
    if (this.#held === 0) duplex.resume();
  }

  pause(): void {
    this.#hold(PAUSED);
  }

  resume(): void {
    this.#unhold(PAUSED);
  }

  write(chunks: readonly (Uint8Array | string)[]): number {
    if (this.#ended || this.#fate !== undefined) return 0;
    this.#outlet ??= new Outlet(this.#loop, this.#duplex, () => this.#drained());
    const outer = this.#held & BUSY;
    this.#held |= BUSY;
    const taken = this.#outlet.offer(chunks);
    if (outer === 0) this.#idle();
    return taken;
  }

  end(): void {
    if (this.#ended || this.#fate !== undefined) return;
    this.#ended = true;
    const outer = this.#held & BUSY;
    this.#held |= BUSY;
    this.#duplex.end(() => this.#closeWhenDone());
    if (outer === 0) this.#idle();
  }

  abort(reason?: unknown): void {
    if (this.#fate !== undefined) return;
    this.#fate = { error: reason };
    if (this.#closed) return this.#later();
    const duplex = this.#duplex;
    // A reset, not a FIN: the peer must not take a truncated message for a complete one. After `end` there is nothing
    // to truncate, and a reset would take what is still on its way.
    if (!this.#ended && isPlainTcp(duplex)) duplex.resetAndDestroy();
    else duplex.destroy();
  }

  setRef(ref: boolean): void {
    if (!(this.#duplex instanceof Socket)) return;
    if (ref) this.#duplex.ref();
    else this.#duplex.unref();
  }

  setNodelay(on: boolean): void {
    if (this.#duplex instanceof Socket) this.#duplex.setNoDelay(on);
  }

  setKeepAlive(idleMs: number): void {
    if (this.#duplex instanceof Socket)
      this.#duplex.setKeepAlive(idleMs > 0, keepAliveSeconds(idleMs) * 1000);
  }

  /** Hands the Node stream on and forgets it: paused, with what was received and not delivered. Nothing is told any more. */
  detach(): Duplex {
    const duplex = this.#duplex;
    this.#fate ??= { error: undefined };
    this.#receiver = undefined;
    probesOf(this.#loop).delete(this);
    duplex.pause();
    unlisten(duplex);
    return duplex;
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #hold(why: number): void {
    if ((this.#held & (PAUSED | LEASED)) === 0) {
      this.#duplex.pause();
      this.#probe();
    }
    this.#held |= why;
  }

  #unhold(why: number): void {
    if ((this.#held & why) === 0) return;
    this.#held &= ~why;
    if ((this.#held & (PAUSED | LEASED)) !== 0 || this.#receiver === undefined) return;
    if (this.#incoming === "ended") this.#later();
    this.#duplex.resume();
  }

  /** @internal A view of somebody else's memory, who wants to know when its time is over. */
  streamRead(view: Uint8Array, ended: () => void): void {
    this.#lends = true;
    if (this.#held === 0) this.#deliver(view, ended);
    else {
      this.#putBack(new Uint8Array(view));
      ended();
    }
  }

  #deliver(view: Uint8Array, ended: (() => void) | undefined): void {
    let lease: unknown;
    this.#held |= BUSY;
    try {
      const receiver = this.#receiver;
      // After an abort bytes may still come out of the stream's buffer.
      if (receiver !== undefined && this.#fate === undefined) {
        lease = this.runInAsyncScope(receiver.onBytes, receiver, view);
      }
    } catch (error) {
      this.abort(error);
    }
    this.#idle();
    if (!isPromiseLike(lease)) {
      ended?.();
      return;
    }
    this.#hold(LEASED);
    const settled = () => {
      ended?.();
      this.#unhold(LEASED);
    };
    lease.then(settled, (error) => {
      this.abort(error);
      settled();
    });
  }

  /** The call under way has returned; what came meanwhile and is in the stream again may follow. */
  #idle(): void {
    this.#held &= ~BUSY;
    if (this.#held !== 0 || this.#receiver === undefined) return;
    if (this.#duplex.isPaused()) this.#duplex.resume();
    if (this.#incoming === "ended") this.#later();
  }

  /** @internal 'data' */
  streamData(chunk: Uint8Array): void {
    if (this.#held !== 0) this.#putBack(chunk);
    else this.#deliver(chunk, undefined);
  }

  /** Not now: Node delivers during our own calls, and one read more after `resume` and `pause` in the same turn. */
  #putBack(chunk: Uint8Array): void {
    this.#duplex.pause();
    this.#duplex.unshift(chunk);
  }

  #tellEnd(): void {
    if (!this.#endIsDue || this.#held !== 0) return;
    this.#incoming = "asked";
    const socket = this.#duplex.writableEnded ? undefined : tcpOf(this.#duplex);
    if (socket === undefined) this.#confirmEnd();
    // What is on its way has the error of a reset by the next turn; behind it the answer could take for ever.
    else if (socket.writableLength > 0) inNextTurn(this.#loop, () => this.#confirmEnd());
    else askForReset(socket, (error) => this.#confirmEnd(error));
  }

  /** Unless it was a reset. A broken pipe is one behind an end, which who has nothing more to say need not know. */
  #confirmEnd(error?: unknown): void {
    const behindEnd = (error as { code?: unknown } | null | undefined)?.code === "EPIPE";
    if (this.#incoming !== "asked" || (error && !behindEnd)) return;
    this.#incoming = "ended";
    if (this.#held !== 0 || this.#fate !== undefined) return;
    this.#incoming = "told";
    this.#call("onEnd");
    if (behindEnd && this.#ended) this.#fate ??= { error: undefined };
    this.#closeWhenDone();
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #drained(): void {
    if (this.#fate !== undefined || this.#ended) return;
    if ((this.#held & BUSY) !== 0) inNextTurn(this.#loop, () => this.#drained());
    else this.#call("onDrain");
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #closeWhenDone(): void {
    // Sockets do so by themselves; other streams may have been made without `autoDestroy`.
    if (this.#incoming !== "open" && this.#duplex.writableFinished) this.#duplex.destroy();
  }

  /** Node does not look for a reset while nobody reads. */
  #probe(): void {
    if (this.#duplex instanceof Socket && !this.#closed) probesOf(this.#loop).add(this);
  }

  /** @internal */
  get idleSocket(): Socket | undefined {
    const duplex = this.#duplex;
    if (this.#ended || this.#fate !== undefined || duplex.writableLength > 0) return undefined;
    // A Unix socket says the same of a reset as of an end: it may be asked when there is nothing left to be lost by that.
    return this.#incoming === "told" && duplex instanceof Socket ? duplex : tcpOf(duplex);
  }

  /** @internal */
  get isFlowing(): boolean {
    return (this.#held & (PAUSED | LEASED)) === 0 && this.#incoming === "open";
  }

  /** @internal 'end' */
  streamEnded(): void {
    if (wasReset(this.#duplex)) return; // 'close' tells why
    this.#incoming = "ended";
    this.#probe();
    this.#tellEnd();
  }

  /** @internal 'error' */
  streamFailed(error: unknown): void {
    this.#fate ??= { error };
    this.#duplex.destroy();
  }

  /** Why a stream has closed that had not said goodbye: who cannot send could only have stopped to read. */
  #cutOff(): Error {
    return this.#incoming === "open" ? prematureClose() : brokenPipe();
  }

  /** @internal 'close' */
  streamClosed(): void {
    this.#closed = true;
    probesOf(this.#loop).delete(this);
    // Nobody is left whom to ask.
    if (this.#incoming === "asked") this.#incoming = "ended";
    const error = this.#duplex.errored ?? undefined;
    const clean = error === undefined && this.#ended && this.#incoming !== "open";
    // A stream that has ended both ways closes though it is held: the receiver hears of its end first, when it may.
    if (!clean || this.#incoming === "told")
      this.#fate ??= { error: clean ? undefined : (error ?? this.#cutOff()) };
    if ((this.#held & BUSY) === 0 && !this.#endIsDue) this.#tellClose();
    else this.#later();
  }

  /** Whether the peer's end has yet to be told. */
  get #endIsDue(): boolean {
    return this.#incoming === "ended" && this.#fate === undefined;
  }

  #tellClose(): void {
    const receiver = this.#receiver;
    if (this.#told || receiver === undefined || this.#endIsDue) return;
    this.#told = true;
    try {
      this.runInAsyncScope(receiver.onClose, receiver, this.#fate?.error);
    } catch (error) {
      logSafely(this.#loop.logger, "error", { err: error }, "Uncaught exception in onClose");
    }
  }

  /** In a later turn: what could not be told when it happened. */
  #later(): void {
    inNextTurn(this.#loop, () => {
      this.#tellEnd();
      if (this.#closed) this.#tellClose();
    });
  }

  /** A receiver that throws loses its transport, not its process. */
  #call(event: "onEnd" | "onDrain"): void {
    const receiver = this.#receiver as TransportReceiver;
    this.#held |= BUSY;
    try {
      this.runInAsyncScope(receiver[event], receiver);
    } catch (error) {
      this.abort(error);
    }
    this.#idle();
  }
}

/** The socket of a connection that may be reset: a Unix socket whose peer has closed refuses to be asked. */
function tcpOf(duplex: Duplex): Socket | undefined {
  return duplex instanceof Socket && duplex.localPort !== undefined ? duplex : undefined;
}

/** An HTTP/2 stream whose connection was lost ends as one does that is complete, and has a code that says otherwise. */
function wasReset(duplex: Duplex): boolean {
  const { rstCode = 0 } = duplex as { rstCode?: number };
  return rstCode !== 0;
}

function isPlainTcp(duplex: Duplex): duplex is Socket {
  return duplex instanceof Socket && !("encrypted" in duplex) && duplex.remotePort !== undefined;
}

function prematureClose(): Error {
  return Object.assign(new Error("Premature close"), { code: "ERR_STREAM_PREMATURE_CLOSE" });
}
