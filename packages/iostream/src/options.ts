// Options of IOStream and of its reads, with their defaults.

import type { IOLoop } from "@tw/ioloop";

/** Bytes that a stream buffers for a pending read, and bytes that it queues for a slow peer: 100 MiB each. */
const DEFAULT_BUFFER_SIZE = 100 * 1024 * 1024;

/** How long `startTls()` waits for a handshake. */
export const DEFAULT_HANDSHAKE_TIMEOUT_MS = 20_000;

/** Bytes of the largest chunk of `chunks()`. */
export const DEFAULT_CHUNK_SIZE: number = 64 * 1024;

/** How long `close()` waits for a peer that takes nothing, and for the end of one that took everything. */
export const DEFAULT_GRACE_MS = 5000;

/** Options of `new IOStream`. */
export interface StreamOptions {
  /** The loop that runs timers and logs. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /**
   * Bytes received for one read. A read that would need more closes the stream with `StreamBufferFullError`. A peer
   * can make a stream hold this much while a `readUntil` without `maxBytes` is pending. `Infinity` is no limit.
   * @default 104857600
   */
  readonly maxBufferSize?: number;
  /**
   * Bytes accepted for sending that the kernel has not taken. A write beyond it is refused whole with
   * `StreamBufferFullError`. A peer that does not read can make a stream hold this much. `Infinity` is no limit.
   * @default 104857600
   */
  readonly maxWriteBufferSize?: number;
}

/** Options of every read. */
export interface ReadOptions {
  /**
   * Gives the read up and rejects with `signal.reason`. Nothing is lost: the bytes that came so far stay in the stream,
   * and the next read begins with them.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `readBytes` and `readInto`. */
export interface ReadBytesOptions extends ReadOptions {
  /** Resolves with what is there: at least one byte, at most what was asked for. @default false */
  readonly partial?: boolean;
}

/** Options of `readUntil` and `readUntilRegex`. */
export interface ReadUntilOptions extends ReadOptions {
  /**
   * Bytes up to and including the delimiter or the match; without it within that many the stream is closed with
   * `UnsatisfiableReadError`, also when delimiter and excess came in one packet. @default maxBufferSize
   */
  readonly maxBytes?: number;
}

/** Options of `chunks`. */
export interface ChunksOptions extends ReadOptions {
  /** The largest chunk, in bytes. @default 65536 */
  readonly size?: number;
}

/** Options of `sendFile`. */
export interface SendFileOptions {
  /**
   * Aborts the stream with `signal.reason`, unless all of the file went to the kernel before. One that is aborted already
   * rejects with its reason and leaves the stream open: nothing of the file has been sent.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `close`. */
export interface CloseOptions {
  /**
   * Milliseconds without progress of the peer, looked at once in that time, after which the stream is aborted: it comes
   * between one and two times this long after the last progress. In the first 12 times this long any progress is enough;
   * from then on the peer must have taken 1 KiB/s on average, so that one that takes single bytes does not keep the
   * stream for ever. @default 5000
   */
  readonly graceMs?: number;
}

/** The limits of a stream, checked. */
export interface StreamLimits {
  readonly maxBufferSize: number;
  readonly maxWriteBufferSize: number;
}

/** The limits that `options` ask for. Streams of one server have equal ones, and share the object. */
export function streamLimits(options: StreamOptions): StreamLimits {
  const maxBufferSize = checkSize("maxBufferSize", options.maxBufferSize, DEFAULT_BUFFER_SIZE);
  const maxWriteBufferSize = checkSize("maxWriteBufferSize", options.maxWriteBufferSize, DEFAULT_BUFFER_SIZE);
  if (latest.maxBufferSize !== maxBufferSize || latest.maxWriteBufferSize !== maxWriteBufferSize)
    latest = { maxBufferSize, maxWriteBufferSize };
  return latest;
}

/** Throws unless the sizes in `options` can be such: for whoever makes streams later. @throws RangeError */
export function checkStreamOptions(options: StreamOptions): void {
  streamLimits(options);
}

let latest: StreamLimits = { maxBufferSize: DEFAULT_BUFFER_SIZE, maxWriteBufferSize: DEFAULT_BUFFER_SIZE };

/**
 * Checks a size in bytes; `undefined` stands for `fallback`.
 *
 * @throws RangeError unless it is an integer of at least `min`, or Infinity
 */
export function checkSize(name: string, value: number | undefined, fallback: number, min = 0): number {
  if (value === undefined) return fallback;
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= min)) return value;
  throw new RangeError(`${name} must be an integer of at least ${min}, or Infinity, got ${String(value)}`);
}
