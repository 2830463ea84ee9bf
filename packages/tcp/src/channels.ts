// What listening and connecting say about themselves on `node:diagnostics_channel`; see docs/diagnostics.md.

import { channel } from "node:diagnostics_channel";
import type { DiagnosticsChannel } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import type { ListeningSocket } from "./listening-socket.js";
import type { TCPServer } from "./tcp-server.js";

/** A socket listens. */
export interface ListeningMessage {
  /** The same in both messages of a socket. */
  readonly socket: ListeningSocket;
}

/** A socket is about to be closed; what it had accepted lives on. */
export interface StoppedMessage {
  readonly socket: ListeningSocket;
}

/** A server has a new connection. Of one that speaks TLS the handshake comes next, and another stream of it. */
export interface AcceptedMessage {
  readonly server: TCPServer;
  readonly stream: IOStream;
}

/** A client is connected. Of one that speaks TLS the handshake comes next, and another stream of it. */
export interface ConnectedMessage {
  /** The host as it was asked for, or the path of a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly stream: IOStream;
}

export const listening: DiagnosticsChannel<ListeningMessage> = channel("tw:tcp:listening");
export const stopped: DiagnosticsChannel<StoppedMessage> = channel("tw:tcp:stopped");
export const accepted: DiagnosticsChannel<AcceptedMessage> = channel("tw:tcp:accepted");
export const connected: DiagnosticsChannel<ConnectedMessage> = channel("tw:tcp:connected");
