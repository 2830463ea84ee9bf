// Giving: what is queued goes to the transport in one call, and the kernel takes as much of it as it has room for.
//
//   files, each with what was queued before it ──► what was queued behind them ──► FIN, when one was asked for

import { type StreamSentMessage, sent } from "../channels.js";
import type { FileLine } from "../file-line.js";
import type { IOStream } from "../iostream.js";
import { giveQueue, type WriteQueue } from "../write-queue.js";
import { StreamBase } from "./base.js";
import { isFinDue } from "./life.js";
import { BLOCKED, FILE, HELD_BACK } from "./waits.js";

/** A stream that gives what is queued to its transport. */
export abstract class GivingStream extends StreamBase {
  protected queue: WriteQueue | undefined = undefined;
  /** See waits.ts. */
  protected waits = 0;

  /** Gives the files before the queue to the transport, and notes what it took; false when it has not taken all of them. */
  protected abstract giveFiles(line: FileLine, taken: StreamSentMessage[] | undefined): boolean;

  /** Whether there is nothing to be given to the transport, not even FIN. */
  protected get isFlushed(): boolean {
    return this.queue === undefined && !isFinDue(this.life);
  }

  /** Whether nothing of the queue may leave now. */
  protected get heldBack(): boolean {
    return (this.waits & HELD_BACK) !== 0;
  }

  /** Gives what it may, and returns how many bytes the kernel took. */
  protected flush(): number {
    if (this.heldBack) return 0;
    return sent.hasSubscribers ? this.giveAndTell() : this.give();
  }

  /** Gives the queue to the transport, which takes so many bytes; behind the last one comes FIN, when one was asked for. */
  private give(files?: StreamSentMessage[]): number {
    const queue = this.queue;
    let size = 0;
    try {
      if (queue !== undefined) {
        if (queue.before !== undefined && !this.giveFiles(queue.before, files)) return 0;
        const offered = queue.bytes;
        size = queue.paged > 0 ? this.givePage(queue.paged) : this.transport.write(queue.chunks);
        // A Node stream runs code of others meanwhile. It may abort us: the queue is somebody else's then.
        if (this.queue !== queue) return size;
        queue.advance(size);
        if (queue.bytes > 0) {
          // What they sent on us meanwhile is behind what was offered, and has a flush to come.
          if (size < offered) this.waits |= BLOCKED;
          return size;
        }
        this.queue = undefined;
        giveQueue(queue);
      }
      if (this.life !== "open" && this.move("flushed")) this.fin();
    } catch (error) {
      this.threw(error);
    }
    return size;
  }

  private givePage(count: number): number {
    return this.transport.writePage?.(count) ?? 0;
  }

  /** Last, because an observer may do anything. */
  private giveAndTell(): number {
    this.queue?.leavePage();
    const chunks = this.queue?.chunks.slice() ?? [];
    const files: StreamSentMessage[] = [];
    const size = this.give(files);
    for (const message of files) sent.publish(message);
    if (size > 0) sent.publish({ stream: this as unknown as IOStream, size, chunks });
    return size;
  }

  /** The transport has not taken all: it will say when it takes more. */
  protected block(): false {
    this.waits |= BLOCKED;
    return false;
  }

  /** A file goes on by itself, and then calls `goOn`. */
  protected waitForFile(): false {
    this.waits |= FILE;
    return false;
  }

  /** The last byte is with the transport. */
  protected fin(): void {
    this.transport.end();
  }
}
