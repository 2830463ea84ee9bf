// What can go wrong on a stream. Codes are stable; messages say what failed and quote numbers.

import { TwError } from "@tw/util";

/**
 * The stream is closed, or the peer finished before the read was complete. `cause` is the reason where there is one:
 * a system error such as `ECONNRESET`, the {@link UnsatisfiableReadError} that ended the stream, what `abort` was given.
 */
export class StreamClosedError extends TwError {
  constructor(message = "Stream is closed", cause?: unknown) {
    super("ERR_TW_STREAM_CLOSED", withCause(message, cause), cause === undefined ? undefined : { cause });
  }
}

/** Two readers of one stream: a second read, a read beside a receiver, or a receiver beside a read. */
export class StreamBusyError extends TwError {
  constructor(message: string) {
    super("ERR_TW_STREAM_BUSY", message);
  }
}

/** More bytes than a buffer of the stream may hold (`maxBufferSize`, `maxWriteBufferSize`). */
export class StreamBufferFullError extends TwError {
  constructor(message: string) {
    super("ERR_TW_STREAM_BUFFER_FULL", message);
  }
}

/** A delimiter did not come within `maxBytes`. It is the `cause` of the {@link StreamClosedError} that a read rejects with. */
export class UnsatisfiableReadError extends TwError {
  constructor(message: string) {
    super("ERR_TW_UNSATISFIABLE_READ", message);
  }
}

/** `close()` gave up: the peer took nothing for `graceMs` while bytes were waiting for it. */
export class CloseTimeoutError extends TwError {
  constructor(message: string) {
    super("ERR_TW_CLOSE_TIMEOUT", message);
  }
}

function withCause(message: string, cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? `${message}: ${cause.message}` : message;
}
