import { TCPClient, TCPServer } from "@tw/tcp";
import { expect, it } from "vitest";
import { simulate } from "../src/index.js";

it("a simulated stream keeps what came before its peer was lost", async () => {
  const sizes: number[] = [];
  await simulate(async ({ network, loop }) => {
    const server = new TCPServer(async (stream) => {
      await stream.readUntil("\n");
      await stream.whenClosed;
      sizes.push((await stream.readBytes(5001)).length);
    });
    await server.listen(80, "0.0.0.0");
    const client = await new TCPClient().connect("127.0.0.1", 80);
    await client.write("a\nb");
    await new Promise((resolve) => loop.callLater(50, () => resolve(undefined)));
    await client.write("c".repeat(5000));
    await new Promise((resolve) => loop.callLater(50, () => resolve(undefined)));
    client.abort();
    await new Promise((resolve) => loop.callLater(50, () => resolve(undefined)));
    await server.stop();
    expect(network).toBeDefined();
  });
  expect(sizes).toEqual([5001]);
});
