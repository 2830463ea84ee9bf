// A transport over a non-blocking descriptor: a TCP or Unix socket, a pipe. Registered once, edge-triggered.
//
// An edge tells that something changed, never how much is there. So the events of an edge are kept as `#hints` until
// a read proves that the descriptor is drained: EAGAIN, or for TCP a short read with no hang-up in sight (a FIN queued
// behind the bytes makes no further edge). A paused stream keeps its hints, and resuming tries a read first.
//
// Where reading is what an event would begin with, the poller has done the first read already (`ReadAhead`), and may have
// done it before some neighbours were called. If one of those pauses this stream, it keeps what was read until it resumes.

import { LazyAsyncResource } from "@tw/ioloop";
import { ERROR, HANGUP, type Host, NOT_READ, type PollHandle, type PollSink, READ, WRITE } from "@tw/poller";
import { concatBytes, isPromiseLike } from "@tw/util";
import { inNextTurn } from "../../next-turn.js";
import { READ_FILE, type Transport, type TransportInfo, type TransportReceiver } from "../../transport.js";
import { brokenPipe } from "../broken-pipe.js";
import { keepAliveSeconds } from "../keep-alive.js";
import { lostBytes, READ_SIZE, type Slab, type SlabPool } from "../slab.js";
import type { NativeEngine } from "./engine.js";
import { interrupted, lostPeer, systemError, wouldBlock } from "./errno.js";
import { NativeInfo } from "./info.js";

/**
 * What kind of descriptor it is: only TCP may take a short read for "drained". A `pipe` has both directions (a terminal, a
 * FIFO opened for both), a `source` can only be read and a `sink` only be written to.
 */
export type DescriptorKind = "tcp" | "unix" | "pipe" | "source" | "sink";

/** Reads of one descriptor before its neighbours have their turn. */
const READ_BUDGET = 16;

/** Bytes of a file that the kernel is asked for at a time, and to send at a time. */
const FILE_SIZE = 256 * 1024;

/** Who reads: nobody while the receiver paused us, or holds a lease, or after the end of input. */
const PAUSED = 1;
const LEASED = 2;
const ENDED = 4;

const UNWATCHED: PollHandle = -1;

/** A view that is the receiver's until its promise settles. */
interface Lease {
  readonly pool: SlabPool;
  readonly slab: Slab;
  /** Bytes. */
  readonly count: number;
}

/**
 * A {@link Transport} on a descriptor, driven by `@tw/poller`.
 *
 * The descriptor belongs to the transport from the constructor on and is closed by it. It must be non-blocking and
 * connected (an unconnected TCP socket reports a hang-up at once).
 */
export class NativeTransport extends LazyAsyncResource implements Transport, PollSink {
  readonly #engine: NativeEngine;
  readonly #fd: number;
  readonly #kind: DescriptorKind;
  #remoteHost: Host;
  #remotePort: number;
  #info: NativeInfo | undefined;
  #handle: PollHandle = UNWATCHED;
  #receiver: TransportReceiver | undefined;
  #held = 0;
  /** What the receiver has a promise for. */
  #leased: Lease | undefined;
  #hints = 0;
  /** What was read ahead of an event that found us paused. */
  #unread: Uint8Array<ArrayBuffer> | undefined;
  #budget = 0;
  #sending: "open" | "blocked" | "ended" = "open";
  #closed = false;
  /** Why no more can be written, or why the transport closed. */
  #broken: unknown;

  constructor(engine: NativeEngine, fd: number, kind: DescriptorKind, remoteHost: Host = "", remotePort = 0) {
    super("TWTransport");
    this.#engine = engine;
    this.#fd = fd;
    this.#kind = kind;
    this.#remoteHost = remoteHost;
    this.#remotePort = remotePort;
    if (kind === "source") this.#sending = "ended";
    else if (kind === "sink") this.#held = ENDED;
  }

  get sendsViews(): boolean {
    return true;
  }

