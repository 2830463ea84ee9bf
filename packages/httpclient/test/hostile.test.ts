// Servers that mean harm.

import { readdirSync } from "node:fs";
import { IOLoop } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { TCPServer, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AsyncHTTPClient, type FetchOptions } from "../src/index.js";

let escaped: unknown[] = [];
const onEscape = (error: unknown) => void escaped.push(error);

beforeEach(() => {
  escaped = [];
  process.on("unhandledRejection", onEscape);
  process.on("uncaughtException", onEscape);
});

afterEach(async () => {
  await new Promise(setImmediate);
  process.off("unhandledRejection", onEscape);
  process.off("uncaughtException", onEscape);
  expect(escaped).toEqual([]);
});

/** Fetches once, in virtual time, from a server that does as `attack` does with each stream. */
async function fetchFrom(
  attack: (stream: IOStream) => unknown,
  options: FetchOptions = {},
): Promise<{ outcome: unknown; pending: number }> {
  const { loop, host } = virtualLoop({ logger: nullLogger });
  useNetwork(loop, new MemoryNetwork(loop));
  const outcome = await host.run(async () => {
    const streams: IOStream[] = [];
    const server = new TCPServer(
      (stream) => {
        streams.push(stream);
        void attack(stream);
      },
      { loop },
    );
    await server.listen(80);
    const client = new AsyncHTTPClient({ loop, maxBodySize: 1000, maxHeadSize: 1000 });
    const result = await client.fetch("http://x/", options).catch((error: unknown) => error);
    await new Promise((resolve) => loop.callLater(60_000, () => resolve(undefined)));
    for (const stream of streams) stream.abort();
    await server.stop();
    return result;
  });
  await host.advance(1000);
  return { outcome, pending: host.pending };
}

describe("AsyncHTTPClient against a hostile server", () => {
  const head = "HTTP/1.1 200 OK\r\n";
  const floods: [string, string, string][] = [
    ["endless 1xx", "", "HTTP/1.1 103 Early Hints\r\n\r\n"],
    ["an endless head", head, "X: y\r\n"],
    ["an endless line", head, "x"],
    ["an endless body", `${head}\r\n`, "x"],
    ["an endless chunked body", `${head}Transfer-Encoding: chunked\r\n\r\n`, "1\r\nx\r\n"],
    ["endless chunk extensions", `${head}Transfer-Encoding: chunked\r\n\r\n1;`, "x"],
    ["endless trailers", `${head}Transfer-Encoding: chunked\r\n\r\n0\r\n`, "X: y\r\n"],
    ["a response before it is asked, and garbage", "garbage\r\n\r\n", "x"],
    ["101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "x"],
  ];
  for (const [name, start, piece] of floods) {
    it(`${name}: rejects at a limit and leaves nothing behind`, async () => {
      const { outcome, pending } = await fetchFrom((stream) => {
        stream.send(start + piece.repeat(1_000_000 / piece.length));
      });
      expect(outcome).toMatchObject({ code: "ERR_TW_HTTP_STREAM_CLOSED" });
      expect(pending).toBe(0);
    });
  }

  it("says whether the response was cut short or refused", async () => {
    const messages: string[] = [];
    for (const response of [
      "Content-Length: 9\r\n\r\nabc",
      "Content-Length: 1001\r\n\r\n",
      "no field\r\n\r\n",
    ]) {
      const { outcome } = await fetchFrom((stream) => {
        stream.send(head + response);
        stream.end();
      });
      messages.push((outcome as Error).message);
    }
    expect(messages).toEqual([
      "The server closed the connection before its response was complete",
      "The response of the server was refused",
      "The response of the server was refused",
    ]);
  });

  it("101 rejects at once, without a timeout: fetch asks for no other protocol", async () => {
    const { outcome } = await fetchFrom(
      (stream) => {
        stream.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
        stream.send("x".repeat(1_000_000));
      },
      { timeoutMs: 0 },
    );
    expect(outcome).toMatchObject({ code: "ERR_TW_HTTP_STREAM_CLOSED" });
  });

  it("a timeout in each phase leaves no timer, no stream and no rejection behind", async () => {
    for (const start of ["", "HTTP/1.1 200", `${head}Content-Length: 9\r\n\r\n`, `${head}\r\nx`]) {
      const { outcome, pending } = await fetchFrom((stream) => stream.send(start), { timeoutMs: 500 });
      expect(outcome).toMatchObject({ code: "ERR_TW_HTTP_TIMEOUT", during: "request" });
      expect(pending).toBe(0);
    }
  });

  it("an abort while the connection is on its way to us is not lost", async () => {
    const { loop, host } = virtualLoop({ logger: nullLogger });
    const network = new MemoryNetwork(loop);
    const abort = new AbortController();
    const reason = new Error("enough");
    const connect = network.connect.bind(network);
    network.connect = async (options) => {
      const transport = await connect(options);
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => abort.abort(reason))));
      return transport;
    };
    useNetwork(loop, network);
    await host.run(async () => {
      const server = new TCPServer(() => {}, { loop });
      await server.listen(80);
      const fetching = new AsyncHTTPClient({ loop }).fetch("http://x/", {
        signal: abort.signal,
        timeoutMs: 1000,
      });
      await expect(fetching).rejects.toBe(reason);
      await server.stop();
    });
  });

  it("CONNECT is refused before anything is sent", async () => {
    await expect(new AsyncHTTPClient().fetch("http://x/", { method: "CONNECT" })).rejects.toThrow(TypeError);
  });
});

onEveryEngine((engine) => {
  it("hundreds of exchanges that break off anywhere leave no descriptor behind", async () => {
    const loop = new IOLoop({ logger: nullLogger });
    const wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let at = 0;
    const server = new TCPServer(
      (stream) => {
        stream.send(wire.slice(0, at++ % wire.length));
        if (at % 3 === 0) stream.abort();
        else void stream.close();
      },
      { engine, loop },
    );
    await server.listen(0, "127.0.0.1");
    const client = new AsyncHTTPClient({ engine, loop });
    const url = `http://127.0.0.1:${server.port}/`;
    await client.fetch(url).catch(() => {});
    const before = readdirSync("/proc/self/fd").length;
    for (let i = 0; i < 20; i++) {
      const batch = Array.from({ length: 10 }, () => client.fetch(url).catch((error: unknown) => error));
      for (const outcome of await Promise.all(batch)) expect(outcome).toBeInstanceOf(Error);
    }
    await server.stop();
    for (let i = 0; i < 500 && readdirSync("/proc/self/fd").length > before; i++)
      await new Promise((resolve) => loop.callLater(10, () => resolve(undefined)));
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before);
  });
});
