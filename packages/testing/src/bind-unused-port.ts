// A port for a test, on the network of the loop: Tornado's bind_unused_port.

import { type BindOptions, bindSockets, type ListeningSocket } from "@tw/tcp";

/** A socket that listens, and where. */
export interface UnusedPort {
  /** For `TCPServer.addSocket`; whoever bound it closes it, or the server that took it over. */
  readonly socket: ListeningSocket;
  readonly port: number;
}

/**
 * Listens on a free port of `address`, without accepting yet. No other process can take the port meanwhile, as could
 * happen to one that was found free and closed again.
 *
 * @throws SystemError `EADDRNOTAVAIL` for an address that this machine has not
 * @example
 * const { socket, port } = await bindUnusedPort();
 * server.addSocket(socket);
 */
export async function bindUnusedPort(address = "127.0.0.1", options: BindOptions = {}): Promise<UnusedPort> {
  const [socket, ...others] = await bindSockets(0, address, options);
  await Promise.all(others.map((other) => other.close()));
  if (socket === undefined) throw new TypeError(`${address} is no address`);
  return { socket, port: socket.port };
}