  get info(): TransportInfo {
    this.#info ??= new NativeInfo(this.#engine.poller, this.#fd, this.#remoteHost, this.#remotePort);
    if (this.#closed) this.#info.close();
    return this.#info;
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    if (this.#closed) return this.#tellClosed();
    if (this.#handle !== UNWATCHED) return;
    const handle = this.#engine.poller.watch(this.#fd, this.#interest(), this, { edge: true });
    if (handle < 0) throw systemError(this.#engine.poller, handle, "watch");
    this.#handle = handle;
    this.#readAhead();
    if (this.#kind === "sink")
      inNextTurn(this.#engine.loop, () => this.runInAsyncScope(this.#tellSink, this));
  }

  /** Nothing can be read of a sink: it has ended before it began. */
  #tellSink(): void {
    if (!this.#closed) this.#guard(() => (this.#receiver as TransportReceiver).onEnd());
  }

  pause(): void {
    this.#held |= PAUSED;
    this.#readAhead();
  }

  resume(): void {
    if ((this.#held & PAUSED) === 0) return;
    this.#held &= ~PAUSED;
    this.#readAhead();
    if (this.#hints !== 0 && !this.#closed) this.#engine.poller.wake(this.#handle);
  }

  setRef(ref: boolean): void {
    if (!this.#closed && this.#handle !== UNWATCHED) this.#engine.poller.setRef(this.#handle, ref);
  }

  setNodelay(on: boolean): void {
    if (!this.#closed && this.#kind === "tcp")
      this.#engine.poller.setsockopt(this.#fd, "noDelay", on ? 1 : 0);
  }

  setKeepAlive(idleMs: number): void {
    if (!this.#closed && this.#kind === "tcp")
      this.#engine.poller.setsockopt(this.#fd, "keepAlive", keepAliveSeconds(idleMs));
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets the poller read, or not: to be called whenever what this depends on has changed. */
  #readAhead(): void {
    if (this.#closed || this.#handle === UNWATCHED) return;
    const wanted = this.#held === 0 && this.#sending !== "blocked" && this.#unread === undefined;
    this.#engine.ahead?.allow(this.#handle, wanted);
  }

  /** Called by the poller, once per edge or wake. */
  onEvents(events: number, received: number, lane: number): void {
    this.runInAsyncScope(this.#react, this, events, received, lane);
  }

  #react(events: number, received: number, lane: number): void {
    if (this.#closed) return;
    this.#hints |= events & (READ | HANGUP | ERROR);
    this.#budget = READ_BUDGET;
    let unread = received;
    if ((events & WRITE) !== 0 && this.#sending === "blocked") {
      // Whoever is told that there is room may let go of us, and of what was read.
      if (unread !== NOT_READ) this.#keep(unread, lane);
      unread = NOT_READ;
      if (!this.#closed) this.#unblock();
      if (this.#closed) return;
    }
    if (this.#held === 0) this.#readAll(unread, lane);
    else {
      if (unread !== NOT_READ) this.#keep(unread, lane);
      if ((events & ERROR) !== 0) this.#checkError();
      // Also in a lease: it may wait for the write that failed, and would then be held for ever.
      if (this.#broken !== undefined) this.#closeWithUnread(this.#broken);
    }
  }

  #readAll(received: number, lane: number): void {
    const { poller, slabs } = this.#engine;
    const pool = slabs[lane] as SlabPool;
    let count = received;
    if (count > 0 && pool.lost) return this.abort(lostBytes());
    if (this.#unread !== undefined) this.#deliverUnread(pool, this.#unread);
    for (; this.#hints !== 0 && this.#held === 0 && !this.#closed; count = NOT_READ) {
      if (this.#budget-- <= 0) return poller.wake(this.#handle);
      const slab = pool.current();
      if (count === NOT_READ) count = poller.read(this.#fd, slab.bytes, pool.at, READ_SIZE);
      if (count > 0) {
        if (count < READ_SIZE && this.#kind === "tcp" && (this.#hints & (HANGUP | ERROR)) === 0)
          this.#hints = 0;
        this.#deliver(pool, slab, count);
      } else if (count === 0 && this.#wasReset()) break;
      else if (count === 0) this.#inputEnded();
      else if (wouldBlock(count)) this.#hints = 0;
      else if (!interrupted(count)) return this.#close(systemError(poller, count, "read"));
    }
    this.#closeBroken();
  }

  /** The kernel tells of a reset once. When a write was told, a read sees an end that there is not: behind an end it says EPIPE. */
  #wasReset(): boolean {
    return this.#broken !== undefined && (this.#broken as { code?: unknown }).code !== "EPIPE";
  }

  /** Closes for a failed write, when what came before it was delivered or nobody wants it. */
  #closeBroken(): void {
    if (this.#broken !== undefined && (this.#held & LEASED) === 0) this.#closeWithUnread(this.#broken);
  }

  /** Keeps for later what came of a read ahead. Of an end, a read tells again. */
  #keep(received: number, lane: number): void {
    const { poller, slabs } = this.#engine;
    const pool = slabs[lane] as SlabPool;
    if (received > 0 && pool.lost) this.abort(lostBytes());
    else if (received > 0) {
      this.#unread = pool.copy(received);
      this.#readAhead();
    } else if (received < 0 && !wouldBlock(received) && !interrupted(received))
      this.#closeWithUnread(systemError(poller, received, "read"));
  }

  #deliverUnread(pool: SlabPool, unread: Uint8Array): void {
    this.#unread = undefined;
    this.#readAhead();
    const slab = pool.current();
    slab.bytes.set(unread, pool.at);
    this.#deliver(pool, slab, unread.length);
  }

  #deliver(pool: SlabPool, slab: Slab, count: number): void {
    const view = pool.reserve(slab, count);
    let result: unknown;
    try {
      result = (this.#receiver as TransportReceiver).onBytes(view);
    } catch (error) {
      pool.release(slab, view, count);
      return this.abort(error);
    }
    if (isPromiseLike(result)) this.#lease(pool, slab, view, count, result);
    else pool.release(slab, view, count);
  }

  /** The receiver holds the view until its promise settles; nothing is read until then. */
  #lease(pool: SlabPool, slab: Slab, view: Uint8Array, count: number, lease: PromiseLike<unknown>): void {
    this.#held |= LEASED;
    this.#readAhead();
    const settled = (error?: unknown, failed = false) => {
      this.#endLease();
      pool.release(slab, view, count);
      this.#held &= ~LEASED;
      this.#readAhead();
      if (failed) return this.abort(error);
      if (!this.#closed) this.runInAsyncScope(this.#readAll, this, NOT_READ, 0);
    };
    lease.then(
      () => settled(),
      (error) => settled(error, true),
    );
    // The receiver may have closed us before it returned: then there is nobody to count it for.
    if (this.#closed) return;
    this.#leased = { pool, slab, count };
    const tooMuch = this.#engine.leases.begin(count);
    if (tooMuch !== undefined) this.abort(tooMuch);
  }

  #endLease(): void {
    if (this.#leased === undefined) return;
    this.#engine.leases.end(this.#leased.count);
    this.#leased = undefined;
  }

  /** A promise that is never settled may be all that is left of a lease: it counts no longer, and no lane waits for its end. */
  #abandonLease(): void {
    if (this.#leased === undefined) return;
    const { pool, slab } = this.#leased;
    if (pool !== this.#engine.slabs[0]) pool.abandon(slab);
    this.#endLease();
  }

  #inputEnded(): void {
    this.#held |= ENDED;
    this.#hints = 0;
    this.#readAhead();
    this.#guard(() => (this.#receiver as TransportReceiver).onEnd());
    if (this.#sending === "ended" && !this.#closed) this.#closeAtEnd();
  }

  /** Nobody reads just now, but a reset must not wait for that. */
  #checkError(): void {
    // Of a sink it says that nobody reads any more, of another pipe that nobody will ever write.
    if (this.#kind === "sink") return this.#close(brokenPipe());
    const errno = this.#engine.poller.socketError(this.#fd);
    if (errno > 0) this.#closeWithUnread(systemError(this.#engine.poller, -errno, "read"));
  }

  /** Closes for an error that does not wait for {@link resume}. What came before it, and was not delivered, goes along. */
  #closeWithUnread(error: unknown): void {
    if (!this.#closed) this.#close(error, (this.#held & ENDED) === 0 ? this.#takeUnread() : undefined);
  }

  /** What the kernel has, which is no more than its buffer holds. */
  #takeUnread(): Uint8Array {
    const { poller, slabs } = this.#engine;
    const [pool] = slabs;
    const parts: Uint8Array[] = this.#unread === undefined ? [] : [this.#unread];
    for (;;) {
      const { bytes } = pool.current();
      const count = poller.read(this.#fd, bytes, pool.at, READ_SIZE);
      if (count > 0) parts.push(pool.copy(count));
      else if (!interrupted(count)) return concatBytes(parts);
    }
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  write(chunks: readonly (Uint8Array | string)[], more?: boolean): number {
    if (this.#sending !== "open" || this.#closed || this.#broken !== undefined) return 0;
    const { poller } = this.#engine;
    let left = 0;
    for (const chunk of chunks) left += chunk.length;
    const total = left;
    let rest = chunks;
    let skip = 0;
    while (left > 0) {
      const count = poller.writev(this.#fd, rest, skip, more);
      if (count >= 0) {
        left -= count;
        if (left === 0) break;
        // The kernel took a part: only EAGAIN promises an edge when there is room again.
        skip += count;
        let whole = 0;
        while (skip >= (rest[whole] as Uint8Array | string).length)
          skip -= (rest[whole++] as Uint8Array | string).length;
        if (whole > 0) rest = rest.slice(whole);
      } else if (wouldBlock(count)) {
        this.#block();
        break;
      } else if (!interrupted(count)) {
        this.#breakOff(systemError(poller, count, "write"));
        break;
      }
    }
    return total - left;
  }

  sendFile(file: number, offset: number, length: number): number {
    if (this.#sending !== "open" || this.#closed || this.#broken !== undefined) return 0;
    const { poller } = this.#engine;
    const wanted = Math.min(length, FILE_SIZE);
    if (poller.cached(file, offset, wanted) === 0) return READ_FILE;
    let sent = 0;
    while (sent < wanted) {
      const count = poller.sendfile(this.#fd, file, offset + sent, wanted - sent);
      if (count > 0) sent += count;
      else if (wouldBlock(count)) {
        this.#block();
        return sent;
      } else if (lostPeer(count)) {
        this.#breakOff(systemError(poller, count, "sendfile"));
        return sent;
      }
      // The file has ended, or is none. Whose fault it is shows when it is read and written.
      else if (!interrupted(count)) return sent === 0 ? READ_FILE : sent;
    }
    return sent;
  }

  end(): void {
    if (this.#sending === "ended" || this.#closed) return;
    this.#sending = "ended";
    this.#readAhead();
    this.#engine.poller.shutdown(this.#fd);
    if ((this.#held & ENDED) !== 0) this.#close(this.#broken);
  }

  #block(): void {
    this.#sending = "blocked";
    this.#readAhead();
    if (this.#kind !== "tcp") this.#engine.poller.modify(this.#handle, this.#interest());
  }

  #unblock(): void {
    this.#sending = "open";
    this.#readAhead();
    if (this.#kind !== "tcp") this.#engine.poller.modify(this.#handle, this.#interest());
    this.#guard(() => (this.#receiver as TransportReceiver).onDrain());
  }

  /** TCP reports writability on an edge of its own; a Unix socket or pipe would wake us for each message its peer reads. */
  #interest(): number {
    return this.#kind === "tcp" || this.#sending === "blocked" ? READ | WRITE : READ;
  }

  /** The peer takes no more. What it sent before is still delivered; then the transport closes with this error. */
  #breakOff(error: Error): void {
    this.#broken = error;
    this.#hints |= HANGUP;
    this.#engine.poller.wake(this.#handle);
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  abort(reason?: unknown): void {
    if (this.#closed) return;
    // A reset, not a FIN: the peer must not take a truncated message for a complete one. After `end` there is nothing
    // to truncate, and a reset would take what is still on its way.
    if (this.#kind === "tcp" && this.#sending !== "ended")
      this.#engine.poller.setsockopt(this.#fd, "linger0", 1);
    this.#close(reason);
  }

  release(): { readonly fd: number; readonly unread: Uint8Array } {
    const { poller, ahead } = this.#engine;
    const unread = this.#unread ?? ahead?.reclaim(this.#handle);
    if (unread === null) {
      const lost = lostBytes();
      this.abort(lost);
      throw lost;
    }
    this.#unread = undefined;
    this.#closed = true;
    this.#abandonLease();
    if (this.#handle !== UNWATCHED) poller.unwatch(this.#handle);
    return { fd: this.#fd, unread: unread ?? new Uint8Array(0) };
  }

  /** Frees the descriptor now and tells the receiver in a later turn. */
  #close(error: unknown, unread?: Uint8Array): void {
    if (this.#closed) return;
    this.#free(error);
    if (this.#receiver !== undefined) this.#tellClosed(unread);
  }

  #free(error: unknown): void {
    this.#closed = true;
    this.#broken = error;
    this.#unread = undefined;
    this.#abandonLease();
    this.#info?.close();
    if (this.#handle === UNWATCHED) this.#engine.poller.closeFd(this.#fd);
    else this.#engine.poller.close(this.#handle);
  }

  /** Both directions have ended and no call of the receiver's or on us is under way: it can be told at once. */
  #closeAtEnd(): void {
    this.#free(this.#broken);
    try {
      (this.#receiver as TransportReceiver).onClose(this.#broken);
    } catch (error) {
      this.#engine.loop.logger.error({ err: error }, "Uncaught exception in onClose");
    }
  }

  #tellClosed(unread?: Uint8Array): void {
    const receiver = this.#receiver as TransportReceiver;
    inNextTurn(this.#engine.loop, () =>
      this.runInAsyncScope(receiver.onClose, receiver, this.#broken, unread),
    );
  }

  /** A receiver that throws loses its transport, not its process. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.abort(error);
    }
  }
}
