// Reading from a descriptor that is registered once, edge-triggered.
//
// An edge tells that something changed, never how much is there. So the events of an edge are kept as `hints` until
// a read proves that the descriptor is drained: EAGAIN, or for TCP a short read with no hang-up in sight (a FIN queued
// behind the bytes makes no further edge). A paused stream keeps its hints, and resuming tries a read first.
//
// Where reading is what an event would begin with, the poller has done the first read already (`ReadAhead`), and may have
// done it before some neighbours were called. If one of those pauses this stream, it keeps what was read until it resumes.

import { ERROR, HANGUP, NOT_READ, type PollSink, READ, WRITE } from "@tw/poller";
import { concatBytes, isPromiseLike } from "@tw/util";
import type { TransportReceiver } from "../../transport.js";
import { brokenPipe } from "../broken-pipe.js";
import { lostBytes, READ_SIZE, type Slab, type SlabPool } from "../slab.js";
import { ENDED, LEASED } from "./descriptor.js";
import { interrupted, systemError, wouldBlock } from "./errno.js";
import { DescriptorWriter } from "./writing.js";

/** Reads of one descriptor before its neighbours have their turn. */
const READ_BUDGET = 16;

/** A view that is the receiver's until its promise settles. */
interface Lease {
  readonly pool: SlabPool;
  readonly slab: Slab;
  /** Bytes. */
  readonly count: number;
}

/** What the poller calls, and what it gives to the receiver. */
export abstract class DescriptorReader extends DescriptorWriter implements PollSink {
  /** What the receiver has a promise for. */
  private leased: Lease | undefined = undefined;
  private budget = 0;

  /** Called by the poller, once per edge or wake. */
  onEvents(events: number, received: number, lane: number): void {
    this.runInAsyncScope(this.react, this, events, received, lane);
  }

  private react(events: number, received: number, lane: number): void {
    if (this.closed) return;
    this.hints |= events & (READ | HANGUP | ERROR);
    this.budget = READ_BUDGET;
    let unread = received;
    if ((events & WRITE) !== 0 && this.sending === "blocked") {
      // Whoever is told that there is room may let go of us, and of what was read.
      if (unread !== NOT_READ) this.keep(unread, lane);
      unread = NOT_READ;
      if (!this.closed) this.unblock();
      if (this.closed) return;
    }
    if (this.held === 0) this.readAll(unread, lane);
    else {
      if (unread !== NOT_READ) this.keep(unread, lane);
      if ((events & ERROR) !== 0) this.checkError();
      // Also in a lease: it may wait for the write that failed, and would then be held for ever.
      if (this.broken !== undefined) this.closeWithUnread(this.broken);
    }
  }

  private readAll(received: number, lane: number): void {
    const { poller, slabs } = this.engine;
    const pool = slabs[lane] as SlabPool;
    let count = received;
    if (count > 0 && pool.lost) return this.abort(lostBytes());
    if (this.unread !== undefined) this.deliverUnread(pool, this.unread);
    for (; this.hints !== 0 && this.held === 0 && !this.closed; count = NOT_READ) {
      if (this.budget-- <= 0) return poller.wake(this.handle);
      const slab = pool.current();
      if (count === NOT_READ) count = poller.read(this.fd, slab.bytes, pool.at, READ_SIZE);
      if (count > 0) {
        if (count < READ_SIZE && this.fdKind === "tcp" && (this.hints & (HANGUP | ERROR)) === 0)
          this.hints = 0;
        this.deliver(pool, slab, count);
      } else if (count === 0 && this.wasReset()) break;
      else if (count === 0) this.inputEnded();
      else if (wouldBlock(count)) this.hints = 0;
      else if (!interrupted(count)) return this.close(systemError(poller, count, "read"));
    }
    this.closeBroken();
  }

  /** Keeps for later what came of a read ahead. Of an end, a read tells again. */
  private keep(received: number, lane: number): void {
    const { poller, slabs } = this.engine;
    const pool = slabs[lane] as SlabPool;
    if (received > 0 && pool.lost) this.abort(lostBytes());
    else if (received > 0) {
      this.unread = pool.copy(received);
      this.allowReadAhead();
    } else if (received < 0 && !wouldBlock(received) && !interrupted(received))
      this.closeWithUnread(systemError(poller, received, "read"));
  }

