// Sending files, in order with what is written before and after them.
//
//   the kernel has it in memory   the transport sends it without a copy of ours, as much as there is room for
//   it must wait for a disk       the next piece is read in the thread pool, and written
//   the transport cannot          likewise: TLS, Node's streams, pairs in memory
//
// Whatever keeps a file from being sent whole ends the stream: its peer would take what is queued behind it for the rest.

import { checkSignal, offAbort, onAbort, rejected } from "@tw/util";
import type { StreamSentMessage } from "../channels.js";
import { FileReadError, FileTooShortError } from "../errors.js";
import { type FileLine, queueBehind } from "../file-line.js";
import { checkFileRange, type FileRange } from "../file-range.js";
import { FileSend } from "../file-send.js";
import type { IOStream } from "../iostream.js";
import { inNextTurn } from "../next-turn.js";
import type { SendFileOptions } from "../options.js";
import { READ_FILE } from "../transport.js";
import { lending } from "./lending.js";
import { WritingStream } from "./writing.js";

/** Bytes of files that a stream gives to the kernel before its neighbours have their turn. */
const FILE_BUDGET = 1024 * 1024;

/** A stream that files can be sent through. */
export abstract class SendingStream extends WritingStream {
  /**
   * Sends a piece of a file, and resolves when all of it went to the kernel; one may ignore the promise. What was written
   * before leaves before it, what is written after behind it. An attached receiver is told as after a `send` that
   * returned false: `onDrain` comes when everything went.
   *
   * The descriptor stays the caller's, and must stay open until the promise settles, also when that rejects, and when the
   * stream was closed or aborted meanwhile: closed earlier, its number may stand for another file. Its position does not
   * matter, so one descriptor may be sent from by many streams at once. It does not count for `bufferedAmount` and
   * `maxWriteBufferSize`: on a plain native socket the kernel sends what it has in memory (`sendfile(2)`), otherwise a
   * piece of 128 KiB is read at a time.
   *
   * The loop does not wait for a disk: what is not in memory is read in Node's thread pool. Only where the kernel cannot
   * say what it has in memory (macOS; Linux before 4.14) `sendfile` may wait for 256 KiB at a time.
   *
   * Whatever keeps the file from being sent whole aborts the stream, because its peer would take what follows for the
   * file: it rejects with `FileTooShortError` when the file ends before the range does, with `FileReadError` when it
   * cannot be read (a directory, a descriptor that is closed), with `signal.reason`. It rejects with `StreamClosedError`
   * when the stream is closed, or closes meanwhile; and with the reason of a signal that is aborted already, which leaves
   * the stream open, because nothing has begun. `close` sends what is left, as long as the peer takes it.
   *
   * @throws TypeError, RangeError for what is no range, or no signal
   *
   * @example
   * const file = await open("video.mp4");
   * const { size } = await file.stat();
   * await stream.sendFile({ fd: file.fd, offset: 0, length: size }).finally(() => file.close());
   */
  sendFile(file: FileRange, options: SendFileOptions = {}): Promise<void> {
    const { signal } = options;
    checkFileRange(file);
    checkSignal(signal);
    if (signal?.aborted === true) return rejected(signal.reason);
    if (this.life !== "open") return rejected(this.closedError("Cannot send a file"));
    if (file.length === 0) return Promise.resolve();
    const send = new FileSend(file);
    if (lending.stream === this) this.ownLent();
    this.queue = queueBehind(this.queue, send);
    if (signal !== undefined) this.endWhenAborted(send, signal);
    if (this.receiver !== undefined) this.wantDrain();
    this.flushInTime();
    return send.promise;
  }

  private endWhenAborted(send: FileSend, signal: AbortSignal): void {
    const aborted = (): void => this.breakOff(send, signal.reason);
    onAbort(signal, aborted);
    send.whenOver = () => offAbort(signal, aborted);
  }

  protected override giveFiles(line: FileLine, taken: StreamSentMessage[] | undefined): boolean {
    let budget = FILE_BUDGET;
    for (let send = line.first; send !== undefined; send = line.first) {
      // Where it must be read, what is ahead waits for its first piece, and leaves in one segment with it.
      if (this.transport.sendFile === undefined && send.view === undefined) return this.readOn(send);
      const { held } = send;
      if (budget <= 0) return this.goOnLater(send);
      const count = held > 0 ? this.giveHeld(send, taken) : this.giveFile(send, taken);
      if (line.first !== send) return false; // aborted meanwhile
      if (count === READ_FILE) return this.readOn(send);
      line.advance(count);
      if (count < held || count === 0) return this.block();
      if (held === 0) budget -= count;
    }
    return true;
  }

  private giveHeld(send: FileSend, taken: StreamSentMessage[] | undefined): number {
    const chunks = send.chunks();
    const size = this.transport.write(chunks, send.view === undefined);
    if (size > 0) taken?.push({ stream: this as unknown as IOStream, size, chunks: chunks.slice() });
    return size;
  }

  private giveFile(send: FileSend, taken: StreamSentMessage[] | undefined): number {
    const { fd, offset, left } = send;
    const size = this.transport.sendFile?.(fd, offset, left) ?? READ_FILE;
    if (size > 0) {
      const stream = this as unknown as IOStream;
      taken?.push({ stream, size, chunks: [], file: { fd, offset, length: size } });
    }
    return size;
  }

  private readOn(send: FileSend): false {
    send.read((error, count) => {
      if (error !== null) this.breakOff(send, new FileReadError(error));
      else if (count === 0) this.breakOff(send, new FileTooShortError(send.offset, send.left));
      else this.goOn();
    });
    return this.waitForFile();
  }

  private goOnLater(send: FileSend): false {
    inNextTurn(this.loop, () => send.runInAsyncScope(this.goOn, this));
    return this.waitForFile();
  }

  /** The peer waits for bytes that will not come: nothing may be put in their place. */
  private breakOff(send: FileSend, reason: unknown): void {
    send.fail(reason);
    this.abort(reason);
  }
}
