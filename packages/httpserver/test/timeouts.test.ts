import { type VirtualHost, virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { TCPClient, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { describe, expect, it } from "vitest";
import { HTTPServer, type HTTPServerOptions } from "../src/index.js";
import { answer, codes, RawClient } from "./harness.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

async function inVirtualTime(
  options: HTTPServerOptions,
  test: (t: { client: RawClient; host: VirtualHost; server: HTTPServer }) => Promise<void>,
): Promise<void> {
  const { loop, host } = virtualLoop();
  useNetwork(loop, new MemoryNetwork(loop));
  await host.run(async () => {
    const server = new HTTPServer((request) => answer(request.connection, "x"), {
      logger: nullLogger,
      ...options,
      loop,
    });
    await server.listen(80);
    const client = new RawClient(await new TCPClient({ loop }).connect("x", server.port));
    await test({ client, host, server });
    await server.close();
  });
}

describe("timeouts, in virtual time", () => {
  it("idleTimeoutMs closes a kept-alive connection without a word, and not before", async () => {
    await inVirtualTime({ idleTimeoutMs: 10_000 }, async ({ client, host }) => {
      await client.send(GET);
      await client.until((text) => codes(text).length === 1);
      const before = host.now();
      const text = await client.untilClosed();
      expect(host.now() - before).toBeGreaterThanOrEqual(10_000);
      expect(host.now() - before).toBeLessThan(13_000);
      expect(codes(text)).toEqual([200]);
    });
  });

  it("headTimeoutMs answers 408 to a head that drips, however it drips", async () => {
    await inVirtualTime({ headTimeoutMs: 4000 }, async ({ client, host, server }) => {
      const before = host.now();
      for (const letter of GET.slice(0, -4)) {
        if (client.isClosed || client.text !== "") break;
        await client.send(letter);
        await new Promise((resolve) => server.loop.callLater(500, () => resolve(undefined)));
      }
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([408]);
      expect(host.now() - before).toBeLessThan(10_000);
    });
  });

  it("headTimeoutMs closes a connection on which nothing ever came", async () => {
    await inVirtualTime({ headTimeoutMs: 4000 }, async ({ client, host }) => {
      expect(await client.untilClosed()).toBe("");
      expect(host.now()).toBeGreaterThanOrEqual(4000);
    });
  });

  it("bodyTimeoutMs answers 408 to a body that stops, and spares one that goes on", async () => {
    await inVirtualTime({ bodyTimeoutMs: 4000, minRate: 0 }, async ({ client, server }) => {
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n");
      for (let i = 0; i < 10; i++) {
        await client.send("b");
        await new Promise((resolve) => server.loop.callLater(2000, () => resolve(undefined)));
      }
      expect(client.text).toBe("");
      expect(codes(await client.untilClosed())).toEqual([408]);
    });
  });

  it("a handler may take as long as it likes", async () => {
    const { loop, host } = virtualLoop();
    useNetwork(loop, new MemoryNetwork(loop));
    await host.run(async () => {
      const server = new HTTPServer(
        async (request) => {
          await new Promise((resolve) => loop.callLater(3_600_000, () => resolve(undefined)));
          answer(request.connection, "late");
        },
        { loop },
      );
      await server.listen(80);
      const client = new RawClient(await new TCPClient({ loop }).connect("x", server.port));
      await client.send(GET);
      expect(await client.until((text) => text.endsWith("late"))).toContain("200 OK");
      client.stream.abort();
      await server.close();
    });
  });
});

it("Date is right when a request comes after an hour of silence", async () => {
  const { loop, host } = virtualLoop({ wall: Date.UTC(1994, 10, 6, 8, 49, 37) });
  useNetwork(loop, new MemoryNetwork(loop));
  await host.run(async () => {
    const server = new HTTPServer((request) => answer(request.connection, "x"), { loop });
    await server.listen(80);
    for (const expected of ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT"]) {
      const client = new RawClient(await new TCPClient({ loop }).connect("x", server.port));
      await client.send(GET);
      expect(await client.until((text) => text.endsWith("x"))).toContain(`Date: ${expected}\r\n`);
      client.stream.abort();
      await new Promise((resolve) => loop.callLater(3_600_000, () => resolve(undefined)));
    }
    await server.close();
  });
});
