// A read that waits: who may end it, and what becomes of the bytes that it has seen.
//
//   bytes suffice        it resolves
//   the peer has ended   it resolves when an end is what it waited for, else it rejects
//   its signal aborts    it rejects with the signal's reason; the bytes stay, and the stream goes on
//   the stream closes    it rejects with StreamClosedError

import { EMPTY_BYTES, offAbort, onAbort } from "@tw/util";
import { ReadBuffer } from "../read-buffer.js";
import { bufferFull, type Read } from "../reads.js";
import { ReceivingStream } from "./receiving.js";

/** A stream of which a read may wait for bytes. */
export abstract class WaitingStream extends ReceivingStream {
  /** Whether a read waits. */
  get reading(): boolean {
    return this.read !== undefined;
  }

  /** Tries a read on what is unread. */
  protected attempt<T>(read: Read<T>, buffer: ReadBuffer): T | undefined {
    const { maxBufferSize } = this.limits;
    const result = read.attempt(buffer);
    if (result === undefined && buffer.length > maxBufferSize)
      throw bufferFull(buffer.length + 1, maxBufferSize);
    return result;
  }

  /** Copies `bytes` behind what is unread. */
  protected keep(bytes: Uint8Array): void {
    this.buffer ??= new ReadBuffer();
    this.buffer.append(bytes);
  }

  /** Nothing is unread. */
  protected dropBuffer(): void {
    this.buffer?.recycle();
    this.buffer = undefined;
  }

  /** What `read` makes of the end of input, if that has come and came cleanly. */
  protected lastOf<T>(read: Read<T>): T | undefined {
    if (this.input === "open" && (this.life !== "lost" || this.error !== undefined)) return undefined;
    if (this.closed && this.life !== "lost" && this.input !== "short") return undefined;
    const result = read.atEnd(this.buffer);
    if (result !== undefined) this.buffer = undefined;
    return result;
  }

  /** Everything that is unread, taken out. */
  protected takeUnread(): Uint8Array {
    const unread = this.buffer?.takeAll() ?? EMPTY_BYTES;
    this.buffer = undefined;
    return unread;
  }

  /** Gives back what `read` has taken out of the stream and will not hand over. */
  protected undo(read: Read): void {
    read.undo(this.refill);
  }

  private get refill(): () => ReadBuffer {
    return () => {
      this.buffer ??= new ReadBuffer();
      return this.buffer;
    };
  }

  /** Lets `signal` end a read that waits. */
  protected watch(read: Read, signal: AbortSignal): void {
    const aborted = (): void => {
      this.read = undefined;
      this.undo(read);
      read.reject(signal.reason);
      this.regulate();
    };
    onAbort(signal, aborted);
    read.whenOver = () => offAbort(signal, aborted);
  }

  /** Ends the read that waits, if one does. */
  protected rejectRead(): void {
    const { read } = this;
    if (read === undefined) return;
    this.read = undefined;
    this.undo(read);
    read.reject(this.closedError("Cannot complete the read"));
  }

  /** Nothing will come any more: the read that waits gets what there is, or rejects. False: it rejected. */
  protected finishRead(): boolean {
    const { read } = this;
    if (read === undefined) return true;
    const result = this.lastOf(read);
    if (result === undefined) {
      this.rejectRead();
      return false;
    }
    this.read = undefined;
    read.resolve(result);
    return true;
  }
}
