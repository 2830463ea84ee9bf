// What a server may not send: more or less than it promised, bodies where there are none, and a clean end behind an
// answer that broke off. Cases C2 to C13 and S-09.

import { HTTPHeaders, type HTTPServerRequest } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { describe, expect, it } from "vitest";
import { answer, codes, OK, onEveryCarrier } from "./harness.js";
import { delegate } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/** What a chunk of one byte is on the wire. */
const PIECE = "1\r\nx\r\n";
const five = () => new HTTPHeaders({ "Content-Length": "5" });

onEveryCarrier((bench) => {
  /** What the client got, and what the handler was thrown. */
  async function broken(handle: (request: HTTPServerRequest) => void | Promise<void>, wire = GET + GET) {
    const thrown: unknown[] = [];
    let called = 0;
    const server = await bench.serve(async (request) => {
      called++;
      try {
        await handle(request);
      } catch (error) {
        thrown.push(error);
      }
    });
    const text = await bench.transcript(server, [wire]);
    expect(called).toBe(1);
    return { text, thrown };
  }

  it("a text is sent as UTF-8, whatever its length and wherever it stops being ASCII", async () => {
    const texts = [1, 12, 4095, 4096, 4097].flatMap((length) =>
      ["", "\x7f", "\x80", "\xff", "\u0100", "€", "😀", "\ud800", "\udc00"].flatMap((odd) => [
        odd + "a".repeat(length),
        "a".repeat(length) + odd,
        "a".repeat(Math.floor(length / 2)) + odd + "a".repeat(length),
      ]),
    );
    let next = 0;
    const server = await bench.serve(({ connection }) => {
      const text = texts[next++] as string;
      const length = String(Buffer.byteLength(text));
      connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": length }), text);
      connection.finish();
    });
    const client = await bench.connect(server);
    for (const text of texts) {
      await client.send(GET);
      const end = `\r\n\r\n${Buffer.from(text).toString("latin1")}`;
      const received = await client.until((got) => got.endsWith(end));
      expect(received.endsWith(end)).toBe(true);
    }
  });

  describe("writeInformation()", () => {
    const hints = () => new HTTPHeaders({ Link: "</a.css>; rel=preload" });
    const HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";

    it("RFC 9110 §15.2, RFC 8297: goes ahead of the head, as often as one likes, and to no client of HTTP/1.0", async () => {
      const server = await bench.serve(({ connection }) => {
        connection.writeInformation?.(102);
        connection.writeInformation?.(103, hints());
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "1" }), "x");
        connection.finish();
      });
      const text = await bench.transcript(server, [
        GET + GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
      ]);
      expect(text.split(`HTTP/1.1 102 Processing\r\n\r\n${HINTS}HTTP/1.1 200 OK\r\n`)).toHaveLength(3);
      expect(await bench.transcript(server, ["GET / HTTP/1.0\r\n\r\n"])).toMatch(/^HTTP\/1.1 200 /);
    });

    it("a 100 takes the place of ours, which is sent once", async () => {
      const server = await bench.serve(
        delegate((connection) => ({
          headersReceived: () => void connection.writeInformation?.(100),
          finish() {
            connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "0" }));
            connection.finish();
          },
        })),
      );
      const wire =
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\n";
      const text = await bench.transcript(server, [wire, "x"]);
      expect(codes(text)).toEqual([100, 200]);
    });

    it("refuses what is no 1xx or comes behind the head, and nothing of it is sent", async () => {
      const { text, thrown } = await broken(({ connection }) => {
        const refused: unknown[] = [];
        const inform = (code: number) => {
          try {
            connection.writeInformation?.(code);
          } catch (error) {
            refused.push(error);
          }
        };
        for (const code of [99, 101, 200, 103.5, Number.NaN]) inform(code);
        connection.writeHeaders(OK, new HTTPHeaders({ Connection: "close" }), "x");
        inform(103);
        connection.finish();
        throw refused;
      }, GET);
      const refused = thrown[0] as unknown[];
      expect(refused.slice(0, 5).every((error) => error instanceof RangeError)).toBe(true);
      expect(refused[5]).toMatchObject({ code: "ERR_TW_HTTP_OUTPUT" });
      expect(codes(text)).toEqual([200]);
    });
  });

  describe("finish(trailers)", () => {
    const SUM = "0\r\nX-Sum: 1\r\n\r\n";
    const sum = () => new HTTPHeaders({ "X-Sum": "1" });

    it("sends them behind a body in chunks, and drops them where there is no place for them", async () => {
      const server = await bench.serve(({ uri, connection }) => {
        connection.writeHeaders(
          OK,
          new HTTPHeaders(uri === "/length" ? { "Content-Length": "1" } : { Trailer: "X-Sum" }),
          "x",
        );
        connection.finish(sum());
      });
      const ask = (start: string) =>
        bench.transcript(server, [`${start}\r\nHost: a\r\nConnection: close\r\n\r\n`]);
      expect(await ask("GET / HTTP/1.1")).toMatch(new RegExp(`\r\n\r\n${PIECE}${SUM}$`));
      expect(await ask("GET /length HTTP/1.1")).toMatch(/\r\n\r\nx$/);
      expect(await ask("GET / HTTP/1.0")).toMatch(/\r\n\r\nx$/);
      expect(await ask("HEAD / HTTP/1.1")).not.toContain("X-Sum: 1");
    });

    it("leaves the connection usable", async () => {
      const server = await bench.serve(({ connection }) => {
        connection.writeHeaders(OK, new HTTPHeaders(), "x");
        connection.finish(sum());
      });
      const last = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
      expect((await bench.transcript(server, [GET + last])).split(SUM)).toHaveLength(3);
    });

    it("refuses what are no HTTPHeaders before anything has changed, however the body is framed", async () => {
      for (const fields of [{}, { "Content-Length": "1" }]) {
        const refused: unknown[] = [];
        const server = await bench.serve(({ connection }) => {
          connection.writeHeaders(OK, new HTTPHeaders({ ...fields, Connection: "close" }), "x");
          try {
            connection.finish("x" as never);
          } catch (error) {
            refused.push(error);
          }
          connection.finish();
        });
        expect(codes(await bench.transcript(server, [GET]))).toEqual([200]);
        expect(refused[0]).toBeInstanceOf(TypeError);
      }
    });

    it("RFC 9110 §6.5.1: refuses a field that comes too late, and aborts: no end that could be taken for a good one", async () => {
      const { text, thrown } = await broken(({ connection }) => {
        connection.writeHeaders(OK, new HTTPHeaders(), "x");
        connection.finish(new HTTPHeaders({ "Set-Cookie": "a=b" }));
      });
      expect(thrown).toMatchObject([{ code: "ERR_TW_HTTP_OUTPUT" }]);
      expect(text).not.toContain("0\r\n\r\n");
      expect(text).not.toContain("Set-Cookie");
    });
  });

  describe("S-09, C7 Content-Length", () => {
    it("exactly kept, in one piece or several, leaves the connection usable", async () => {
      const server = await bench.serve(({ connection }) => {
        connection.writeHeaders(OK, five(), "ab");
        connection.write("");
        connection.write(new Uint8Array([0x63]));
        connection.write("de");
        connection.finish();
      });
      const client = await bench.connect(server);
      await client.send(GET + GET);
      expect(await client.until((text) => text.match(/abcde/g)?.length === 2)).not.toContain("chunked");
    });

    it("C8 one byte more: HTTPOutputError that says so, not a byte of the piece, and the connection breaks", async () => {
      for (const pieces of [["abcdef"], ["abc", "def"], ["abcde", "f"]]) {
        const { text, thrown } = await broken(({ connection }) => {
          connection.writeHeaders(OK, five());
          for (const piece of pieces) connection.write(piece);
        });
        expect(thrown).toMatchObject([
          { code: "ERR_TW_BODY_TOO_LONG", message: expect.stringContaining("more") },
        ]);
        expect(text).not.toContain("f");
        expect(codes(text).length).toBeLessThanOrEqual(1);
      }
    });

    it("C8 more with the head already: nothing is sent at all", async () => {
      const { text, thrown } = await broken(({ connection }) => {
        connection.writeHeaders(OK, five(), "abcdef");
      });
      expect(thrown).toMatchObject([{ code: "ERR_TW_BODY_TOO_LONG" }]);
      expect(text).toBe("");
    });

    it("whose end finds no room in maxWriteBufferSize is broken off, though whoever writes it catches that", async () => {
      const outcomes: string[] = [];
      for (let maxWriteBufferSize = 1000; maxWriteBufferSize < 1006; maxWriteBufferSize++) {
        const server = await bench.serve(
          ({ connection }) => {
            const { stream } = connection.context as unknown as { readonly stream: IOStream };
            const cork = stream.cork();
            connection.writeHeaders(OK, new HTTPHeaders());
            while (stream.bufferedAmount + PIECE.length <= maxWriteBufferSize) connection.write("x");
            try {
              connection.finish();
              outcomes.push("finished");
            } catch (error) {
              outcomes.push((error as { code: string }).code);
            }
            cork[Symbol.dispose]();
          },
          { maxWriteBufferSize },
        );
        const text = await bench.transcript(server, [
          GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
        ]);
        expect(text).toMatch(outcomes.at(-1) === "finished" ? /\r\n0\r\n\r\n$/ : /^$/);
        expect(server.inFlight).toBe(0);
      }
      // It takes 5 bytes, of which 0 to 5 are left.
      const full = "ERR_TW_STREAM_BUFFER_FULL";
      expect(outcomes.sort()).toEqual([full, full, full, full, full, "finished"]);
    });

    it("C8 one byte less: finish() throws HTTPOutputError that says so, and the client sees the answer break off", async () => {
      const { text, thrown } = await broken(async ({ connection }) => {
        await connection.writeHeaders(OK, five(), "abcd");
        await new Promise(setImmediate);
        connection.finish();
      });
      expect(thrown).toMatchObject([
        { code: "ERR_TW_BODY_TOO_SHORT", message: expect.stringContaining("less") },
      ]);
      expect(codes(text).length).toBeLessThanOrEqual(1);
      expect(text).not.toContain("abcde");
    });
  });

  describe("answers without a body", () => {
    it("to HEAD, and 204 and 304 to anybody, drop what is written, and the next request is served", async () => {
      for (const [method, code] of [
        ["HEAD", 200],
        ["GET", 204],
        ["GET", 304],
        ["POST", 204],
      ] as const) {
        const server = await bench.serve(async (request) => {
          if (request.uri === "/next") return answer(request.connection, "next");
          const { connection } = request;
          connection.writeHeaders({ ...OK, code }, new HTTPHeaders({ "Content-Length": "4" }), "body");
          await connection.write("body");
          connection.finish();
        });
        const client = await bench.connect(server);
        await client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
        const text = await client.until((text) => text.endsWith("next"));
        expect(codes(text)).toEqual([code, 200]);
        expect(text).not.toContain("body");
        expect(text).not.toContain("chunked");
        if (code === 204) expect(text.split("\r\n\r\n")[0]).not.toContain("Content-Length");
        await server.close();
      }
    });
  });

  describe("HTTP/1.0", () => {
    it("C2, C3 a streamed answer has no framing and ends with the connection, also when it was asked to be kept", async () => {
      const server = await bench.serve(({ connection }) => {
        connection.writeHeaders(OK, new HTTPHeaders(), "a");
        connection.write("bc");
        connection.finish();
      });
      for (const more of ["", "Connection: keep-alive\r\n"]) {
        const text = await bench.transcript(server, [`GET / HTTP/1.0\r\n${more}\r\n`]);
        expect(text.endsWith("\r\n\r\nabc")).toBe(true);
        expect(text).not.toMatch(/Transfer-Encoding|Content-Length|Keep-Alive/i);
      }
    });
  });

  describe("C13 an error behind the head", () => {
    it("never ends the answer as if it were whole, whatever frames it", async () => {
      for (const [headers, wire] of [
        [() => new HTTPHeaders(), GET + GET],
        [five, GET + GET],
        [() => new HTTPHeaders(), "GET / HTTP/1.0\r\n\r\n"],
      ] as const) {
        for (const late of [true, false]) {
          const server = await bench.serve(async ({ connection }) => {
            connection.writeHeaders(OK, headers(), "part");
            if (late) await new Promise(setImmediate);
            throw new Error("too late");
          });
          const client = await bench.connect(server);
          await client.send(wire);
          const text = await client.untilClosed();
          expect(text).not.toContain("0\r\n\r\n");
          expect(text).not.toContain("too late");
          expect(codes(text).length).toBeLessThanOrEqual(1);
          // Without framing a clean end would be a whole answer. (libuv takes a reset behind bytes for an end.)
          if (bench.carrier !== "node") expect(client.closeError).toMatchObject({ code: "ECONNRESET" });
          await server.close();
        }
      }
    });
  });

  describe("calls at the wrong time", () => {
    it("throw HTTPOutputError, and do no harm to the answer", async () => {
      const thrown: unknown[] = [];
      const attempt = (call: () => unknown) => {
        try {
          call();
        } catch (error) {
          thrown.push(error);
        }
      };
      const server = await bench.serve(({ connection }) => {
        attempt(() => connection.write("early"));
        attempt(() => connection.finish());
        connection.writeHeaders(OK, five(), "abcde");
        attempt(() => connection.writeHeaders(OK, five()));
        attempt(() => connection.upgrade?.(new HTTPHeaders()));
        connection.finish();
        attempt(() => connection.write("late"));
        attempt(() => connection.writeHeaders(OK, five()));
        attempt(() => connection.finish());
      });
      const client = await bench.connect(server);
      await client.send(GET + GET);
      const text = await client.until((text) => text.match(/abcde/g)?.length === 2);
      expect(codes(text)).toEqual([200, 200]);
      expect(text).not.toMatch(/early|late/);
      expect(thrown).toHaveLength(14);
      for (const error of thrown) expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_TW_/) });
    });
  });

  it("an exception in any method is one line of the log, one 500 or a broken answer, and the server lives", async () => {
    const methods = [
      "startRequest",
      "headersReceived",
      "dataReceived",
      "trailersReceived",
      "finish",
    ] as const;
    const wire =
      "POST /bad HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n\r\n";
    for (const method of methods) {
      for (const fail of [
        () => {
          throw new Error("secret");
        },
        () => Promise.reject(new Error("secret")),
      ]) {
        // A promise is no delegate: that it is none is found when the head is announced.
        const lines: unknown[] = [];
        const logger = { ...nullLogger, error: (...args: unknown[]) => void lines.push(args.at(-1)) };
        const inner = delegate((connection) => ({
          finish: () => answer(connection, "fine"),
          ...(method === "startRequest" ? {} : { [method]: fail }),
        }));
        let isBad = true;
        const fine = delegate((connection) => ({ finish: () => answer(connection, "fine") }));
        const server = await bench.serve(
          {
            startRequest: (connection) => {
              const target = isBad ? inner : fine;
              if (isBad && method === "startRequest") fail();
              return target.startRequest(connection);
            },
          },
          { logger },
        );
        if (method === "startRequest" && fail.toString().includes("Promise")) {
          await server.close();
          continue;
        }
        const text = await bench.transcript(server, [wire], true);
        expect(codes(text)[0]).toBe(method === "trailersReceived" && codes(text)[0] === 200 ? 200 : 500);
        expect(text).not.toContain("secret");
        expect(lines).toHaveLength(1);
        isBad = false;
        expect(codes(await bench.transcript(server, [GET], true))).toEqual([200]);
        await server.close();
      }
    }
  });
});
