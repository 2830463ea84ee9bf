// Connecting with Node's own sockets.

import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { connectNodeSocket } from "@tw/iostream/transports";
import type { ConnectOptions } from "../network.js";

/** Connects to one address. Aborting destroys the socket and rejects with the signal's reason. */
export function nodeConnect(loop: IOLoop, options: ConnectOptions): Promise<Transport> {
  const { address, port, family, signal, localAddress, localPort } = options;
  const common = signal === undefined ? {} : { signal };
  if (family === "unix") return connectNodeSocket(loop, { ...common, path: address });
  return connectNodeSocket(loop, {
    ...common,
    host: address,
    port,
    family,
    noDelay: true,
    ...(localAddress !== undefined && { localAddress }),
    ...(localPort !== undefined && { localPort }),
  });
}
