import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { TCPServer, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { nativeAvailable, onEveryEngine } from "@tw/tooling-testing";
import { concatBytes, fromLatin1, latin1 } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import { AsyncHTTPClient, HTTPClientError, HTTPTimeoutError } from "../src/index.js";

for (const carrier of ["memory", "native", "node"] as const) {
  describe.skipIf(carrier === "native" && !nativeAvailable)(`against canned answers, ${carrier}`, () => {
    const stop: (() => unknown)[] = [];
    afterEach(async () => {
      for (const each of stop.splice(0)) await each();
    });

    /** A server that reads one head and sends the pieces, each in a write of its own. */
    async function canned(
      pieces: readonly string[],
      close = true,
    ): Promise<{ client: AsyncHTTPClient; url: string; seen: string[] }> {
      const loop = new IOLoop({ logger: nullLogger });
      if (carrier === "memory") useNetwork(loop, new MemoryNetwork(loop));
      const engine = carrier === "memory" ? {} : { engine: carrier };
      const seen: string[] = [];
      const streams: IOStream[] = [];
      const server = new TCPServer(
        async (stream) => {
          streams.push(stream);
          seen.push(fromLatin1(await stream.readUntil("\r\n\r\n", { maxBytes: 10_000 })));
          for (const piece of pieces) {
            await stream.write(latin1(piece));
            await new Promise(setImmediate);
          }
          if (close) await stream.close();
        },
        { ...engine, loop },
      );
      await server.listen(0, "127.0.0.1");
      const client = new AsyncHTTPClient({ ...engine, loop, maxBodySize: 1000 });
      stop.push(() => {
        for (const stream of streams) stream.abort();
        return server.stop();
      });
      return { client, url: `http://127.0.0.1:${server.port}/p?q=1`, seen };
    }

    it("reads bodies with Content-Length, chunked, and until the end", async () => {
      for (const wire of [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      ]) {
        for (const pieces of [[wire], [...wire]]) {
          const { client, url } = await canned(pieces);
          const response = await client.fetch(url);
          expect([response.code, response.text()]).toEqual([200, "hello"]);
        }
      }
    });

    // RFC 9112 §3.2 (2), RFC 9112 §3.2.1 (1), (2)
    it("sends method, target, Host, headers and body", async () => {
      const { client, url, seen } = await canned(["HTTP/1.1 204 No Content\r\n\r\n"]);
      await client.fetch(url, { method: "POST", body: "€", headers: { "X-One": "1" } });
      expect(seen[0]).toMatch(/^POST \/p\?q=1 HTTP\/1\.1\r\n/);
      expect(seen[0]).toMatch(/\r\nHost: 127\.0\.0\.1:\d+\r\n/);
      expect(seen[0]).toContain("Content-Length: 3\r\n");
      expect(seen[0]).toContain("X-One: 1\r\n");
      expect(seen[0]).toContain("Connection: close\r\n");
    });

    it("rejects with HTTPClientError for an error status, which carries the response, unless told not to", async () => {
      const { client, url } = await canned(["HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"]);
      const error = await client.fetch(url).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(HTTPClientError);
      expect((error as HTTPClientError).response.text()).toBe("nope");
      expect((await client.fetch(url, { raiseError: false })).code).toBe(404);
    });

    it("rejects promptly when the response breaks off or is garbage", async () => {
      for (const wire of [
        "",
        "HTTP/1.1 200 OK\r\nContent-Len",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        `HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n${"x".repeat(1001)}`,
      ]) {
        const { client, url } = await canned([wire]);
        await expect(client.fetch(url)).rejects.toMatchObject({ code: "ERR_TW_HTTP_STREAM_CLOSED" });
      }
    });

    it("rejects with HTTPTimeoutError that says where time ran out", async () => {
      const { client, url } = await canned(["HTTP/1.1 200 OK\r\n"], false);
      // Enough to connect in, on any machine.
      const error = await client.fetch(url, { timeoutMs: 500 }).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(HTTPTimeoutError);
      expect((error as HTTPTimeoutError).during).toBe("request");
    });

    it("rejects with the signal's reason, and with a code after close()", async () => {
      const { client, url } = await canned(["HTTP/1.1 200 OK\r\n"], false);
      const abort = new AbortController();
      const reason = new Error("enough");
      const fetching = client.fetch(url, { signal: abort.signal });
      setTimeout(() => abort.abort(reason), 10);
      await expect(fetching).rejects.toBe(reason);
      const other = client.fetch(url);
      setTimeout(() => client.close(), 10);
      await expect(other).rejects.toMatchObject({ code: "ERR_TW_CLIENT_CLOSED" });
      await expect(client.fetch(url)).rejects.toMatchObject({ code: "ERR_TW_CLIENT_CLOSED" });
    });

    // RFC 9110 §4.2.2 (3)
    it("gives a request that might have a body and has none a length of 0, and no chunks", async () => {
      for (const [method, length] of [
        ["PROPFIND", "Content-Length: 0\r\n"],
        ["DELETE", undefined],
        ["GET", undefined],
      ] as const) {
        const { client, url, seen } = await canned(["HTTP/1.1 204 No Content\r\n\r\n"]);
        await client.fetch(url, { method });
        expect(seen[0]).not.toContain("Transfer-Encoding");
        expect(/Content-Length.*\r\n/.exec(seen[0] as string)?.[0]).toBe(length);
      }
    });

    it("refuses what cannot be sent before it connects", async () => {
      const { client, url, seen } = await canned([]);
      await expect(client.fetch("https://127.0.0.1/")).rejects.toThrow(TypeError);
      await expect(client.fetch("no url")).rejects.toThrow(TypeError);
      await expect(client.fetch(url, { method: "G T" })).rejects.toThrow(TypeError);
      await expect(client.fetch(url, { method: "POST" })).rejects.toThrow(TypeError);
      await expect(client.fetch(url, { body: "x" })).rejects.toThrow(TypeError);
      for (const body of [new Uint16Array(2), new ArrayBuffer(2), null, 5, {}, ["x"]])
        await expect(client.fetch(url, { method: "POST", body: body as never })).rejects.toThrow(TypeError);
      await expect(client.fetch(url, { headers: { X: "a\r\nY: b" } })).rejects.toThrow(TypeError);
      expect(seen).toEqual([]);
    });
  });
}

onEveryEngine((engine) => {
  describe("against node:http", () => {
    let server: Server;
    afterEach(() => server.close());

    it("exchanges 1 MiB both ways and the same headers", async () => {
      const body = new Uint8Array(1024 * 1024).map((_, i) => (i * 31) & 0xff);
      server = createServer((request, response) => {
        const chunks: Uint8Array[] = [];
        request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        request.on("end", () => {
          response.setHeader("X-Method", request.method ?? "");
          response.end(concatBytes(chunks));
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const response = await new AsyncHTTPClient({ engine }).fetch(`http://localhost:${port}/`, {
        method: "PUT",
        body,
        headers: new HTTPHeaders({ "Content-Type": "application/octet-stream" }),
      });
      expect(response.headers.get("x-method")).toBe("PUT");
      expect(Buffer.compare(Buffer.from(response.body), Buffer.from(body))).toBe(0);
    });

    it("ECONNREFUSED passes through as the system's error", async () => {
      server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      await expect(new AsyncHTTPClient({ engine }).fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
        code: "ECONNREFUSED",
      });
    });
  });
});

it("new AsyncHTTPClient() refuses what is no loop, and what are no options", () => {
  const loop = IOLoop.current();
  for (const none of [null, {}, 5] as never[])
    expect(() => new AsyncHTTPClient({ loop: none })).toThrow(/^loop must be an IOLoop, got /);
  for (const options of [null, 20, true, []] as never[])
    expect(() => new AsyncHTTPClient(options)).toThrow(/^options must be an object, got /);
  expect(() => new AsyncHTTPClient(loop as never)).toThrow(
    new TypeError("options must be an object, got an IOLoop: give { loop }"),
  );
  expect(new AsyncHTTPClient({ loop: undefined } as object).loop).toBe(loop);
});
