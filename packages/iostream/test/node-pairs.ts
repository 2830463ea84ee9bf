// Connected pairs of real sockets: one end from connectNodeSocket, the other accepted and wrapped.
import { randomUUID } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOLoop } from "@tw/ioloop";
import { expect } from "vitest";
import type { Transport } from "../src/index.js";
import { acceptNodeSocket, connectNodeSocket } from "../src/transports.js";

export const loop: IOLoop = new IOLoop({
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});

export interface NodePair {
  readonly connected: Transport;
  readonly accepted: Transport;
  readonly socket: Socket;
}

/** Both ends of one connection over loopback TCP or a Unix socket; the accepted one as a listener of ours makes it, or another. */
export async function nodePair(
  kind: "tcp" | "unix",
  make: (loop: IOLoop, socket: Socket) => Transport = acceptNodeSocket,
): Promise<NodePair> {
  let accept: (pair: { accepted: Transport; socket: Socket }) => void = () => {};
  const accepting = new Promise<{ accepted: Transport; socket: Socket }>((resolve) => {
    accept = resolve;
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    accept({ accepted: make(loop, socket), socket });
  });
  const where = await listen(server, kind);
  const connected = await connectNodeSocket(loop, where);
  const { accepted, socket } = await accepting;
  server.close();
  return { connected, accepted, socket };
}

function listen(
  server: Server,
  kind: "tcp" | "unix",
): Promise<{ path: string } | { host: string; port: number }> {
  const path = join(tmpdir(), `tw-${randomUUID()}.sock`);
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    if (kind === "unix") server.listen(path, () => resolve({ path }));
    else {
      server.listen(0, "127.0.0.1", () => {
        resolve({ host: "127.0.0.1", port: (server.address() as { port: number }).port });
      });
    }
  });
}

/** A moment for the kernel. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** Waits for real I/O. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await settle();
  expect(condition()).toBe(true);
}
