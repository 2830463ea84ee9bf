export {
  WebSocketClosedError,
  WebSocketError,
  WebSocketHandshakeError,
  type WebSocketState,
} from "@tw/wsproto";
export type { WebSocketCloseMessage, WebSocketOpenMessage, WebSocketReceivedMessage } from "./channels.js";
export { WebSocketClientConnection, type WebSocketConnectOptions, websocketConnect } from "./client.js";
export { WebSocketConnection, type WebSocketConnectionOptions } from "./connection.js";
export { WebSocketHandler, type WebSocketSettings } from "./handler.js";
export type { Message, OutgoingMessage, WriteMessageOptions } from "./message.js";
export type { WebSocketListener, WebSocketOptions } from "./options.js";
export { isSameOrigin } from "./origin.js";
