export {
  CloseTimeoutError,
  StreamBufferFullError,
  StreamBusyError,
  StreamClosedError,
  UnsatisfiableReadError,
} from "./errors.js";
export { IOStream } from "./iostream.js";
export type { CloseOptions, ReadBytesOptions, ReadUntilOptions, StreamOptions } from "./options.js";
export type { StreamReceiver } from "./receiver.js";
export type { Transport, TransportInfo, TransportReceiver } from "./transport.js";
