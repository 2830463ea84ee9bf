import { AsyncLocalStorage } from "node:async_hooks";
import { HTTPHeaders, type HTTPServerRequest } from "@tw/httputil";
import { dice } from "@tw/tooling-testing/dice";
import { Deferred, fromLatin1, fromUtf8 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { answer, codes, OK, onEveryCarrier, withoutDates } from "./harness.js";

const echo = (request: HTTPServerRequest) =>
  answer(request.connection, `${request.method} ${request.uri} ${fromLatin1(request.body)}`);

const CLOSE = "Connection: close\r\n";

onEveryCarrier((bench) => {
  describe("requests", () => {
    // RFC 9110 §6.6.1 (1), RFC 9110 §6.2 (2)
    it("answers GET and keeps the connection open", async () => {
      const server = await bench.serve(echo);
      const client = await bench.connect(server);
      await client.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.until((text) => text.endsWith("GET /one "));
      await client.send(`GET /two HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`);
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([200, 200]);
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(text).toContain("Date: ");
      expect(text.endsWith("GET /two ")).toBe(true);
    });

    // RFC 9110 §9.3.2 (1), RFC 9110 §8.6 (1)
    it("answers HEAD with the length and no body", async () => {
      const server = await bench.serve((request) => answer(request.connection, "hello"));
      const text = await bench.transcript(server, [`HEAD / HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`]);
      expect(text).toContain("Content-Length: 5\r\n");
      expect(text.endsWith("\r\n\r\n")).toBe(true);
    });

    it("collects bodies with Content-Length and chunked", async () => {
      const server = await bench.serve(echo);
      const text = await bench.transcript(server, [
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        `GET /c HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
      ]);
      expect(codes(text)).toEqual([200, 200, 200]);
      expect(text).toContain("POST /a abcHTTP/1.1");
      expect(text).toContain("POST /b abcdeHTTP/1.1");
    });

    // RFC 9112 §9.3.2 (1), RFC 9112 §9.6 (2)
    it("answers pipelined requests in order although the first answers last", async () => {
      const gate = new Deferred();
      const server = await bench.serve(async (request) => {
        if (request.uri === "/slow") await gate.promise;
        answer(request.connection, request.uri);
      });
      const client = await bench.connect(server);
      const rest = Array.from({ length: 20 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join("");
      await client.send(
        `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${rest}GET /last HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`,
      );
      await client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
      gate.resolve();
      const text = await client.untilClosed();
      const bodies = [...text.matchAll(/\r\n\r\n(\/\w+?)(?=HTTP|$)/g)].map((match) => match[1]);
      expect(bodies).toEqual(["/slow", ...Array.from({ length: 20 }, (_, i) => `/${i}`), "/last"]);
    });

    it("gives the same answers whatever the pieces", async () => {
      const server = await bench.serve(echo);
      const wire =
        "POST /a?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
        "GET /b HTTP/1.1\r\nHost: a\r\nX-Long: " +
        "y".repeat(300) +
        "\r\n\r\n" +
        `POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n${CLOSE}\r\n4;x=y\r\nwiki\r\n0\r\nT: v\r\n\r\n`;
      const whole = withoutDates(await bench.transcript(server, [wire]));
      expect(codes(whole)).toEqual([200, 200, 200]);
      expect(withoutDates(await bench.transcript(server, [...wire]))).toBe(whole);
      for (let seed = 1; seed <= 10; seed++) {
        expect(withoutDates(await bench.transcript(server, randomPieces(wire, seed)))).toBe(whole);
      }
    });

    it("treats HTTP/1.0 as one request per connection unless it asks to keep it", async () => {
      const server = await bench.serve(echo);
      const once = await bench.transcript(server, ["GET / HTTP/1.0\r\n\r\n"]);
      expect(codes(once)).toEqual([200]);
      const twice = await bench.transcript(server, [
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
      ]);
      expect(codes(twice)).toEqual([200, 200]);
      expect(twice).toMatch(/Connection: keep-alive/i);
    });

    // RFC 9110 §10.1.1 (4), (5), (6)
    it("says 100 Continue when the client waits for it, in any case of letters", async () => {
      const server = await bench.serve(echo);
      const client = await bench.connect(server);
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
      await client.until((text) => text.includes("HTTP/1.1 100"));
      await client.send("ok");
      const text = await client.until((text) => text.endsWith("ok"));
      expect(codes(text)).toEqual([100, 200]);
    });

    it("answers 413 straight away, without 100, when the announced body is too large", async () => {
      const server = await bench.serve(echo, { maxBodySize: 4 });
      const text = await bench.transcript(server, [
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
      ]);
      expect(codes(text)).toEqual([413]);
    });

    it("streams a chunked answer and lets the handler wait for a slow reader", async () => {
      const piece = new Uint8Array(256 * 1024).fill(0x61);
      let waited = 0;
      const server = await bench.serve(async (request) => {
        request.connection.writeHeaders(OK, new HTTPHeaders({ Connection: "close" }));
        for (let i = 0; i < 40; i++) {
          const waiting = request.connection.write(piece.slice());
          if (waiting !== undefined) waited++;
          await waiting;
        }
        request.connection.finish();
      });
      const client = await bench.connect(server);
      client.stream.pause();
      await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      server.loop.callLater(50, () => client.stream.resume());
      const text = await client.untilClosed();
      expect(text.match(/a/g)?.length).toBeGreaterThanOrEqual(40 * piece.length);
      expect(text.endsWith("0\r\n\r\n")).toBe(true);
      expect(waited).toBeGreaterThan(0);
    });

    it("sends text as UTF-8", async () => {
      const server = await bench.serve((request) => {
        request.connection.writeHeaders(
          OK,
          new HTTPHeaders({ "Content-Length": "3", Connection: "close" }),
          "€",
        );
        request.connection.finish();
      });
      const text = await bench.transcript(server, ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"]);
      expect(fromUtf8(Uint8Array.from(text, (c) => c.charCodeAt(0))).endsWith("€")).toBe(true);
    });
  });

  describe("input that is refused", () => {
    const cases: [string, number, string][] = [
      ["garbage", 400, "\x16\x03\x01garbage\r\n\r\n"],
      ["S-01 Content-Length +5", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello"],
      ["S-01 Content-Length 1_0", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n"],
      [
        "S-01 chunk size 0x3",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
      ],
      [
        "S-02 chunked twice",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      [
        "S-02 both framings",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      ["S-02 chunked in HTTP/1.0", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
      [
        "S-03 NBSP around Content-Length",
        400,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xa05\r\n\r\nhello",
      ],
      ["S-04 no Host", 400, "GET / HTTP/1.1\r\n\r\n"],
      ["S-04 two Hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
      ["S-04 bare CR in a value", 400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"],
      ["S-05 bad Host", 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"],
      ["bare LF", 400, "GET / HTTP/1.1\nHost: a\n\n"],
      ["head over the limit", 431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(70_000)}\r\n\r\n`],
      ["body over the limit", 413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"],
    ];
    for (const [name, code, wire] of cases) {
      // RFC 9112 §9.6 (5)
      it(`${name}: ${code}, close, and nothing behind it is read as a request`, async () => {
        let called = 0;
        const server = await bench.serve(
          (request) => {
            called++;
            echo(request);
          },
          { maxBodySize: 10 },
        );
        const text = await bench.transcript(server, [`${wire}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`]);
        expect(codes(text)).toEqual([code]);
        expect(text).toContain("Connection: close\r\n");
        expect(called).toBe(0);
      });
    }

    it("aborts when the peer breaks the protocol while its answer is under way", async () => {
      const server = await bench.serve({
        startRequest: (connection) => ({
          headersReceived: () => void connection.writeHeaders(OK, new HTTPHeaders()),
          dataReceived() {},
          finish: () => connection.finish(),
          onConnectionClose() {},
        }),
      });
      const text = await bench.transcript(server, [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "zz\r\n",
      ]);
      expect(codes(text).length).toBeLessThanOrEqual(1);
      expect(text).not.toContain("0\r\n\r\n");
    });
  });

  describe("handlers that fail", () => {
    it("answers 500 when a handler throws or rejects, and goes on", async () => {
      const server = await bench.serve((request) => {
        if (request.uri === "/throw") throw new Error("sync");
        if (request.uri === "/reject") return Promise.reject(new Error("async"));
        echo(request);
      });
      const client = await bench.connect(server);
      await client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\nGET /reject HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.send(`GET /fine HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`);
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([500, 500, 200]);
      expect(text).not.toContain("sync");
    });

    it("breaks the answer off when a handler throws behind its head", async () => {
      const server = await bench.serve((request) => {
        request.connection.writeHeaders(OK, new HTTPHeaders(), "part");
        throw new Error("too late");
      });
      const text = await bench.transcript(server, ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"]);
      expect(text).not.toContain("0\r\n\r\n");
    });

    it("S-09 never sends more than Content-Length promised", async () => {
      let thrown: unknown;
      const server = await bench.serve((request) => {
        request.connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "3" }));
        try {
          request.connection.write("four");
        } catch (error) {
          thrown = error;
        }
      });
      const text = await bench.transcript(server, ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"]);
      expect(thrown).toMatchObject({ code: expect.stringMatching(/^ERR_TW_/) });
      expect(text).not.toContain("four");
    });
  });

  describe("peers that go away", () => {
    it("tells the delegate once, whether the request was complete or not", async () => {
      for (const wire of [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
      ]) {
        const started = new Deferred();
        const gone = new Deferred();
        let told = 0;
        const server = await bench.serve({
          startRequest: () => ({
            headersReceived: () => started.resolve(),
            dataReceived() {},
            finish() {},
            onConnectionClose() {
              told++;
              gone.resolve();
            },
          }),
        });
        const client = await bench.connect(server);
        await client.send(wire);
        await started.promise;
        client.stream.abort();
        await gone.promise;
        await server.close();
        expect(told).toBe(1);
      }
    });

    it("answers a client that half-closed behind its request", async () => {
      const server = await bench.serve(async (request) => {
        await new Promise((resolve) => server.loop.callLater(5, () => resolve(undefined)));
        echo(request);
      });
      const text = await bench.transcript(server, ["GET /half HTTP/1.1\r\nHost: a\r\n\r\n"], true);
      expect(codes(text)).toEqual([200]);
    });

    it("closes without a word when nothing was asked", async () => {
      const server = await bench.serve(echo);
      expect(await bench.transcript(server, [""], true)).toBe("");
    });

    it("answers 400 to half a request", async () => {
      const server = await bench.serve(echo);
      const text = await bench.transcript(
        server,
        ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"],
        true,
      );
      expect(codes(text)).toEqual([400]);
    });
  });

  describe("hand-over", () => {
    it("gives the stream away with what came behind the request", async () => {
      const server = await bench.serve((request) => {
        const stream = request.connection.upgrade?.(
          new HTTPHeaders({ Upgrade: "echo", Connection: "Upgrade" }),
        );
        stream?.attach({
          onBytes: (view) => void stream.send(view.slice()),
          onEnd: () => stream.close(),
          onDrain() {},
          onClose() {},
        });
      });
      const client = await bench.connect(server);
      await client.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\nearly ");
      await client.until((text) => text.endsWith("early "));
      await client.send("late");
      const text = await client.until((text) => text.endsWith("late"));
      expect(codes(text)).toEqual([101]);
      expect(text).not.toContain("Content-Length");
      expect(text.endsWith("\r\n\r\nearly late")).toBe(true);
    });
  });

  describe("async context", () => {
    it("is each request's own, also when they are pipelined", async () => {
      const store = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const server = await bench.serve(async (request) => {
        seen.push(store.getStore());
        store.enterWith(request.uri);
        await undefined;
        seen.push(store.getStore());
        answer(request.connection, "x");
      });
      const get = (uri: string, more = "") => `GET ${uri} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
      const client = await bench.connect(server);
      await client.send(get("/1") + get("/2"));
      await client.until((text) => codes(text).length === 2);
      await client.send(get("/3", CLOSE));
      await client.untilClosed();
      expect(seen).toEqual([undefined, "/1", undefined, "/2", undefined, "/3"]);
    });
  });

  describe("close()", () => {
    it("closes idle connections at once and lets answers finish", async () => {
      const gate = new Deferred();
      const asked = new Deferred();
      const server = await bench.serve(async (request) => {
        if (request.uri === "/slow") {
          asked.resolve();
          await gate.promise;
        }
        echo(request);
      });
      const idle = await bench.connect(server);
      await idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await idle.until((text) => codes(text).length === 1);
      const busy = await bench.connect(server);
      await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
      await asked.promise;
      const closing = server.close();
      await idle.untilClosed();
      gate.resolve();
      const text = await busy.untilClosed();
      expect(text).toContain("Connection: close\r\n");
      expect(text.endsWith("GET /slow ")).toBe(true);
      await closing;
      await server.close();
      await expect(bench.connect(server)).rejects.toThrow();
    });
  });
});

function randomPieces(text: string, seed: number): string[] {
  const pieces: string[] = [];
  const next = dice(seed);
  for (let at = 0; at < text.length; ) {
    const length = 1 + next(37);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
