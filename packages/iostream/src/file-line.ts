// Files that leave before what a stream has queued last, each with what was queued right before it.
//
//   first ──► [ ahead │ file ] [ file ] [ ahead │ file ] ──► chunks of the queue behind them
//
// So a queue without files is what it was, and what is written behind a file goes to a queue of its own.

import type { FileSend } from "./file-send.js";
import { giveQueue, takeEmptyQueue, type WriteQueue } from "./write-queue.js";

/** What leaves before a queue. */
export class FileLine {
  readonly #sends: FileSend[] = [];
  /** Bytes in memory that wait ahead of files; those of files do not count. */
  bytes = 0;
  /** Bytes that have gone. */
  flushed = 0;

  /** The next one. */
  get first(): FileSend | undefined {
    return this.#sends[0];
  }

  /** Bytes that have not gone, of files too. */
  get left(): number {
    return this.#sends.reduce((sum, { left }) => sum + left, this.bytes);
  }

  add(send: FileSend, ahead: WriteQueue | undefined): void {
    this.#sends.push(send);
    if (ahead === undefined) return;
    send.ahead = ahead;
    this.bytes += ahead.bytes;
    this.flushed += ahead.flushed;
  }

  /** The next `count` bytes have gone. */
  advance(count: number): void {
    const send = this.#sends[0] as FileSend;
    this.flushed += count;
    const rest = count - this.#advanceAhead(send, count);
    if (rest > 0) send.advance(rest);
    if (send.left > 0) return;
    this.#sends.shift();
    send.finish();
  }

  #advanceAhead(send: FileSend, count: number): number {
    const { ahead } = send;
    if (ahead === undefined) return 0;
    const part = Math.min(count, ahead.bytes);
    ahead.advance(part);
    this.bytes -= part;
    if (ahead.bytes > 0) return part;
    giveQueue(ahead);
    send.ahead = undefined;
    return part;
  }

  /** Drops everything; whoever waits learns `reason`. */
  drop(reason: unknown): void {
    this.bytes = 0;
    for (const send of this.#sends.splice(0)) {
      send.ahead?.drop(reason);
      send.fail(reason);
    }
  }
}

/** Puts `send` behind what is queued; returns the queue for what comes behind it. */
export function queueBehind(queue: WriteQueue | undefined, send: FileSend): WriteQueue {
  const line = queue?.before ?? new FileLine();
  const hasBytes = queue !== undefined && queue.bytes > 0;
  if (hasBytes) queue.leavePage();
  line.add(send, hasBytes ? queue : undefined);
  const behind = queue === undefined || hasBytes ? takeEmptyQueue() : queue;
  behind.before = line;
  return behind;
}
