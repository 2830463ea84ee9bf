// A server that says all it has to say with its 101, and goes. In virtual time, of which nothing here takes any.

import { virtualLoop } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { TCPServer, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { fromLatin1 } from "@tw/util";
import { acceptUpgrade, WebSocketMachine } from "@tw/wsproto";
import { describe, expect, test } from "vitest";
import { type WebSocketClientConnection, websocketConnect } from "../src/client.js";
import { sha1 } from "../src/randomness.js";
import { MemoryLogger } from "./support.js";

/** Answers a handshake with 101, two messages, where it says goodbye a Close frame, and its end. */
async function hasten(stream: IOStream, goodbye: boolean): Promise<void> {
  const head = fromLatin1(await stream.readUntil("\r\n\r\n", { maxBytes: 1000 }));
  const key = /sec-websocket-key: (\S+)/i.exec(head)?.[1] as string;
  const fields = acceptUpgrade({ ok: true, key, protocols: [] }, sha1).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const machine = new WebSocketMachine("server");
  const frames = [...machine.sendText("1"), ...machine.sendText("2")];
  if (goodbye) frames.push(...machine.close(4001, "bye"));
  stream.send(`HTTP/1.1 101 Switching Protocols\r\n${fields.join("")}\r\n`);
  for (const chunk of frames) stream.send(chunk);
  stream.end();
}

/** Connects to such a server and waits for the end. What was seen, in its order, and logged. */
async function visit(
  memory: { readonly chunk?: () => number },
  goodbye: boolean,
  then: (socket: WebSocketClientConnection, loop: { close(): Promise<void> }) => unknown = () => {},
): Promise<string[]> {
  const logger = new MemoryLogger();
  const { host, loop } = virtualLoop({ logger });
  useNetwork(loop, new MemoryNetwork(loop, memory));
  const server = new TCPServer((stream) => hasten(stream, goodbye), { loop });
  await server.listen(0, "127.0.0.1");
  const { port } = server;
  const seen: string[] = [];
  const before = host.now();
  await host.run(async () => {
    const socket = await websocketConnect(`ws://127.0.0.1:${port}/`, {
      loop,
      onMessage: (message) => void seen.push(`${message} ${socket.state}`),
      onClose: (code) => void seen.push(`close ${code} ${socket.closeReason}`.trim()),
    });
    seen.push("connected");
    await then(socket, loop);
    await socket.whenClosed;
    seen.push("closed");
  });
  expect(host.now()).toBe(before);
  return [...seen, ...logger.lines];
}

describe.each([
  ["whole", {}],
  ["byte by byte", { chunk: () => 1 }],
])("what a server sends with its 101, %s", (_, memory) => {
  test("comes behind the connection: a Close frame", async () => {
    expect(await visit(memory, true)).toEqual(["connected", "1 open", "2 open", "close 4001 bye", "closed"]);
  });

  test("comes behind the connection: an end without a word", async () => {
    expect(await visit(memory, false)).toEqual(["connected", "1 open", "2 open", "close 1006", "closed"]);
  });

  test("is dropped by abort(), and onClose comes behind it", async () => {
    expect(await visit(memory, true, (socket) => socket.abort())).toEqual([
      "connected",
      "close 1006",
      "closed",
    ]);
  });
});

test("where the loop is closed at once, the end is told all the same", async () => {
  const seen = await visit({}, true, async (socket, loop) => {
    await loop.close();
    socket.abort();
  });
  expect(seen).toEqual(["connected", "close 1006", "closed"]);
});
