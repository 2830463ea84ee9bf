// Socket options by name; their positions are the numbers that native/poller.c switches on.

import type { SocketOption } from "./types.js";

const OPTIONS: readonly SocketOption[] = [
  "reuseAddr",
  "reusePort",
  "v6Only",
  "noDelay",
  "keepAlive",
  "linger0",
  "sendBuffer",
  "receiveBuffer",
];

/** The addon's number of an option. @throws TypeError for a name that there is not. */
export function optionNumber(option: SocketOption): number {
  const at = OPTIONS.indexOf(option);
  if (at === -1) throw new TypeError(`Unknown socket option ${JSON.stringify(option)}`);
  return at;
}
