// How a stream ends: closed with grace, aborted, or because its transport did; and who is told.

import { checkDurationMs } from "@tw/util";
import { closed } from "../channels.js";
import { Closing } from "../closing.js";
import { CloseTimeoutError } from "../errors.js";
import type { IOStream } from "../iostream.js";
import { type CloseOptions, DEFAULT_GRACE_MS } from "../options.js";
import type { TransportReceiver } from "../transport.js";
import { Ending, type Heir } from "./base.js";
import { FedStream } from "./feeding.js";

/** A stream that ends. */
export abstract class EndingStream extends FedStream implements TransportReceiver {
  /**
   * Flushes, then closes; delivery stops now, a pending read rejects. Always closes: it rejects only when, before everything
   * was sent, the peer took nothing for `graceMs`, was too slow for too long (see {@link CloseOptions}), or broke the
   * connection. One may ignore the promise. On a closed loop there is no grace: what the kernel does not take at once is lost.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const heir = this.ending?.heir;
    if (heir !== undefined) return heir.close(options);
    if (!this.closed) {
      const { graceMs = DEFAULT_GRACE_MS } = options;
      checkDurationMs("graceMs", graceMs);
      this.move("close");
      this.uncorkAll();
      this.flushInTime();
      this.rejectRead();
      this.ending ??= new Ending();
      this.ending.closing = new Closing(this, graceMs);
      this.regulate();
      if (this.loop.closed) this.closeWithoutGrace();
    }
    // Nothing is queued, so nothing can fail to be sent.
    if (this.queue === undefined && this.ending?.closing?.failure === undefined) return this.whenClosed;
    const closed = this.whenClosed.then(() => {
      const failure = this.ending?.closing?.failure;
      if (failure !== undefined) throw failure;
    });
    closed.catch(ignore);
    return closed;
  }

  /** A closed loop has no timer that would end a grace. */
  private closeWithoutGrace(): void {
    this.flushQueued();
    this.giveUp(this.writing);
  }

  /** @internal The grace of `close` is over. */
  giveUp(unsent: boolean): void {
    this.abandon(
      unsent ? new CloseTimeoutError(`Peer did not take ${this.unsentAmount} bytes in time`) : undefined,
    );
  }

  /** Closes now: what is queued is dropped, everybody who waits learns `reason`, the peer may see a reset. */
  abort(reason?: unknown): void {
    const heir = this.ending?.heir;
    if (heir !== undefined) return heir.abort(reason);
    if (this.input === "short") this.input = "ended";
    this.abandon(reason);
  }

  private abandon(reason: unknown): void {
    if (!this.move("abort")) return;
    this.endWith(reason);
    this.transport.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Called by the transport. */
  onClose(error?: unknown, unread?: Uint8Array): void {
    const last = this.closed || unread?.length === 0 ? undefined : unread;
    if (last !== undefined && this.receiver === undefined) this.keepLast(last);
    // What `abort` was given counts more than what became of it.
    const reason = this.life === "aborted" ? this.error : error;
    this.move("gone");
    this.endWith(reason);
    this.ending?.whenClosed?.resolve();
    this.publishClosed(reason);
    try {
      this.tellClose(last);
    } catch (thrown) {
      this.threw(thrown);
    }
  }

  /** What a paused stream was sent before its peer was lost stays readable, as far as there is room. */
  private keepLast(unread: Uint8Array): void {
    const room = this.limits.maxBufferSize - (this.buffer?.length ?? 0);
    const kept = unread.length > room ? unread.subarray(0, room) : unread;
    // A read may have begun since, or have waited for a pause to end.
    if (this.read !== undefined) this.serve(this.read, kept);
    else if (room > 0) this.keep(kept);
  }

  /** The transport is another's now: this stream is closed, and what is asked of it is asked of that one. */
  protected bequeath(heir: Heir): void {
    this.move("abort");
    this.move("gone");
    this.ending ??= new Ending();
    this.ending.heir = heir;
    const { whenClosed } = this.ending;
    if (whenClosed !== undefined) heir.whenClosed.then(whenClosed.resolve);
    this.publishClosed(undefined);
  }

  private publishClosed(error: unknown): void {
    if (closed.hasSubscribers) closed.publish({ stream: this as unknown as IOStream, error });
  }

  /** Nothing will be read or written any more: tells everybody who waits. */
  private endWith(error: unknown): void {
    if (error !== undefined) {
      this.ending ??= new Ending();
      this.ending.error = error;
    }
    this.finishRead();
    const failure = this.dropQueue();
    const closing = this.ending?.closing;
    if (closing === undefined) return;
    if (failure !== undefined) closing.failure = failure;
    closing.stop();
  }
}

function ignore(): void {}
