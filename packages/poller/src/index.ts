export { hostText } from "./accepted.js";
export { loadPoller, whyNoPoller } from "./load.js";
export { NOT_READ } from "./read-ahead.js";
export type {
  Accepted,
  DeliveryTurns,
  Host,
  Poller,
  PollHandle,
  PollSink,
  ReadAhead,
  ReadLane,
  SocketAddress,
  SocketOption,
  WatchOptions,
  WritePage,
} from "./types.js";
export { ERROR, HANGUP, READ, WRITE } from "./types.js";
