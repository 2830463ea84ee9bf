// Reading for people: one promise per read, one read at a time.

import { latin1 } from "@tw/util";
import { StreamBusyError } from "../errors.js";
import { checkSize, type ReadBytesOptions, type ReadUntilOptions } from "../options.js";
import { ReadBuffer } from "../read-buffer.js";
import { BytesRead, bufferFull, NOTHING, type Read, refused, UntilRead } from "../reads.js";
import { ReceivingStream } from "./receiving.js";

/** A stream that can be read. */
export abstract class ReadingStream extends ReceivingStream {
  /**
   * Reads exactly `count` bytes, or with `partial` at least one and at most `count`. 0 resolves at once.
   *
   * @throws RangeError when `count` is not a non-negative integer
   */
  readBytes(count: number, options: ReadBytesOptions = {}): Promise<Uint8Array> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`count must be a non-negative integer, got ${String(count)}`);
    }
    const partial = options.partial === true;
    const { maxBufferSize } = this.limits;
    if (count === 0) return this.busy() ?? Promise.resolve(NOTHING);
    if (!partial && count > maxBufferSize) {
      return this.busy() ?? this.fail(bufferFull(count, maxBufferSize));
    }
    return this.start(new BytesRead(count, partial));
  }

  /**
   * Reads up to and including `delimiter`; a string is latin1. The stream is closed with `UnsatisfiableReadError` when
   * that would be more than `maxBytes`.
   *
   * @throws RangeError when the delimiter is empty or not latin1, or `maxBytes` not a non-negative integer
   */
  readUntil(delimiter: Uint8Array | string, options: ReadUntilOptions = {}): Promise<Uint8Array> {
    const bytes = typeof delimiter === "string" ? latin1(delimiter) : delimiter;
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`delimiter must be a Uint8Array or a string, got ${typeof delimiter}`);
    }
    if (bytes.length === 0) throw new RangeError("delimiter must not be empty");
    const maxBytes = checkSize("maxBytes", options.maxBytes, Number.POSITIVE_INFINITY);
    return this.start(new UntilRead(bytes, maxBytes, this.limits.maxBufferSize));
  }

  private busy(): Promise<never> | undefined {
    if (this.read !== undefined) return refused(new StreamBusyError("Cannot read: another read is pending"));
    if (this.receiver !== undefined)
      return refused(new StreamBusyError("Cannot read: a receiver is attached"));
    return undefined;
  }

  private start(read: Read): Promise<Uint8Array> {
    const busy = this.busy();
    if (busy !== undefined) return busy;
    try {
      const bytes = this.attempt(read);
      if (bytes !== undefined) {
        this.regulate();
        return Promise.resolve(bytes);
      }
    } catch (error) {
      return this.fail(error);
    }
    if (this.closed || this.input !== "open") return this.refuse();
    this.read = read;
    this.regulate();
    return read.wait();
  }

  /** Tries a read on the buffer. */
  private attempt(read: Read): Uint8Array | undefined {
    const { buffer } = this;
    if (buffer === undefined) return undefined;
    const { maxBufferSize } = this.limits;
    const bytes = read.attempt(buffer);
    if (bytes === undefined && buffer.length > maxBufferSize)
      throw bufferFull(buffer.length + 1, maxBufferSize);
    if (buffer.length === 0) this.buffer = undefined;
    return bytes;
  }

  private fail(error: unknown): Promise<never> {
    this.abort(error);
    return this.refuse();
  }

  /** Rejects a read for which nothing will come; an end of the peer closes our side too, as nobody will read it. */
  private refuse(): Promise<never> {
    const error = this.closedError("Cannot read");
    if (!this.closed) this.close();
    return refused(error);
  }

  /** Ends the read that waits, if one does. */
  protected rejectRead(): void {
    const { read } = this;
    this.read = undefined;
    read?.reject(this.closedError("Cannot complete the read"));
  }

  /** Nobody takes views: keeps the bytes for a read, which may be the one that waits. */
  protected store(view: Uint8Array): void {
    if (this.closed) return;
    this.buffer ??= new ReadBuffer();
    this.buffer.append(view);
    const { read } = this;
    if (read !== undefined) {
      try {
        const bytes = this.attempt(read);
        if (bytes !== undefined) {
          this.read = undefined;
          read.resolve(bytes);
        }
      } catch (error) {
        this.abort(error);
      }
    }
    this.regulate();
  }
}
