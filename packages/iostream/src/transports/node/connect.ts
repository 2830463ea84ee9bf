// Connecting with a Node socket that reads into memory of ours (`onread`).

import { createConnection, type NetConnectOpts, type Socket } from "node:net";
import type { IOLoop } from "@tw/ioloop";
import { SocketReads } from "./onread.js";
import { NodeTransport } from "./transport.js";

/** Options of {@link connectNodeSocket}: Node's own for TCP and Unix sockets, and `signal`. */
export type NodeConnectOptions = NetConnectOpts & {
  /** Aborting destroys the socket and rejects with the signal's reason; afterwards it has no effect. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Connects to a TCP port or a Unix socket (`path`). Nagle's algorithm is off unless `noDelay` is false.
 * Rejects with Node's error (`ECONNREFUSED`, `ENOENT`), or with `signal.reason`.
 */
export function connectNodeSocket(loop: IOLoop, options: NodeConnectOptions): Promise<NodeTransport> {
  const { signal, ...rest } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const onread = new SocketReads(loop);
    const socket = createConnection({
      noDelay: true,
      ...rest,
      allowHalfOpen: true,
      onread,
    } as NetConnectOpts);
    // Nothing is read before somebody is there to receive it.
    socket.pause();
    const done = (): void => {
      socket.off("connect", connected);
      socket.off("error", failed);
      signal?.removeEventListener("abort", aborted);
    };
    const connected = (): void => {
      done();
      onread.transport = new NodeTransport(loop, socket);
      resolve(onread.transport);
    };
    const failed = (error: unknown): void => {
      done();
      reject(error);
    };
    const aborted = (): void => {
      done();
      discard(socket);
      reject(signal?.reason);
    };
    socket.on("connect", connected);
    socket.on("error", failed);
    signal?.addEventListener("abort", aborted);
  });
}

function discard(socket: Socket): void {
  socket.on("error", () => {});
  socket.destroy();
}
