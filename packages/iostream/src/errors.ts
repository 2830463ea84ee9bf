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

/**
 * `close()` gave up while bytes were waiting for the peer: it took nothing for `graceMs`, or, 12 times that long after
 * `close()`, less than 1 KiB/s on average since.
 */
export class CloseTimeoutError extends TwError {
  constructor(message: string) {
    super("ERR_TW_CLOSE_TIMEOUT", message);
  }
}

/** A file ended before the range that was to be sent: somebody cut it short. The stream is aborted. */
export class FileTooShortError extends TwError {
  constructor(offset: number, missing: number) {
    super("ERR_TW_FILE_TOO_SHORT", `Cannot send a file: it ends at ${offset}, ${missing} bytes early`);
  }
}

/** A file that was to be sent cannot be read; `cause` is the system's error. The stream is aborted. */
export class FileReadError extends TwError {
  constructor(cause: unknown) {
    super("ERR_TW_FILE_READ", withCause("Cannot send a file", cause), { cause });
  }
}

/** `startTls()` on a stream that is not idle: bytes are unread or unsent. The stream is as it was. */
export class StartTlsError extends TwError {
  constructor(message: string) {
    super("ERR_TW_START_TLS", message);
  }
}

/** Why a TLS handshake failed. */
export type HandshakeFailure =
  /** The certificate is another host's. */
  | "wrong-host"
  | "expired"
  | "not-yet-valid"
  /** Signed by nobody we trust, itself included. */
  | "unknown-ca"
  | "revoked"
  /** Another fault of the certificate, or none was given. */
  | "certificate"
  | "timeout"
  /** The peer closed or broke the connection, which is how it refuses our certificate, too. */
  | "closed"
  /** What came is no TLS, or there is no common version, cipher or protocol. */
  | "protocol";

/** A TLS handshake failed, and the connection is closed. `reason` says why, `cause` is Node's error. */
export class TLSHandshakeError extends TwError {
  readonly reason: HandshakeFailure;

  constructor(reason: HandshakeFailure, cause: unknown) {
    super("ERR_TW_TLS_HANDSHAKE", withCause(`TLS handshake failed (${reason})`, cause), { cause });
    this.reason = reason;
  }
}

function withCause(message: string, cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? `${message}: ${cause.message}` : message;
}
