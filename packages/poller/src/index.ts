import type { Poller } from "./types.js";

export type { Accepted, Poller, PollHandle, PollSink, SocketAddress, SocketOption, WatchOptions } from "./types.js";
export { ERROR, HANGUP, READ, WRITE } from "./types.js";

/** The poller of this thread, or `undefined` where none can be had. */
export function loadPoller(): Poller | undefined {
  return undefined;
}
