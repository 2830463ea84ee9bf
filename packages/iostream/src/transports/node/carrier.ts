// What carries TLS once a transport is given up for it: a Node stream, with what was received and nobody has read.

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Transport } from "../../transport.js";
import { NodeTransport } from "./transport.js";

/** Takes `transport` apart and puts `unread` back; `undefined` for one that cannot be, which is then as it was. */
export function carrierOf(transport: Transport, unread: Uint8Array): Duplex | undefined {
  if (transport instanceof NodeTransport) return withUnread(transport.detach(), unread);
  const released = transport.release?.();
  if (released === undefined) return undefined;
  const { fd } = released;
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  return withUnread(withUnread(socket, released.unread), unread);
}

function withUnread(duplex: Duplex, unread: Uint8Array): Duplex {
  duplex.pause();
  if (unread.length > 0) duplex.unshift(unread);
  return duplex;
}
