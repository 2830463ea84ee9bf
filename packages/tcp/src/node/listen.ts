// Listening on Node's own sockets: everywhere Node runs.

import { type AddressInfo, createServer, type Server } from "node:net";
import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { nodeTransport } from "@tw/iostream/transports";
import type { Listener, ListenOptions } from "../network.js";

/** Binds and listens; `""` is every address, IPv6 and IPv4 alike. */
export async function nodeListen(
  loop: IOLoop,
  options: ListenOptions,
  onConnection: (transport: Transport) => void,
): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    onConnection(nodeTransport(loop, socket));
  });
  await listening(server, options);
  server.on("error", (error) => loop.logger.warn({ err: error }, "accept failed"));
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    close: () =>
      new Promise((resolve) => {
        // Node reports "closed" only when the last connection ended; the listening socket is shut at once.
        if (server.listening) server.close();
        resolve();
      }),
  };
}

function listening(server: Server, { port, address, backlog }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address === "" ? { port, backlog } : { port, host: address, backlog }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
