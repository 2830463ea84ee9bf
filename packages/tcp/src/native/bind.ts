// A listening descriptor on the poller: made and bound here, or given to us.

import { chmodSync } from "node:fs";
import type { IOLoop } from "@tw/ioloop";
import { type NativeEngine, systemError } from "@tw/iostream/transports";
import { type Poller, WRITE } from "@tw/poller";
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
 * backlog and proves that it is a stream socket, but of one that is only bound it would make a listening one.
 *
 * @throws ListenError `ERR_TW_NOT_LISTENING`; the descriptor is left as it was
 */
export async function adoptDescriptor(
  loop: IOLoop,
  poller: Poller,
  fd: number,
  backlog: number,
): Promise<void> {
  if (await isWritable(loop, poller, fd)) throw notListening(fd, "nobody called listen() on it");
  const result = poller.listen(fd, backlog);
  if (result < 0) throw notListening(fd, poller.errnoName(-result));
  poller.adopt(fd);
}

/** What listens has nothing to write to; what is bound only reports a hang-up at once, and what is connected has room. */
async function isWritable(loop: IOLoop, poller: Poller, fd: number): Promise<boolean> {
  let writable = false;
  const handle = poller.watch(fd, WRITE, {
    onEvents() {
      writable = true;
    },
  });
  if (handle < 0) return false;
  await new Promise<void>((resolve) => loop.afterPoll(resolve));
  poller.unwatch(handle);
  return writable;
}

function notListening(fd: number, why: string): ListenError {
  return new ListenError("ERR_TW_NOT_LISTENING", `Descriptor ${fd} is no listening stream socket: ${why}`);
}
