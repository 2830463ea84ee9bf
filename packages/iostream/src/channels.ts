// What streams say about themselves on `node:diagnostics_channel`; see docs/diagnostics.md.

import { channel } from "node:diagnostics_channel";
import type { DiagnosticsChannel } from "@tw/ioloop";
import type { FileRange } from "./file-range.js";
import type { IOStream, SSLIOStream } from "./iostream.js";

/** A stream was made over a transport. Behind a proxy its ends are the proxy's and ours until the header has come. */
export interface StreamOpenedMessage {
  readonly stream: IOStream;
}

/** The transport of a stream is gone, or, after `startTls`, another stream's. */
export interface StreamClosedMessage {
  readonly stream: IOStream;
  /** As the stream's `error`. */
  readonly error: unknown;
}

/** Bytes came from the transport: published before anybody is given them. */
export interface StreamReceivedMessage {
  readonly stream: IOStream;
  /** Valid during the call only. */
  readonly view: Uint8Array;
}

/** The transport took bytes. */
export interface StreamSentMessage {
  readonly stream: IOStream;
  /** How many. */
  readonly size: number;
  /** The queue, which begins with the bytes that were taken; a string is latin1. Valid during the call only. */
  readonly chunks: readonly (Uint8Array | string)[];
  /** Bytes of a file that the kernel took from there: `chunks` is empty then. The descriptor may be closed by now. */
  readonly file?: FileRange;
}

/** `startTls` was called. */
export interface HandshakeStartMessage {
  /** The plain stream, which is closed from now on; the same in all messages of one handshake. */
  readonly stream: IOStream;
  readonly isServer: boolean;
}

/** A TLS handshake is over, and the peer verified where that was asked for. */
export interface HandshakeFinishMessage {
  readonly stream: IOStream;
  readonly secure: SSLIOStream;
}

/** A TLS handshake failed; the connection is closed. */
export interface HandshakeErrorMessage {
  readonly stream: IOStream;
  /** A `TLSHandshakeError`, or what the handshake was aborted with. */
  readonly error: unknown;
}

export const opened: DiagnosticsChannel<StreamOpenedMessage> = channel("tw:iostream:opened");
export const closed: DiagnosticsChannel<StreamClosedMessage> = channel("tw:iostream:closed");
export const received: DiagnosticsChannel<StreamReceivedMessage> = channel("tw:iostream:received");
export const sent: DiagnosticsChannel<StreamSentMessage> = channel("tw:iostream:sent");
export const handshakeStart: DiagnosticsChannel<HandshakeStartMessage> = channel(
  "tw:iostream:handshakeStart",
);
export const handshakeFinish: DiagnosticsChannel<HandshakeFinishMessage> = channel(
  "tw:iostream:handshakeFinish",
);
export const handshakeError: DiagnosticsChannel<HandshakeErrorMessage> = channel(
  "tw:iostream:handshakeError",
);
