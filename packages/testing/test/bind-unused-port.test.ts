import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { TCPClient, TCPServer } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { expect, it } from "vitest";
import { bindUnusedPort, simulate } from "../src/index.js";

async function serveOn(loop: IOLoop, engine?: "native" | "node"): Promise<void> {
  const common = engine === undefined ? { loop } : { loop, engine };
  const { socket, port } = await bindUnusedPort("127.0.0.1", common);
  const other = await bindUnusedPort("localhost", common);
  expect(other.port).not.toBe(port);
  const server = new TCPServer((stream) => void stream.close(), common);
  server.addSocket(socket);
  const stream = await new TCPClient(common).connect("127.0.0.1", port);
  expect(await stream.readUntilClose()).toHaveLength(0);
  await stream.close();
  await server.stop();
  await other.socket.close();
}

onEveryEngine((engine) => {
  it("bindUnusedPort() gives a socket that a server accepts on, and each time another port", async () => {
    await serveOn(new IOLoop({ logger: nullLogger }), engine);
  });
});

it("bindUnusedPort() binds on a simulated network too", async () => {
  await simulate(({ loop }) => serveOn(loop));
});
