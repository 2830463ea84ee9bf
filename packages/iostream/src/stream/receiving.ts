// Received bytes that nobody took yet, and whether the transport may bring more.
//
// It flows while somebody wants bytes and nobody asked for a pause. With a buffer and no read it stops: the kernel's
// window closes, and the peer waits.

import { inNextTurn } from "../next-turn.js";
import type { ReadBuffer } from "../read-buffer.js";
import type { Read } from "../reads.js";
import type { StreamReceiver } from "../receiver.js";
import { isClosed, isGone } from "./life.js";
import { SendingStream } from "./sending.js";

// Why nothing flows; none of these excludes another.
/** The owner asked for it. */
const PAUSED = 1;
/** The receiver holds a lease on bytes that came from the buffer. */
const HELD = 2;
/** And what follows: the transport was told to. */
const STOPPED = 4;

/**
 * The peer's side: it sends, it has ended, and the present receiver knows that; or it has ended short of what a read
 * wanted, which closed our side, and what came stays readable.
 */
export type Input = "open" | "ended" | "told" | "short";

/** A stream that receives. */
export abstract class ReceivingStream extends SendingStream {
  /** Goes away when it is empty. */
  protected buffer: ReadBuffer | undefined = undefined;
  /** Who takes what arrives: a read that waits or a receiver, never both. */
  protected read: Read | undefined = undefined;
  protected receiver: StreamReceiver | undefined = undefined;
  protected input: Input = "open";
  private holds = 0;

  /** Tells the receiver what it does not know yet: buffered bytes, the end, the close. */
  protected abstract deliver(): void;

  /**
   * Stops delivery: none comes after this returns, to a read as to a receiver, until {@link resume}. May be repeated.
   */
  pause(): void {
    this.holds |= PAUSED;
    this.regulate();
  }

  /** Ends {@link pause}. Delivers nothing before it returns. */
  resume(): void {
    if ((this.holds & PAUSED) === 0) return;
    this.holds &= ~PAUSED;
    if (this.receiver !== undefined && (this.input === "ended" || this.buffer !== undefined))
      inNextTurn(this.loop, () => this.deliver());
    else this.regulate();
  }

  /** Whether the receiver may be told of bytes and of the end. */
  protected get deliverable(): boolean {
    return (this.holds & (PAUSED | HELD)) === 0 && (!isClosed(this.life) || this.life === "lost");
  }

  /** A lease on bytes of the buffer begins. */
  protected hold(): void {
    this.holds |= HELD;
  }

  /** It is over, or its receiver is another. */
  protected unhold(): void {
    this.holds &= ~HELD;
  }

  /** A pause is its receiver's: the next one begins without. */
  protected unholdAll(): void {
    this.holds &= ~(HELD | PAUSED);
  }

  /** Makes the transport flow when somebody wants bytes, and only then; a stream that closes drops what comes. */
  protected regulate(): void {
    const stop =
      ((this.holds & (PAUSED | HELD)) !== 0 || (this.buffer !== undefined && this.read === undefined)) &&
      !isClosed(this.life);
    if (stop === ((this.holds & STOPPED) !== 0) || isGone(this.life)) return;
    this.holds ^= STOPPED;
    if (stop) this.transport.pause();
    else this.transport.resume();
  }
}
