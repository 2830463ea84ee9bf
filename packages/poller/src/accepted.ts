// An accepted connection. The text of an address is made when somebody asks: most handlers never do, and it costs more
// than all else that JavaScript does here.

import type { NativePoller } from "./native.js";
import type { Accepted, Host } from "./types.js";

/** An IPv4 address and a port come as one number: address × 2^16 + port. */
const PORTS = 2 ** 16;

/** Accepts one connection, or returns `-errno`. */
export function acceptOn(native: NativePoller, fd: number): Accepted | number {
  const accepted = native.acceptFd(fd);
  if (accepted < 0) return accepted;
  const from = native.acceptedFrom();
  if (typeof from !== "number") return new AcceptedConnection(accepted, from.address, from.port);
  // As 32-bit integers, which objects hold in place: a double would be a box of its own in each connection.
  return new AcceptedConnection(accepted, (from / PORTS) | 0, (from % PORTS) | 0);
}

/**
 * The text of a {@link Host}.
 *
 * @example
 * hostText(0x7f000001); // "127.0.0.1"
 */
export function hostText(host: Host): string {
  if (typeof host === "string") return host;
  if (host !== lastHost) {
    lastHost = host;
    lastText = `${host >>> 24}.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`;
  }
  return lastText;
}

// Behind a proxy all connections come from few addresses: who keeps their text shares it with those before.
let lastHost = 0;
let lastText = "0.0.0.0";

class AcceptedConnection implements Accepted {
  readonly fd: number;
  readonly host: Host;
  readonly port: number;

  constructor(fd: number, host: Host, port: number) {
    this.fd = fd;
    this.host = host;
    this.port = port;
  }

  get address(): string {
    return hostText(this.host);
  }
}
