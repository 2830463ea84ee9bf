// A non-blocking connect on the poller.

import { type NativeEngine, NativeTransport, systemError } from "@tw/iostream/transports";
import { WRITE } from "@tw/poller";
import type { ConnectOptions } from "../network.js";

/** Connects to one numeric address. Aborting closes the descriptor and rejects with the signal's reason. */
export function nativeConnect(engine: NativeEngine, options: ConnectOptions): Promise<NativeTransport> {
  const { poller } = engine;
  const { address, port, family, signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const fd = poller.socket(family);
    if (fd < 0) throw systemError(poller, fd, "socket");
    const refuse = (result: number) => reject(systemError(poller, result, "connect", { address, port }));
    const connected = () => {
      poller.setsockopt(fd, "noDelay", 1);
      resolve(new NativeTransport(engine, fd, "tcp", address, port));
    };
    const started = poller.connect(fd, address, port);
    if (started === 0) return connected();
    if (poller.errnoName(-started) !== "EINPROGRESS") {
      poller.closeFd(fd);
      return refuse(started);
    }
    const handle = poller.watch(fd, WRITE, {
      onEvents() {
        signal?.removeEventListener("abort", onAbort);
        const errno = poller.socketError(fd);
        if (errno === 0) {
          poller.unwatch(handle);
          connected();
        } else {
          poller.close(handle);
          refuse(-errno);
        }
      },
    });
    if (handle < 0) {
      poller.closeFd(fd);
      return refuse(handle);
    }
    const onAbort = () => {
      poller.close(handle);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
