// A whole application, as it runs in production, on a network where everything comes late and in pieces.

import { AsyncHTTPClient } from "@tw/httpclient";
import { Application, RequestHandler } from "@tw/web";
import { WebSocketHandler, websocketConnect } from "@tw/websocket";
import { expect, it } from "vitest";
import { type SimulateOptions, simulate } from "../src/index.js";

class Page extends RequestHandler<"/page/:id"> {
  get(): void {
    this.write(`page ${this.params.id}`);
  }
}

class Echo extends WebSocketHandler {
  override async onMessage(message: string | Uint8Array): Promise<void> {
    await this.writeMessage(message);
  }
}

async function session(): Promise<unknown[]> {
  const app = new Application([
    ["/page/:id", Page],
    ["/echo", Echo],
  ]);
  const server = await app.listen(8888);
  await using client = new AsyncHTTPClient();
  const said: unknown[] = [(await client.fetch("http://localhost:8888/page/7")).text()];
  const socket = await websocketConnect("ws://localhost:8888/echo");
  for (const message of ["hello", "é".repeat(500)]) {
    await socket.writeMessage(message);
    said.push(await socket.readMessage());
  }
  await socket.close();
  await server.close();
  return said;
}

const WAYS: Readonly<Record<string, SimulateOptions>> = {
  "perfect ways": {},
  "single bytes": { pieces: "bytes", latencyMs: 3 },
  "slow lines, short writes": { bytesPerMs: 1, writes: "random", capacity: 100, seed: 9 },
  "latency that varies": { latencyMs: [0, 400], pieces: "random", seed: 2 },
};

it.each(Object.entries(WAYS))("pages and WebSockets work over %s", async (_name, options) => {
  const said = await simulate(session, options);
  expect(said).toEqual(["page 7", "hello", "é".repeat(500)]);
});
