// What WebSockets of both roles say about themselves on `node:diagnostics_channel`; see docs/diagnostics.md.

import { channel } from "node:diagnostics_channel";
import type { DiagnosticsChannel } from "@tw/ioloop";
import type { WebSocketConnection } from "./connection.js";
import type { Message } from "./message.js";

/** A WebSocket is open: published before its handler hears of it. */
export interface WebSocketOpenMessage {
  /** The same in all messages of one WebSocket. */
  readonly connection: WebSocketConnection;
}

/** A message has come: published before it is delivered. */
export interface WebSocketReceivedMessage {
  readonly connection: WebSocketConnection;
  readonly message: Message;
}

/** The stream of a WebSocket is gone: published before its handler hears of it. */
export interface WebSocketCloseMessage {
  readonly connection: WebSocketConnection;
  /** As the connection's `closeCode`. */
  readonly code: number;
}

export const openChannel: DiagnosticsChannel<WebSocketOpenMessage> = channel("tw:websocket:open");
export const messageChannel: DiagnosticsChannel<WebSocketReceivedMessage> = channel("tw:websocket:message");
export const closeChannel: DiagnosticsChannel<WebSocketCloseMessage> = channel("tw:websocket:close");
