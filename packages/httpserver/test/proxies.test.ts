// Proxies that nobody here wrote, in front of the server: they reuse connections, re-frame bodies and speak HTTP/1.0.

import { randomBytes } from "node:crypto";
import type { HTTPServerRequest } from "@tw/httputil";
import { HTTPHeaders } from "@tw/httputil";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterEach, describe, expect, it } from "vitest";
import { type Daemon, startHaproxy, startNginx } from "./daemons.js";
import { answer, Bench, OK } from "./harness.js";

const proxies = { nginx: startNginx, haproxy: startHaproxy };
const big = randomBytes(2_000_000);

onEveryEngine((engine) => {
  for (const [name, startProxy] of Object.entries(proxies)) {
    describe(name, () => {
      const bench = new Bench(engine);
      let daemon: Daemon | undefined;
      let connections = 0;
      afterEach(async () => {
        await daemon?.stop();
        await bench.tearDown();
      });

      async function behindProxy(callback: (request: HTTPServerRequest) => void | Promise<void>) {
        connections = 0;
        const seen = new Set<unknown>();
        const server = await bench.serve((request) => {
          if (request.uri === "*") return answer(request.connection, "");
          seen.add(request.connection.context);
          connections = seen.size;
          return callback(request);
        });
        daemon = await startProxy(server.port);
        return `http://127.0.0.1:${daemon.port}`;
      }

      it("passes 200 requests on over a few connections, each with its own answer", async () => {
        const url = await behindProxy((request) => answer(request.connection, `for ${request.uri}`));
        for (let round = 0; round < 10; round++) {
          const paths = Array.from({ length: 20 }, (_, i) => `/${round}/${i}`);
          const texts = await Promise.all(paths.map(async (path) => (await fetch(url + path)).text()));
          expect(texts).toEqual(paths.map((path) => `for ${path}`));
        }
        expect(connections).toBeLessThan(100);
      });

      it("passes bodies of 2 MB both ways, with a length and in chunks", async () => {
        const url = await behindProxy((request) => {
          const { body, connection } = request;
          const chunked = request.uri.endsWith("/chunks");
          connection.writeHeaders(
            OK,
            new HTTPHeaders(chunked ? {} : { "Content-Length": String(body.length) }),
          );
          connection.write(body);
          connection.finish();
        });
        for (const path of ["/length", "/chunks", "/streamed/length", "/streamed/chunks"]) {
          const answered = await fetch(url + path, { method: "POST", body: big });
          expect(big.equals(Buffer.from(await answered.arrayBuffer())), path).toBe(true);
          const pieces = ReadableStream.from([
            big.subarray(0, 5),
            big.subarray(5, 700_000),
            big.subarray(700_000),
          ]);
          const streamed = await fetch(url + path, {
            method: "POST",
            body: pieces,
            duplex: "half",
          } as RequestInit);
          expect(big.equals(Buffer.from(await streamed.arrayBuffer())), path).toBe(true);
        }
      });

      it("gets HEAD, 204, 304 and errors without bodies that belong to the next answer", async () => {
        const codes: Record<string, number> = { "/204": 204, "/304": 304, "/404": 404, "/200": 200 };
        const url = await behindProxy((request) => {
          const code = codes[request.path] ?? 200;
          const empty = code === 204 || code === 304;
          const headers = new HTTPHeaders(empty ? {} : { "Content-Length": "5" });
          request.connection.writeHeaders({ ...OK, code, reason: "" }, headers, empty ? undefined : "hello");
          request.connection.finish();
        });
        for (const method of ["HEAD", "GET"]) {
          for (const path of Object.keys(codes)) {
            const answered = await fetch(url + path, { method });
            expect(answered.status).toBe(codes[path]);
            const text = await answered.text();
            expect(text).toBe(method === "HEAD" || path === "/204" || path === "/304" ? "" : "hello");
          }
        }
      });

      it("sees an answer that breaks off as broken, and goes on with the next request", async () => {
        const url = await behindProxy((request) => {
          if (request.path !== "/broken") return answer(request.connection, "whole");
          request.connection.writeHeaders(OK, new HTTPHeaders());
          request.connection.write("part");
          request.connection.abort();
        });
        await expect(
          fetch(`${url}/broken`).then(async (answered) => {
            if (answered.status !== 200) throw new Error(`${answered.status}`);
            return answered.text();
          }),
        ).rejects.toThrow();
        expect(await (await fetch(url)).text()).toBe("whole");
      });
    });
  }

  it("nginx with HTTP/1.0 to its upstream gets answers that end with the connection", async () => {
    const bench = new Bench(engine);
    const server = await bench.serve((request) => {
      request.connection.writeHeaders(OK, new HTTPHeaders());
      request.connection.write(`${request.version} `);
      request.connection.write(request.body);
      request.connection.finish();
    });
    const daemon = await startNginx(server.port);
    const answered = await fetch(`http://127.0.0.1:${daemon.port}/old/`, { method: "POST", body: big });
    const bytes = Buffer.from(await answered.arrayBuffer());
    expect(bytes.subarray(0, 9).toString()).toBe("HTTP/1.0 ");
    expect(big.equals(bytes.subarray(9))).toBe(true);
    await daemon.stop();
    await bench.tearDown();
  });
});
