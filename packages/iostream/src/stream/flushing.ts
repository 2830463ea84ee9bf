// Flushing: when what is queued leaves, who rests meanwhile, and who is told when everything went.
//
//   a callback of the receiver runs   what it writes leaves in one call when the outermost one returns (the cork)
//   anybody else                      what all of them write leaves at the end of the microtask checkpoint
//   the peer takes no more            everything waits for the transport's `onDrain`
//   the stream has had its share      it rests until the others of the loop have had a turn: see turns.ts

import { flushLater } from "../flush.js";
import type { StreamReceiver } from "../receiver.js";
import { GivingStream } from "./giving.js";
import { type Sender, turnsOf } from "./turns.js";
import {
  BLOCKED,
  CORK,
  DRAIN_COMES,
  DRAIN_WANTED,
  ENTERED,
  FILE,
  FLUSH_COMES,
  QUEUED,
  RESTING,
  TOLD,
} from "./waits.js";

/**
 * What a stream gives to the kernel in ticks, until the others of the loop have had a turn. Ticks and promises come before
 * all I/O: a sender whose peer reads as fast as it writes, or whose socket takes what it will never send, would keep the
 * loop for ever.
 */
const SHARE = 256 * 1024;

/** What a stream gives in any case: it does not count, and whatever the others of the loop have given, it leaves. */
const FREE = 64 * 1024;

/** What a flush counts for at least, because a system call costs more than copying a KiB does. */
const FLUSH_COUNTS = 1024;

/** A stream that knows when to give. */
export abstract class FlushingStream extends GivingStream implements Sender {
  /** Bytes of its share. */
  private given = 0;
  /** In which turn the first of them went. */
  private turn = 0;

  /** Who is told when everything went. */
  protected abstract receiver: StreamReceiver | undefined;

  /** Sees to it that a flush comes, unless one is sure to come. */
  protected flushInTime(): void {
    if ((this.waits & FLUSH_COMES) !== 0) return;
    this.waits |= QUEUED;
    flushLater(this);
  }

  /** @internal The shared tick. */
  flushNow(): void {
    this.waits &= ~QUEUED;
    if (!this.rests()) this.flushShare();
  }

  /** @internal The tick of a sender that waits for `onDrain`, in the sender's context. */
  flushAndTell(): void {
    if (this.rests()) return;
    this.flushShare();
    this.tellDrained();
  }

  /** Sends what is queued now, as far as the kernel takes it; false when something is left, or is held back. */
  protected flushQueued(): boolean {
    this.flush();
    return this.isFlushed && this.waits < CORK;
  }

  /** A callback of the receiver begins; true for the outermost one, which has to {@link leave}. */
  protected enter(): boolean {
    const outermost = (this.waits & ENTERED) === 0;
    this.waits |= ENTERED;
    return outermost;
  }

  /** The outermost callback has returned: what it wrote leaves. */
  protected leave(): void {
    this.waits &= ~ENTERED;
    if (this.isFlushed) return;
    this.flush();
    if ((this.waits & DRAIN_WANTED) !== 0) this.tellDrained();
  }

  /** Holds everything back until this cork is out again. */
  protected putCork(): void {
    this.queue?.leavePage();
    this.waits += CORK;
  }

  /** Takes a cork out; what is queued leaves when it was the last one. */
  protected uncork(): void {
    // `close` may have taken it out.
    if (this.waits < CORK) return;
    this.waits -= CORK;
    if (this.waits >= CORK || this.isFlushed) return;
    this.flushInTime();
    if ((this.waits & DRAIN_COMES) === DRAIN_WANTED) process.nextTick(flushAndTell, this);
  }

  /** Takes all corks out. */
  protected uncorkAll(): void {
    this.waits &= CORK - 1;
  }

  /** A file has gone on: what is behind it may. */
  protected goOn(): void {
    this.waits &= ~FILE;
    this.flushAndTell();
  }

  /** @internal Called by the transport. */
  onDrain(): void {
    this.waits &= ~BLOCKED;
    // The others have had their turns meanwhile. There is no more room than in a socket, so it does not count for theirs.
    this.turn = turnsOf(this.loop).number;
    this.given = this.flush();
    this.tellDrained();
  }

  private flushShare(): void {
    const size = this.flush();
    if (size === 0) return;
    const counted = Math.max(size, FLUSH_COUNTS);
    if (this.given === 0) this.turn = turnsOf(this.loop).number;
    this.given += counted;
    if (this.given >= FREE) turnsOf(this.loop).add(counted);
  }

  /** Whether it has just had its share, or the senders of its loop theirs. */
  private rests(): boolean {
    if (this.given < FREE) return false;
    const turns = turnsOf(this.loop);
    if (this.turn !== turns.number) {
      this.given = 0; // others have had their turns meanwhile
      return false;
    }
    if (this.given < SHARE && !turns.over) return false;
    if (this.loop.closed) {
      this.given = 0; // no others are left who could wait
      return false;
    }
    turns.rest(this);
    this.queue?.leavePage(); // for turns that may not come
    this.waits |= RESTING;
    this.given = 0;
    return true;
  }

  /** @internal The others have had a turn. */
  goOnRested(): number {
    this.waits &= ~RESTING;
    this.flushAndTell();
    return Math.max(this.given, SHARE);
  }

  /** Nothing is left that it could go on with. */
  protected leaveTurns(): void {
    if ((this.waits & RESTING) !== 0) turnsOf(this.loop).leave(this);
  }

  /** The receiver will be told when everything went. */
  protected wantDrain(): void {
    if ((this.waits & DRAIN_COMES) === 0) process.nextTick(flushAndTell, this);
    this.waits |= DRAIN_WANTED;
  }

  private tellDrained(): void {
    // What `onDrain` sends may want the next one; each round needs the kernel to have taken everything.
    while ((this.waits & TOLD) === DRAIN_WANTED && this.queue === undefined && !this.closed) {
      // It stays due until there is somebody to be told.
      if (this.receiver === undefined || this.rests()) return;
      this.waits &= ~DRAIN_WANTED;
      this.waits |= ENTERED;
      try {
        this.receiver.onDrain();
      } catch (error) {
        this.threw(error);
      }
      this.waits &= ~ENTERED;
      this.flushShare();
    }
  }

  /** An `onDrain` that nobody could be told of is due to the receiver that has come. */
  protected remindOfDrain(): void {
    if ((this.waits & DRAIN_WANTED) !== 0 && this.queue === undefined) process.nextTick(flushAndTell, this);
  }
}

function flushAndTell(stream: FlushingStream): void {
  stream.flushAndTell();
}
