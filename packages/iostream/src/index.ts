export type {
  HandshakeErrorMessage,
  HandshakeFinishMessage,
  HandshakeStartMessage,
  StreamClosedMessage,
  StreamOpenedMessage,
  StreamReceivedMessage,
  StreamSentMessage,
} from "./channels.js";
export {
  CloseTimeoutError,
  FileReadError,
  FileTooShortError,
  type HandshakeFailure,
  StartTlsError,
  StreamBufferFullError,
  StreamBusyError,
  StreamClosedError,
  TLSHandshakeError,
  UnsatisfiableReadError,
} from "./errors.js";
export { checkFileRange, type FileRange } from "./file-range.js";
export { IOStream, SSLIOStream } from "./iostream.js";
export type {
  ChunksOptions,
  CloseOptions,
  ReadBytesOptions,
  ReadOptions,
  ReadUntilOptions,
  SendFileOptions,
  StreamOptions,
} from "./options.js";
export { PipeIOStream, type PipeOptions } from "./pipe-iostream.js";
export type { StreamReceiver } from "./receiver.js";
export type { Transport, TransportInfo, TransportPage, TransportReceiver } from "./transport.js";
export type { PeerCertificate, SecureSocket } from "./transports/node/tls-facts.js";
export type { TLSOptions } from "./transports/node/tls-options.js";
export type { PipeAccess } from "./transports/pipe-access.js";