  private deliverUnread(pool: SlabPool, unread: Uint8Array): void {
    this.unread = undefined;
    this.allowReadAhead();
    const slab = pool.current();
    slab.bytes.set(unread, pool.at);
    this.deliver(pool, slab, unread.length);
  }

  private deliver(pool: SlabPool, slab: Slab, count: number): void {
    const view = pool.reserve(slab, count);
    let result: unknown;
    try {
      result = (this.receiver as TransportReceiver).onBytes(view);
    } catch (error) {
      pool.release(slab, view, count);
      return this.abort(error);
    }
    if (isPromiseLike(result)) this.lease(pool, slab, view, count, result);
    else pool.release(slab, view, count);
  }

  // ── Leases ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The receiver holds the view until its promise settles; nothing is read until then. */
  private lease(
    pool: SlabPool,
    slab: Slab,
    view: Uint8Array,
    count: number,
    promise: PromiseLike<unknown>,
  ): void {
    this.held |= LEASED;
    this.allowReadAhead();
    const settled = (error?: unknown, failed = false) => {
      this.endLease();
      pool.release(slab, view, count);
      this.held &= ~LEASED;
      this.allowReadAhead();
      if (failed) return this.abort(error);
      if (!this.closed) this.runInAsyncScope(this.readAll, this, NOT_READ, 0);
    };
    promise.then(
      () => settled(),
      (error) => settled(error, true),
    );
    // The receiver may have closed us before it returned: then there is nobody to count it for.
    if (this.closed) return;
    this.leased = { pool, slab, count };
    const tooMuch = this.engine.leases.begin(count);
    if (tooMuch !== undefined) this.abort(tooMuch);
  }

  private endLease(): void {
    if (this.leased === undefined) return;
    this.engine.leases.end(this.leased.count);
    this.leased = undefined;
  }

  /** A promise that is never settled may be all that is left of a lease: it counts no longer, and no lane waits for its end. */
  protected abandonLease(): void {
    if (this.leased === undefined) return;
    const { pool, slab } = this.leased;
    if (pool !== this.engine.slabs[0]) pool.abandon(slab);
    this.endLease();
  }

  // ── The end of input ─────────────────────────────────────────────────────────────────────────────────────────────

  private inputEnded(): void {
    this.held |= ENDED;
    this.hints = 0;
    this.allowReadAhead();
    this.guard(() => (this.receiver as TransportReceiver).onEnd());
    if (this.sending === "ended" && !this.closed) this.closeAtEnd();
  }

  /** The kernel tells of a reset once. When a write was told, a read sees an end that there is not: behind an end it says EPIPE. */
  private wasReset(): boolean {
    return this.broken !== undefined && (this.broken as { code?: unknown }).code !== "EPIPE";
  }

  /** Nobody reads just now, but a reset must not wait for that. */
  private checkError(): void {
    // Of a sink it says that nobody reads any more, of another pipe that nobody will ever write.
    if (this.fdKind === "sink") return this.close(brokenPipe());
    const errno = this.engine.poller.socketError(this.fd);
    if (errno > 0) this.closeWithUnread(systemError(this.engine.poller, -errno, "read"));
  }

  /** Closes for a failed write, when what came before it was delivered or nobody wants it. */
  private closeBroken(): void {
    if (this.broken !== undefined && (this.held & LEASED) === 0) this.closeWithUnread(this.broken);
  }

  /** Closes for an error that does not wait for `resume`. What came before it, and was not delivered, goes along. */
  private closeWithUnread(error: unknown): void {
    if (!this.closed) this.close(error, (this.held & ENDED) === 0 ? this.takeUnread() : undefined);
  }

  /** What the kernel has, which is no more than its buffer holds. */
  private takeUnread(): Uint8Array {
    const { poller, slabs } = this.engine;
    const [pool] = slabs;
    const parts: Uint8Array[] = this.unread === undefined ? [] : [this.unread];
    for (;;) {
      const { bytes } = pool.current();
      const count = poller.read(this.fd, bytes, pool.at, READ_SIZE);
      if (count > 0) parts.push(pool.copy(count));
      else if (!interrupted(count)) return concatBytes(parts);
    }
  }
}
