// Bodies that a callback reads as they come (Tornado's stream_request_body).

import { AsyncLocalStorage } from "node:async_hooks";
import { gzipSync } from "node:zlib";
import { HTTPHeaders, HTTPOutputError, type HTTPServerRequest } from "@tw/httputil";
import { nullLogger } from "@tw/log";
import { Deferred, fromLatin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import type { HTTPServerOptions } from "../src/index.js";
import { answer, codes, OK, onEveryCarrier, type RawClient, withoutDates } from "./harness.js";

const STREAMED: HTTPServerOptions = { streamRequestBody: true };
const CLOSE = "Connection: close\r\n";

const post = (body: string, more = "", length = body.length) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n${body}`;

/** The whole body, each view read only after a turn, by when a view that was not held would be another's. */
async function textOf(request: HTTPServerRequest): Promise<string> {
  let text = "";
  for await (const view of request.chunks()) {
    await new Promise(setImmediate);
    text += fromLatin1(view);
  }
  return text;
}

const echo = async (request: HTTPServerRequest) => answer(request.connection, `<${await textOf(request)}>`);

/** Bytes that the kernel has not taken of what a client wrote, when that does not change any more. */
async function stuck({ stream }: RawClient): Promise<number> {
  let queued = -1;
  for (let calm = 0; calm < 200; calm++) {
    if (stream.bufferedAmount !== queued) calm = 0;
    queued = stream.bufferedAmount;
    await new Promise(setImmediate);
  }
  return queued;
}

onEveryCarrier((bench) => {
  describe("streamRequestBody", () => {
    it("calls the callback when the head is in, with an empty body, and yields the body as it comes", async () => {
      const called = new Deferred<HTTPServerRequest>();
      const seen: string[] = [];
      const server = await bench.serve(async (request) => {
        called.resolve(request);
        for await (const view of request.chunks()) seen.push(fromLatin1(view));
        answer(request.connection, seen.join("|"));
      }, STREAMED);
      const client = await bench.connect(server);
      await client.send(post("", "", 6));
      const request = await called.promise;
      expect([request.method, request.body.length, request.bodyUsed]).toEqual(["POST", 0, true]);
      expect(request.bodyArguments.size).toBe(0);
      await client.send("one");
      while (seen.join("") !== "one") await new Promise(setImmediate);
      await client.send("two");
      const text = await client.until((text) => text.endsWith("two"));
      expect(codes(text)).toEqual([200]);
    });

    it("keeps the connection for the next request, also behind chunks with trailers", async () => {
      const server = await bench.serve(echo, STREAMED);
      const text = await bench.transcript(server, [
        post("one") +
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n" +
          `GET / HTTP/1.1\r\nHost: a\r\n\r\n${post("", CLOSE)}`,
      ]);
      expect(codes(text)).toEqual([200, 200, 200, 200]);
      expect([...text.matchAll(/<(.*?)>/g)].map((match) => match[1])).toEqual(["one", "two!", "", ""]);
    });

    it("keeps the connection behind an answer that is given at once, where the request has no body", async () => {
      const server = await bench.serve(({ connection, uri }) => answer(connection, `<${uri}>`), STREAMED);
      const text = await bench.transcript(server, [
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        `GET /3 HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
      ]);
      expect([...text.matchAll(/<(.*?)>/g)].map((match) => match[1])).toEqual(["/1", "/2", "/3"]);
    });

    it("gives the stream away at once, where the request has no body", async () => {
      const server = await bench.serve(({ connection }) => {
        const stream = connection.upgrade?.(new HTTPHeaders({ Upgrade: "echo", Connection: "Upgrade" }));
        stream?.close();
      }, STREAMED);
      const text = await bench.transcript(server, [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n",
      ]);
      expect(codes(text)).toEqual([101]);
    });

    it("answers the same wherever the pieces part", async () => {
      const server = await bench.serve(echo, STREAMED);
      const wire = `${post("0123456789")}POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n4;x\r\nwiki\r\n0\r\n\r\n`;
      const whole = withoutDates(await bench.transcript(server, [wire]));
      expect(codes(whole)).toEqual([200, 200]);
      const step = bench.carrier === "memory" ? 1 : 7;
      for (let at = 0; at < wire.length; at += step) {
        expect(withoutDates(await bench.transcript(server, [wire.slice(0, at), wire.slice(at)]))).toBe(whole);
      }
      expect(withoutDates(await bench.transcript(server, [...wire]))).toBe(whole);
    });

    it("a slow reader holds the sender: what it has not asked for stays with its peer", async () => {
      const go = new Deferred();
      let read = 0;
      const server = await bench.serve(
        async (request) => {
          for await (const view of request.chunks()) {
            read += view.length;
            await go.promise;
          }
          answer(request.connection, `${read} read`);
        },
        { ...STREAMED, maxBodySize: 64 * MIB },
      );
      const client = await bench.connect(server);
      const size = 48 * MIB;
      client.stream.send(post("", "", size));
      for (let sent = 0; sent < size; sent += MIB) client.stream.send(new Uint8Array(MIB));
      const held = await stuck(client);
      expect(held).toBeGreaterThan(32 * MIB);
      expect(read).toBeLessThan(MIB);
      go.resolve();
      expect(await client.until((text) => text.endsWith("read"))).toContain(`${size} read`);
    });

    it("a callback that reads nothing yet holds the sender too", async () => {
      const go = new Deferred();
      const server = await bench.serve(
        async (request) => {
          await go.promise;
          answer(request.connection, `${(await textOf(request)).length} read`);
        },
        { ...STREAMED, maxBodySize: 64 * MIB },
      );
      const client = await bench.connect(server);
      client.stream.send(post("", "", 40 * MIB));
      for (let i = 0; i < 40; i++) client.stream.send(new Uint8Array(MIB));
      expect(await stuck(client)).toBeGreaterThan(24 * MIB);
      go.resolve();
      await client.until((text) => text.endsWith(`${40 * MIB} read`));
    });

    it("says 100 Continue when the callback reads, once, and not before", async () => {
      const go = new Deferred();
      const server = await bench.serve(async (request) => {
        await go.promise;
        await echo(request);
      }, STREAMED);
      const client = await bench.connect(server);
      await client.send(post("", "Expect: 100-continue\r\n", 5));
      await stuck(client);
      expect(client.text).toBe("");
      go.resolve();
      await client.until((text) => text.includes("100"));
      for (const byte of "hello") await client.send(byte);
      expect(codes(await client.until((text) => text.endsWith("<hello>")))).toEqual([100, 200]);
    });

    it("says 100 Continue not before the callback reads, where the body is decoded too", async () => {
      const go = new Deferred();
      const held = async (request: HTTPServerRequest) => {
        await go.promise;
        await echo(request);
      };
      const server = await bench.serve(held, { ...STREAMED, decompressRequest: true });
      const client = await bench.connect(server);
      const body = gzipSync("hello");
      await client.send(post("", "Content-Encoding: gzip\r\nExpect: 100-continue\r\n", body.length));
      await stuck(client);
      expect(client.text).toBe("");
      go.resolve();
      await client.until((text) => text.includes("100"));
      await client.send(body);
      expect(codes(await client.until((text) => text.endsWith("<hello>")))).toEqual([100, 200]);
    });

    it("says no 100 Continue to a request that is answered without its body", async () => {
      const server = await bench.serve((request) => answer(request.connection, "no"), STREAMED);
      const text = await bench.transcript(server, [post("", "Expect: 100-continue\r\n", 5)]);
      expect(codes(text)).toEqual([200]);
    });

    // RFC 9110 §10.1.1 (5)
    for (const length of ["", "7"])
      it(`says 100 Continue before a head that is written before the body is read${length && ", with a length"}`, async () => {
        const headers = new HTTPHeaders(length === "" ? {} : { "Content-Length": length });
        const server = await bench.serve(async (request) => {
          const { connection } = request;
          connection.writeHeaders(OK, headers, "<");
          for await (const view of request.chunks()) connection.write(view.slice());
          connection.write(">");
          connection.finish();
        }, STREAMED);
        const client = await bench.connect(server);
        await client.send(post("", "Expect: 100-continue\r\n", 5));
        expect(codes(await client.until((text) => text.includes("<")))).toEqual([100, 200]);
        for (const byte of "hello") await client.send(byte);
        const text = await client.until((text) => text.includes(">"));
        expect(codes(text)).toEqual([100, 200]);
        expect(text).not.toContain("Connection: close");
        // The connection goes on, and what is asked with its body at once needs no 100.
        await client.send(post("hello", `Expect: 100-continue\r\n${CLOSE}`));
        expect(codes(await client.untilClosed())).toEqual([100, 200, 200]);
      });

    it("says 100 Continue once, where a head was refused and another one was not", async () => {
      const server = await bench.serve(async (request) => {
        const { connection } = request;
        const twice = new HTTPHeaders([
          ["Content-Length", "1"],
          ["Content-Length", "2"],
        ]);
        expect(() => connection.writeHeaders(OK, twice)).toThrow(HTTPOutputError);
        connection.writeHeaders(OK, new HTTPHeaders());
        for await (const view of request.chunks()) connection.write(view.slice());
        connection.finish();
      }, STREAMED);
      const client = await bench.connect(server);
      await client.send(post("", `Expect: 100-continue\r\n${CLOSE}`, 5));
      await client.until((text) => text.includes("200"));
      await client.send("hello");
      expect(codes(await client.untilClosed())).toEqual([100, 200]);
    });

    it("says no 100 Continue before a refusal, or an answer without a body, however late that ends", async () => {
      const go = new Deferred();
      for (const [code, method] of [
        [403, "POST"],
        [302, "POST"],
        [204, "POST"],
        [205, "POST"],
        [200, "HEAD"],
      ] as const) {
        const server = await bench.serve(async ({ connection }) => {
          connection.writeHeaders({ ...OK, code }, new HTTPHeaders());
          await go.promise;
          connection.finish();
        }, STREAMED);
        const client = await bench.connect(server);
        await client.send(post("", `Expect: 100-continue\r\n${CLOSE}`, 5).replace("POST", method));
        expect(codes(await client.until((text) => text.endsWith("\r\n\r\n")))).toEqual([code]);
        go.resolve();
        expect(codes(await client.untilClosed())).toEqual([code]);
        await server.close();
      }
    });

    it("an answer before the body is read arrives, and nothing of the body is read as a request", async () => {
      let called = 0;
      const server = await bench.serve((request) => {
        called++;
        answer(request.connection, "early");
      }, STREAMED);
      const text = await bench.transcript(server, [
        post("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", "", 1000),
        "GET /late HTTP/1.1\r\nHost: a\r\n\r\n",
      ]);
      expect(codes(text)).toEqual([200]);
      expect(text.endsWith("early")).toBe(true);
      expect(called).toBe(1);
    });

    it("a length of several zeros is no body: an immediate answer keeps the connection, and what follows is read", async () => {
      const server = await bench.serve((request) => answer(request.connection, request.uri), STREAMED);
      const client = await bench.connect(server);
      for (const length of ["00", "0, 0", "00,00"])
        await client.send(`POST /${length.length} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
      const text = await client.until((text) => text.endsWith("/5"));
      expect(codes(text)).toEqual([200, 200, 200]);
    });

    it("a client that sends all of a long body before it reads sees an answer that was given meanwhile", async () => {
      const server = await bench.serve((request) => answer(request.connection, "early"), {
        ...STREAMED,
        maxBodySize: 64 * MIB,
      });
      const client = await bench.connect(server);
      client.stream.send(post("", "", 20 * MIB));
      for (let i = 0; i < 20; i++) client.stream.send(new Uint8Array(MIB));
      client.stream.end();
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([200]);
      expect(text.endsWith("early")).toBe(true);
    });

    it("leaving the loop early drops the rest as it comes: the answer arrives and the next request is read", async () => {
      const server = await bench.serve(async (request) => {
        let first = "";
        for await (const view of request.chunks()) {
          first = fromLatin1(view).slice(0, 1);
          break;
        }
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        answer(request.connection, `<${first}>`);
      }, STREAMED);
      const client = await bench.connect(server);
      for (let i = 0; i < 3; i++) {
        await client.send(post(`${i}${"x".repeat(1000)}`));
        await client.until((text) => text.endsWith(`<${i}>`));
      }
      expect(codes(client.text)).toEqual([200, 200, 200]);
    });

    it("a peer that goes away rejects whoever reads with ERR_TW_BODY_ABORTED, and is not logged", async () => {
      const logged: unknown[] = [];
      const log = (...args: unknown[]) => void logged.push(args);
      for (const end of [false, true]) {
        for (const sent of ["", "abc"]) {
          const failed = new Deferred<unknown>();
          const reading = new Deferred();
          const server = await bench.serve(
            async (request) => {
              try {
                reading.resolve();
                await textOf(request);
              } catch (error) {
                failed.resolve(error);
                throw error;
              }
            },
            { ...STREAMED, logger: { ...nullLogger, error: log, warn: log } },
          );
          const client = await bench.connect(server);
          await client.send(post(sent, "", 10));
          await reading.promise;
          if (end) client.stream.end();
          else client.stream.abort();
          expect(await failed.promise).toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
          await server.close();
        }
      }
      expect(logged).toEqual([]);
    });

    it("a body that breaks the protocol rejects whoever reads, and is answered with 400", async () => {
      const failed = new Deferred<unknown>();
      const server = await bench.serve(async (request) => {
        await textOf(request).catch((error) => failed.resolve(error));
        answer(request.connection, "too late");
      }, STREAMED);
      const text = await bench.transcript(server, [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "zz\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
      ]);
      expect(codes(text)).toEqual([400]);
      expect(await failed.promise).toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    });

    it("a chunked body beyond maxBodySize rejects whoever reads, and is answered with 413", async () => {
      const failed = new Deferred<unknown>();
      const server = await bench.serve(
        async (request) => void (await textOf(request).catch((error) => failed.resolve(error))),
        { ...STREAMED, maxBodySize: 5 },
      );
      const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
      expect(codes(await bench.transcript(server, [`${head}3\r\nabc\r\n`, "3\r\ndef\r\n0\r\n\r\n"]))).toEqual(
        [413],
      );
      expect(await failed.promise).toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    });

    it("a callback that fails is answered with 500 whenever it fails: before it reads, while it waits, behind the body", async () => {
      const fail: Record<string, (request: HTTPServerRequest) => unknown> = {
        "/throws": () => {
          throw new Error("sync");
        },
        "/before": () => Promise.reject(new Error("before")),
        "/waiting": async (request) => {
          const reader = request.chunks();
          await reader.next();
          reader.next().catch(() => {});
          await new Promise(setImmediate);
          throw new Error("while it waits");
        },
        "/holding": async (request) => {
          for await (const _ of request.chunks()) throw new Error("with a view in its hand");
        },
        "/behind": async (request) => {
          await textOf(request);
          throw new Error("behind the body");
        },
      };
      const server = await bench.serve((request) => fail[request.uri]?.(request) as Promise<void>, STREAMED);
      for (const uri of Object.keys(fail)) {
        const length = uri === "/behind" ? 3 : 10;
        const client = await bench.connect(server);
        await client.send(`POST ${uri} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nabc`);
        expect(codes(await client.until((text) => codes(text).length > 0)), uri).toEqual([500]);
      }
    });

    it("a callback that fails behind its head breaks the answer off", async () => {
      const server = await bench.serve(async (request) => {
        request.connection.writeHeaders(OK, new HTTPHeaders(), "part");
        await textOf(request);
        throw new Error("too late");
      }, STREAMED);
      const text = await bench.transcript(server, [post("abc")]);
      expect(text).not.toContain("0\r\n\r\n");
    });

    it("a second reader is ERR_TW_BODY_USED, while the first reads and afterwards", async () => {
      const used = { code: "ERR_TW_BODY_USED" };
      const server = await bench.serve(async (request) => {
        const reading = textOf(request);
        expect(() => request.chunks()).toThrow(expect.objectContaining(used));
        const parts = request.multipart();
        await expect(parts.next()).rejects.toMatchObject(used);
        const text = await reading;
        expect(() => request.chunks()).toThrow(expect.objectContaining(used));
        answer(request.connection, text);
      }, STREAMED);
      const type = "Content-Type: multipart/form-data; boundary=B\r\n";
      const text = await bench.transcript(server, [post("abc", type + CLOSE)]);
      expect(codes(text)).toEqual([200]);
      expect(text.endsWith("abc")).toBe(true);
    });

    it("an answer that is complete ends who still reads, with an error and not with a short body", async () => {
      const failed = new Deferred<unknown>();
      const server = await bench.serve(async (request) => {
        const reader = request.chunks();
        const reading = (async () => {
          for await (const _ of reader);
        })();
        reading.catch((error) => failed.resolve(error));
        await new Promise(setImmediate);
        answer(request.connection, "done");
      }, STREAMED);
      const client = await bench.connect(server);
      await client.send(post("", "", 10));
      expect(codes(await client.until((text) => text.endsWith("done")))).toEqual([200]);
      expect(await failed.promise).toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    });

    it("abort() gives the body up", async () => {
      const failed = new Deferred<unknown>();
      const server = await bench.serve(async (request) => {
        const reading = textOf(request);
        reading.catch((error) => failed.resolve(error));
        await new Promise(setImmediate);
        request.connection.abort();
      }, STREAMED);
      expect(await bench.transcript(server, [post("", "", 10)])).toBe("");
      expect(await failed.promise).toMatchObject({ code: "ERR_TW_BODY_ABORTED" });
    });

    it("keeps the async context of the callback from view to view", async () => {
      const store = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const server = await bench.serve(async (request) => {
        store.enterWith(request.uri);
        for await (const _ of request.chunks()) seen.push(store.getStore());
        seen.push(store.getStore());
        answer(request.connection, "x");
      }, STREAMED);
      const client = await bench.connect(server);
      for (const uri of ["/1", "/2"]) {
        await client.send(`POST ${uri} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na`);
        await stuck(client);
        await client.send("b");
        await client.until((text) => text.split("200 OK").length === Number(uri[1]) + 1);
      }
      expect(seen).toEqual(["/1", "/1", "/1", "/2", "/2", "/2"]);
    });

    it("is refused at once where it can mean nothing", async () => {
      const delegate = { startRequest: () => expect.fail("no request") };
      await expect(bench.serve(delegate, STREAMED)).rejects.toThrow(TypeError);
      await expect(bench.serve(echo, { streamRequestBody: 1 as never })).rejects.toThrow(TypeError);
      await expect(bench.serve(echo, { parseBodyConfig: { maxParts: -1 } })).rejects.toThrow(RangeError);
    });
  });
});

const MIB = 1024 * 1024;
