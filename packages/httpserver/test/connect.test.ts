// CONNECT: a tunnel for who opens one, and for all others a request like any, except that nothing may come behind it.

import { HTTPHeaders, type HTTPServerRequest, type UpgradedStream } from "@tw/httputil";
import { Deferred, fromLatin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTPServer } from "../src/index.js";
import { answer, codes, onEveryCarrier } from "./harness.js";

const CONNECT = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";
const WITH_BODY = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabc";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

onEveryCarrier((bench) => {
  describe("CONNECT to a server that opens no tunnels", () => {
    it.each([CONNECT, WITH_BODY])(
      "is 501 for %j, no delegate hears of it, and what comes behind it is no request",
      async (wire) => {
        for (const streamRequestBody of [false, true]) {
          const seen: string[] = [];
          const server = await bench.serve(
            (request: HTTPServerRequest) => {
              seen.push(request.path);
              answer(request.connection, "fine");
            },
            { streamRequestBody },
          );
          const text = await bench.transcript(server, [wire + SMUGGLED]);
          expect([codes(text), seen]).toEqual([[501], []]);
          expect(text).toContain("\r\nConnection: close\r\n");
        }
      },
    );
  });

  describe("CONNECT with allowConnect", () => {
    it("a tunnel can be half-closed, and closes by itself when both sides have ended", async () => {
      let tunnel: UpgradedStream | undefined;
      let received = "";
      const server = await bench.serve(
        (request: HTTPServerRequest) => {
          tunnel = request.connection.upgrade?.(new HTTPHeaders());
          tunnel?.attach({
            onBytes(view) {
              received += fromLatin1(view);
            },
            onEnd() {
              tunnel?.send(`got ${received}`);
              tunnel?.end();
            },
            onDrain() {},
            onClose() {},
          });
        },
        { allowConnect: true },
      );
      const client = await bench.connect(server);
      await client.send(`${CONNECT}all`);
      client.stream.end();
      expect(await client.untilClosed()).toMatch(/\r\n\r\ngot all$/);
      await client.stream.whenClosed;
      expect(tunnel?.closed).toBe(true);
    });

    it("upgrade() answers 200 and gives the stream, with what came behind the request first", async () => {
      const server = await bench.serve(
        (request: HTTPServerRequest) => {
          const stream = request.connection.upgrade?.(new HTTPHeaders({ "X-Tunnel": request.path }));
          stream?.attach({
            onBytes: (view) => void stream.send(`<${fromLatin1(view)}>`),
            onEnd: () => stream.close(),
            onDrain() {},
            onClose() {},
          });
        },
        { allowConnect: true },
      );
      const client = await bench.connect(server);
      await client.send(`${CONNECT}GET / HTTP/1.1`);
      await client.until((text) => text.endsWith("<GET / HTTP/1.1>"));
      await client.send("more");
      await client.until((text) => text.endsWith("<more>"));
      client.stream.end();
      const text = await client.untilClosed();
      const [head = "", tunnel] = text.split("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nX-Tunnel: a:80\r\nDate: [^\r]+$/);
      expect(tunnel).toBe("<GET / HTTP/1.1><more>");
    });

    it("a refusal closes the connection, and what comes behind it is no request", async () => {
      const seen: string[] = [];
      const server = await bench.serve(
        ({ method, path, connection }: HTTPServerRequest) => {
          seen.push(`${method} ${path}`);
          connection.writeHeaders(
            { version: "HTTP/1.1", code: 403, reason: "Forbidden" },
            new HTTPHeaders({ "Content-Length": "0" }),
          );
          connection.finish();
        },
        { allowConnect: true },
      );
      for (const wire of [CONNECT, WITH_BODY]) {
        const text = await bench.transcript(server, [wire + SMUGGLED]);
        expect(codes(text)).toEqual([403]);
        expect(text).toContain("\r\nConnection: close\r\n");
      }
      expect(seen).toEqual(["CONNECT a:80", "CONNECT a:80"]);
    });

    it("a success without upgrade() is a mistake of the program: 500, and no tunnel", async () => {
      const server = await bench.serve(({ connection }: HTTPServerRequest) => answer(connection, "fine"), {
        allowConnect: true,
      });
      const text = await bench.transcript(server, [CONNECT + SMUGGLED]);
      expect(codes(text)).toEqual([500]);
      expect(text).toContain("\r\nConnection: close\r\n");
    });

    it("the answer to a tunnel that was opened early waits for nothing: upgrade() before the body is refused", async () => {
      const thrown = new Deferred<unknown>();
      const server = await bench.serve(
        ({ connection }: HTTPServerRequest) => {
          try {
            connection.upgrade?.(new HTTPHeaders());
          } catch (error) {
            thrown.resolve(error);
          }
          connection.abort();
        },
        { allowConnect: true, streamRequestBody: true },
      );
      await bench.transcript(server, [WITH_BODY.slice(0, -1)]);
      expect(await thrown.promise).toMatchObject({
        message: "Cannot upgrade before the request is complete",
      });
    });
  });
});

it("allowConnect is a boolean", () => {
  expect(() => new HTTPServer(() => {}, { allowConnect: 1 as never })).toThrow(TypeError);
});
