export { base64 } from "./base64.js";
export {
  beginUpgrade,
  finishUpgrade,
  type UpgradeAttempt,
  type UpgradeResponse,
} from "./client-handshake.js";
export {
  CLOSE_ABNORMAL,
  CLOSE_GOING_AWAY,
  CLOSE_INTERNAL_ERROR,
  CLOSE_INVALID_DATA,
  CLOSE_NO_CODE,
  CLOSE_NORMAL,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  isCloseCode,
} from "./close-codes.js";
export { WebSocketClosedError, WebSocketError, WebSocketHandshakeError } from "./errors.js";
export type {
  BinaryMessage,
  CloseEvent,
  FailEvent,
  PingEvent,
  PongEvent,
  TextMessage,
  WebSocketEvent,
} from "./events.js";
export { type FrameOptions, frame, type WireChunks } from "./frame.js";
export { acceptKey, type HeaderList, type HeaderLookup, type Sha1 } from "./handshake.js";
export {
  DEFAULT_MAX_FRAGMENTS,
  DEFAULT_MAX_MESSAGE_SIZE,
  WebSocketMachine,
  type WebSocketMachineOptions,
  type WebSocketRole,
} from "./machine.js";
export { applyMask } from "./mask.js";
export { BINARY, CLOSE, CONTINUATION, type Opcode, PING, PONG, TEXT } from "./opcodes.js";
export {
  acceptUpgrade,
  checkUpgradeRequest,
  type UpgradeCheck,
  type UpgradeOffer,
  type UpgradeRefusal,
  type UpgradeRequest,
} from "./server-handshake.js";
export type { InputState, OutputState, WebSocketState } from "./states.js";
export { Utf8Validator } from "./utf8-validator.js";
