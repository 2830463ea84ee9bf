// A listening descriptor on the poller: made and bound here, or given to us.

import { chmodSync } from "node:fs";
import { type NativeEngine, systemError } from "@tw/iostream/transports";
import type { Poller } from "@tw/poller";
import { ListenError } from "../errors.js";
import type { ListenOptions } from "../network.js";

/** A bound and listening descriptor. @throws SystemError of the call that failed; nothing is left open then */
export function bindDescriptor({ poller }: NativeEngine, options: ListenOptions): number {
  const { address, port, family, backlog, reusePort, mode } = options;
  const fd = poller.socket(family === "unix" ? 0 : family);
  if (fd < 0) throw systemError(poller, fd, "socket");
  try {
    const must = (result: number, call: string): void => {
      if (result < 0) throw systemError(poller, result, call, { address, port });
    };
    if (family !== "unix") {
      poller.setsockopt(fd, "reuseAddr", 1);
      poller.setsockopt(fd, "noDelay", 1); // inherited by what is accepted: one call instead of one per connection
    }
    if (family === 6) must(poller.setsockopt(fd, "v6Only", 1), "setsockopt");
    if (reusePort === true) must(poller.setsockopt(fd, "reusePort", 1), "setsockopt");
    must(poller.bind(fd, address, port), "bind");
    // Nobody can connect before listen(): there is no moment in which the wrong people may.
    if (mode !== undefined && !address.startsWith("\0")) chmodSync(address, mode);
    must(poller.listen(fd, backlog), "listen");
    return fd;
  } catch (error) {
    poller.closeFd(fd);
    throw error;
  }
}

/**
 * Takes a listening descriptor over: it becomes non-blocking and close-on-exec. `listen` on it once more changes its
 * backlog and proves that it is what it should be.
 *
 * @throws ListenError `ERR_TW_NOT_LISTENING`; the descriptor is left as it was
 */
export function adoptDescriptor(poller: Poller, fd: number, backlog: number): void {
  const result = poller.listen(fd, backlog);
  if (result < 0) {
    const why = poller.errnoName(-result);
    throw new ListenError("ERR_TW_NOT_LISTENING", `Descriptor ${fd} is no listening stream socket: ${why}`);
  }
  poller.adopt(fd);
}
