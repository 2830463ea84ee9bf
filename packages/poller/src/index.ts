export { hostText } from "./accepted.js";
export { loadPoller } from "./load.js";
export type {
  Accepted,
  Host,
  Poller,
  PollHandle,
  PollSink,
  SocketAddress,
  SocketOption,
  WatchOptions,
} from "./types.js";
export { ERROR, HANGUP, READ, WRITE } from "./types.js";
