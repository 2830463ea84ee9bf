// What a Node socket knows of both its ends. Node forgets addresses when a socket closes, so they are looked up once.

import type { Duplex } from "node:stream";
import type { TransportInfo } from "../../transport.js";

/** The part of `net.Socket` and `tls.TLSSocket` that says who is who; other streams have none of it. */
interface Addressed {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly encrypted?: boolean;
}

/** {@link TransportInfo} of a Node stream, as it is now. */
export function nodeInfo(duplex: Duplex): TransportInfo {
  const socket = duplex as Duplex & Addressed;
  return {
    engine: "node",
    remoteAddress: socket.remoteAddress ?? "",
    remotePort: socket.remotePort ?? 0,
    localAddress: socket.localAddress ?? "",
    localPort: socket.localPort ?? 0,
    encrypted: socket.encrypted === true,
  };
}
