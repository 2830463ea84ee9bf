// Reading for people: one promise per read, one read at a time.

import { checkSignal, EMPTY_BYTES, isBytes, latin1, rejected } from "@tw/util";
import { StreamBusyError } from "../errors.js";
import {
  type ChunksOptions,
  checkSize,
  DEFAULT_CHUNK_SIZE,
  type ReadBytesOptions,
  type ReadOptions,
  type ReadUntilOptions,
} from "../options.js";
import { ReadBuffer } from "../read-buffer.js";
import { IntoRead } from "../read-into.js";
import { RegexRead } from "../read-regex.js";
import { BytesRead, bufferFull, ChunkRead, type Read, UntilCloseRead, UntilRead } from "../reads.js";
import { WaitingStream } from "./waiting.js";

/** A stream that can be read. */
export abstract class ReadingStream extends WaitingStream {
  /**
   * Reads exactly `count` bytes, or with `partial` at least one and at most `count`. 0 resolves at once. The bytes are
   * the caller's own.
   *
   * @throws RangeError when `count` is not a non-negative integer
   *
   * @example
   * const length = new DataView((await stream.readBytes(4)).slice().buffer).getUint32(0);
   * const body = await stream.readBytes(length);
   */
  readBytes(count: number, options: ReadBytesOptions = {}): Promise<Uint8Array> {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`count must be a non-negative integer, got ${String(count)}`);
    }
    const partial = options.partial === true;
    const { maxBufferSize } = this.limits;
    if (count === 0) return this.busy() ?? Promise.resolve(EMPTY_BYTES);
    if (!partial && count > maxBufferSize) {
      return this.busy() ?? this.fail(bufferFull(count, maxBufferSize));
    }
    return this.begin(new BytesRead(count, partial), options.signal);
  }

  /**
   * Fills `target`, or with `partial` puts at least one byte there; resolves with how many. The array is the stream's
   * until then, and `maxBufferSize` does not matter: the memory is the caller's. Bytes go there from the transport's
   * view in one copy. A read that is aborted, or that the peer's end cuts short, leaves what came in the stream.
   *
   * @throws TypeError when `target` is no Uint8Array
   *
   * @example
   * const block = new Uint8Array(4096);
   * const count = await stream.readInto(block, { partial: true });
   */
  readInto(target: Uint8Array, options: ReadBytesOptions = {}): Promise<number> {
    if (!isBytes(target)) {
      throw new TypeError(`target must be a Uint8Array, got ${typeof target}`);
    }
    if (target.length === 0) return this.busy() ?? Promise.resolve(0);
    return this.begin(new IntoRead(target, options.partial === true), options.signal);
  }

  /**
   * Reads up to and including `delimiter`; a string is latin1. The stream is closed with `UnsatisfiableReadError` when
   * that would be more than `maxBytes`.
   *
   * @throws RangeError when the delimiter is empty or not latin1, or `maxBytes` neither a non-negative integer nor Infinity
   *
   * @example
   * const line = await stream.readUntil("\r\n", { maxBytes: 8192 });
   */
  readUntil(delimiter: Uint8Array | string, options: ReadUntilOptions = {}): Promise<Uint8Array> {
    const bytes = typeof delimiter === "string" ? delimiterOf(delimiter) : delimiter;
    if (!isBytes(bytes)) {
      throw new TypeError(`delimiter must be a Uint8Array or a string, got ${typeof delimiter}`);
    }
    if (bytes.length === 0) throw new RangeError("delimiter must not be empty");
    const maxBytes = checkSize("maxBytes", options.maxBytes, Number.POSITIVE_INFINITY);
    return (
      this.takeUntil(bytes, maxBytes, options.signal) ??
      this.begin(new UntilRead(bytes, maxBytes, this.limits.maxBufferSize), options.signal)
    );
  }

  /** The bytes up to a delimiter that is buffered near by, which is how most lines are: without a read that could wait. */
  private takeUntil(
    delimiter: Uint8Array,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> | undefined {
    const { buffer } = this;
    if (buffer === undefined || this.read !== undefined || this.receiver !== undefined) return undefined;
    if (signal !== undefined) return undefined;
    const at = buffer.indexOfNear(delimiter);
    const needed = at + delimiter.length;
    if (at === -1 || needed > maxBytes || needed > this.limits.maxBufferSize) return undefined;
    const bytes = buffer.take(needed);
    if (buffer.length === 0) {
      this.dropBuffer();
      this.regulate();
    }
    return Promise.resolve(bytes);
  }

  /**
   * Reads up to and including the first match of `regex`, tried on the bytes as latin1: the shortest prefix of the
   * input that has a match, however it was cut into packets. So `/[0-9]+/` ends after one digit: a pattern says itself
   * what ends it (`/[0-9]+ /`). The stream is closed with `UnsatisfiableReadError` when that would be more than `maxBytes`.
   *
   * A pattern whose matches are of bounded length costs linear time. Any other (`*`, `+`, `^`, lookbehind) is tried on
   * everything again whenever bytes arrive: a peer that drips them makes that `maxBytes`² / 2, so keep `maxBytes` small.
   * A pattern that backtracks catastrophically blocks the loop, and nothing can stop it.
   *
   * @throws TypeError unless `regex` is a RegExp; RangeError when it matches nothing, is sticky, or contains `$`, `\b`,
   * `\B` or a lookahead, which depend on bytes that have not come
   *
   * @example
   * const head = await stream.readUntilRegex(/\r?\n\r?\n/, { maxBytes: 65536 });
   */
  readUntilRegex(regex: RegExp, options: ReadUntilOptions = {}): Promise<Uint8Array> {
    if (!(regex instanceof RegExp)) throw new TypeError(`regex must be a RegExp, got ${typeof regex}`);
    const maxBytes = checkSize("maxBytes", options.maxBytes, Number.POSITIVE_INFINITY);
    return this.begin(new RegexRead(regex, maxBytes, this.limits.maxBufferSize), options.signal);
  }

  /**
   * Reads everything up to the peer's end. Afterwards it resolves with nothing, again and again; writing goes on to
   * work. More than `maxBufferSize` closes the stream. After a reset it rejects: what came is not all that was sent
   * (Tornado resolves). It stays readable by the other reads.
   *
   * @example
   * const reply = await stream.readUntilClose();
   */
  readUntilClose(options: ReadOptions = {}): Promise<Uint8Array> {
    return this.begin(new UntilCloseRead(), options.signal);
  }

  /**
   * Reads up to the peer's end in chunks of at most `size` bytes, which are the caller's own. The next one is read when
   * the loop asks for it; between two the peer is held back. Leaving the loop early leaves the rest in the stream.
   *
   * @throws RangeError when `size` is neither a positive integer nor Infinity
   *
   * @example
   * for await (const chunk of stream.chunks()) hash.update(chunk);
   */
  chunks(options: ChunksOptions = {}): AsyncGenerator<Uint8Array, void, void> {
    const size = checkSize("size", options.size, DEFAULT_CHUNK_SIZE, 1);
    checkSignal(options.signal);
    return this.generateChunks(size, options.signal);
  }

  private async *generateChunks(size: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      const chunk = await this.begin(new ChunkRead(size), signal);
      if (chunk.length === 0) return;
      yield chunk;
    }
  }

  private busy(): Promise<never> | undefined {
    if (this.read !== undefined) return rejected(new StreamBusyError("Cannot read: another read is pending"));
    if (this.receiver !== undefined)
      return rejected(new StreamBusyError("Cannot read: a receiver is attached"));
    return undefined;
  }

  private begin<T>(read: Read<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal !== undefined) checkSignal(signal);
    const busy = this.busy();
    if (busy !== undefined) return busy;
    if (signal?.aborted === true) return rejected(signal.reason);
    try {
      const { buffer } = this;
      const result = buffer === undefined ? undefined : this.attempt(read, buffer);
      if (buffer?.length === 0) this.dropBuffer();
      const last = result ?? this.lastOf(read);
      if (last !== undefined) {
        this.regulate();
        return Promise.resolve(last);
      }
    } catch (error) {
      return this.fail(error);
    }
    if (this.closed || this.input !== "open") return this.refuse(read);
    this.read = read;
    if (signal !== undefined) this.watch(read, signal);
    this.regulate();
    return read.wait();
  }

  private fail(error: unknown): Promise<never> {
    this.abort(error);
    return rejected(this.closedError("Cannot read"));
  }

  /** Rejects a read for which nothing will come. */
  private refuse(read: Read): Promise<never> {
    this.undo(read);
    const error = this.closedError("Cannot read");
    if (!this.closed) this.endShort();
    return rejected(error);
  }

  /** An end of the peer closes our side too, as somebody wanted more than there is. */
  protected endShort(): void {
    this.input = "short";
    this.close();
  }

  /** Nobody takes views: keeps the bytes for a read, which may be the one that waits. */
  protected store(view: Uint8Array): void {
    if (this.closed) return;
    const { read } = this;
    if (read !== undefined) this.serve(read, view);
    else this.keep(view);
    this.regulate();
  }

  /** Tries the read that waits; it takes what it can from the view itself, and only the rest is copied. */
  protected serve(read: Read, view: Uint8Array): void {
    let result: unknown;
    try {
      if (this.buffer !== undefined) {
        this.buffer.append(view);
        result = this.attempt(read, this.buffer);
        if (this.buffer.length === 0) this.dropBuffer();
      } else {
        try {
          result = this.attempt(read, passing.borrow(view));
        } finally {
          const rest = passing.giveBack();
          if (rest.length > 0) this.keep(rest);
        }
      }
    } catch (error) {
      this.abort(error);
      return;
    }
    if (result === undefined) return;
    this.read = undefined;
    read.resolve(result);
  }
}

/** The bytes of a text that was most likely the delimiter of the read before, too. */
function delimiterOf(text: string): Uint8Array {
  if (text !== latest.text) latest = { text, bytes: latin1(text) };
  return latest.bytes;
}

let latest: { readonly text: string; readonly bytes: Uint8Array } = { text: "", bytes: EMPTY_BYTES };

/** What arrives while a read waits; of no stream's for longer than that. */
const passing = new ReadBuffer();
