// Limits of one request (B25), what is said before a body is read (B19), and limits of number (B18, 503).

import { type HTTPConnection, HTTPHeaders } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTPServer } from "../src/index.js";
import { answer, codes, onEveryCarrier } from "./harness.js";
import { delegate, inVirtualTime, type World } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const post = (body: string, more = "") =>
  `POST / HTTP/1.1\r\nHost: a\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
const chunked = (body: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${[...body].map((c) => `1\r\n${c}\r\n`).join("")}0\r\n\r\n`;

/** Answers with the length of the body; `atHead` may change the limits of the request. */
function measuring(atHead: (connection: HTTPConnection, count: number) => void) {
  let count = 0;
  return delegate((connection) => {
    let length = 0;
    return {
      headersReceived: () => atHead(connection, ++count),
      dataReceived: (view) => {
        length += view.length;
      },
      finish: () => answer(connection, `<${length}>`),
    };
  });
}

onEveryCarrier((bench) => {
  describe("B25 setMaxBodySize()", () => {
    it("lowers and raises the limit of this request only, for lengths and chunks, to the byte", async () => {
      for (const framed of [post, chunked]) {
        const server = await bench.serve(
          measuring((connection, count) => {
            if (count % 2 === 1) connection.setMaxBodySize?.(12);
          }),
          { maxBodySize: 10 },
        );
        const client = await bench.connect(server);
        await client.send(framed("x".repeat(12)) + framed("x".repeat(10)) + framed("x".repeat(12)));
        expect(await client.until((text) => codes(text).length === 3)).toMatch(/<12>.*<10>.*<12>/s);
        await client.send(framed("x".repeat(11)));
        expect(codes(await client.untilClosed())).toEqual([200, 200, 200, 413]);
        const lower = await bench.transcript(server, [framed("x".repeat(13))]);
        expect(codes(lower)).toEqual([413]);
        await server.close();
      }
    });

    it("refuses an announced length above it straight away, and tells the delegate", async () => {
      let told: unknown;
      const server = await bench.serve(
        delegate((connection) => ({
          headersReceived: () => connection.setMaxBodySize?.(3),
          onConnectionClose: (error) => {
            told = error;
          },
        })),
      );
      const text = await bench.transcript(server, [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n",
      ]);
      expect(codes(text)).toEqual([413]);
      expect(text).toContain("Connection: close\r\n");
      expect(told).toMatchObject({ code: "ERR_TW_BODY_TOO_LARGE", status: 413 });
    });

    it("0 is a limit, and nothing that is none is taken", async () => {
      const thrown: unknown[] = [];
      const server = await bench.serve(
        measuring((connection) => {
          for (const bytes of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
            try {
              connection.setMaxBodySize?.(bytes);
            } catch (error) {
              thrown.push(error);
            }
          }
          connection.setMaxBodySize?.(0);
        }),
      );
      const text = await bench.transcript(server, [post("") + post("x")]);
      expect(codes(text)).toEqual([200, 413]);
      expect(thrown).toHaveLength(8);
      for (const error of thrown) expect(error).toBeInstanceOf(RangeError);
    });

    it("called late, when its request is over, changes nothing of the next one", async () => {
      let first: HTTPConnection | undefined;
      const server = await bench.serve(
        measuring((connection) => {
          first ??= connection;
          if (first !== connection) first.setMaxBodySize?.(1);
        }),
      );
      const client = await bench.connect(server);
      await client.send(post("xx") + post("xx"));
      expect(codes(await client.until((text) => codes(text).length === 2))).toEqual([200, 200]);
    });
  });

  describe("B19 Expect", () => {
    it("is answered with 413 in place of 100 where the length is too large for this request", async () => {
      const server = await bench.serve(measuring((connection) => connection.setMaxBodySize?.(3)));
      const wire = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
      expect(codes(await bench.transcript(server, [wire]))).toEqual([413]);
    });

    it("gets no 100 for a body of no bytes, in HTTP/1.0, behind an answer, or when the body comes unasked", async () => {
      const early = delegate((connection) => ({ headersReceived: () => answer(connection, "early") }));
      const late = measuring(() => {});
      const close = "Connection: close\r\n";
      for (const [target, wire] of [
        [late, post("", `Expect: 100-continue\r\n${close}`)],
        [late, "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nxx"],
        [early, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"],
        [late, post("xx", `Expect: 100-continue\r\n${close}`)],
      ] as const) {
        const server = await bench.serve(target);
        expect(codes(await bench.transcript(server, [wire]))).toEqual([200]);
        await server.close();
      }
    });

    it("gets its 100 beside empty members of the list, twice, and in a later minor version; an empty one asks nothing", async () => {
      const server = await bench.serve(measuring(() => {}));
      const head = (version: string, expectation: string) =>
        `POST / HTTP/${version}\r\nHost: a\r\nExpect: ${expectation}\r\nContent-Length: 2\r\n\r\n`;
      for (const [version, expectation] of [
        ["1.1", "100-continue,"],
        ["1.1", "100-continue, 100-continue"],
        ["1.2", "100-continue"],
      ] as const) {
        const client = await bench.connect(server);
        await client.send(head(version, expectation));
        expect(codes(await client.until((text) => text.endsWith("\r\n\r\n")))).toEqual([100]);
        await client.send("xx");
        const text = await client.until((text) => text.endsWith("<2>"));
        expect(codes(text)).toEqual([100, 200]);
        expect(text.includes("\r\nConnection: close\r\n")).toBe(version === "1.2");
      }
      const client = await bench.connect(server);
      await client.send(`${head("1.1", "")}xx`);
      expect(codes(await client.until((text) => codes(text).length === 1))).toEqual([200]);
    });

    it("of something undefined is answered with 417, unheard by the delegate, and what follows is served", async () => {
      let heard = 0;
      const server = await bench.serve(
        measuring(() => {
          heard++;
        }),
      );
      const wire = "GET / HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n";
      const client = await bench.connect(server);
      await client.send(wire + GET);
      expect(codes(await client.until((text) => codes(text).length === 2))).toEqual([417, 200]);
      expect(heard).toBe(1);
      const text = await bench.transcript(server, [post("xx", "Expect: the-unexpected\r\n") + GET]);
      expect(codes(text)).toEqual([417]);
      expect(heard).toBe(1);
    });
  });

  describe("maxInFlight", () => {
    it("answers one request more with 503 and Retry-After, keeps the connection, and serves again when one is done", async () => {
      const gates: Deferred[] = [];
      const server = await bench.serve(
        async (request) => {
          if (request.uri === "/slow") {
            const gate = new Deferred();
            gates.push(gate);
            await gate.promise;
          }
          answer(request.connection, request.uri);
        },
        { maxInFlight: 2 },
      );
      const slow = await Promise.all([bench.connect(server), bench.connect(server)]);
      for (const client of slow) await client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
      const third = await bench.connect(server);
      await third.send("GET /third HTTP/1.1\r\nHost: a\r\n\r\n");
      const text = await third.until((text) => codes(text).length === 1);
      expect(codes(text)).toEqual([503]);
      expect(text).toMatch(/\r\nRetry-After: [1-9]\d*\r\n/);
      expect(gates.length).toBe(2);
      gates[0]?.resolve();
      await slow[0]?.until((text) => text.endsWith("/slow"));
      await third.send("GET /third HTTP/1.1\r\nHost: a\r\n\r\n");
      expect(codes(await third.until((text) => text.endsWith("/third")))).toEqual([503, 200]);
      gates[1]?.resolve();
      await slow[1]?.until((text) => text.endsWith("/slow"));
    });

    it("closes behind the 503 where a body would have to be read", async () => {
      const gate = new Deferred();
      const server = await bench.serve(() => gate.promise, { maxInFlight: 1 });
      const busy = await bench.connect(server);
      await busy.send(GET);
      const text = await bench.transcript(server, [post("x".repeat(100)) + GET]);
      expect(codes(text)).toEqual([503]);
      expect(text).toContain("Connection: close\r\n");
      gate.resolve();
    });

    it("counts what ends by an abort, an exception, a refusal or a hand-over", async () => {
      const server = await bench.serve(
        (request) => {
          if (request.uri === "/abort") request.connection.abort();
          else if (request.uri === "/throw") throw new Error("no");
          else if (request.uri === "/upgrade") {
            request.connection.upgrade?.(new HTTPHeaders({ Upgrade: "x", Connection: "Upgrade" })).close();
          } else answer(request.connection, "x");
        },
        { maxInFlight: 1, maxBodySize: 1 },
      );
      for (let i = 0; i < 3; i++) {
        await bench.transcript(server, ["GET /abort HTTP/1.1\r\nHost: a\r\n\r\n"]);
        await bench.transcript(server, ["GET /throw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]);
        await bench.transcript(server, [
          "GET /upgrade HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ]);
        await bench.transcript(server, [post("xx")]);
        await bench.transcript(server, ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"], true);
      }
      const text = await bench.transcript(server, ["GET / HTTP/1.0\r\n\r\n"]);
      expect(codes(text)).toEqual([200]);
    });
  });

  describe("maxRequestsPerConnection", () => {
    it("announces the end with the last answer, and serves no more", async () => {
      const server = await bench.serve((request) => answer(request.connection, request.uri), {
        maxRequestsPerConnection: 3,
      });
      const text = await bench.transcript(server, [GET.repeat(5)]);
      expect(codes(text)).toEqual([200, 200, 200]);
      expect(text.match(/Connection: close/g)).toHaveLength(1);
      expect(text.lastIndexOf("Connection: close")).toBeGreaterThan(text.lastIndexOf("HTTP/1.1 200"));
    });
  });
});

describe("B25 setBodyTimeout()", () => {
  it("holds for this request only, shorter or longer than the server's", async () => {
    const target = measuring((connection, count) => {
      if (count === 1) connection.setBodyTimeout?.(60_000);
    });
    const test = async ({ client, host, pass }: World) => {
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
      await pass(50_000);
      await client.send("x");
      await client.until((text) => codes(text).length === 1);
      const before = host.now();
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
      expect(codes(await client.untilClosed())).toEqual([200, 408]);
      expect(host.now() - before).toBeLessThan(10_000);
    };
    await inVirtualTime(target, test, { bodyTimeoutMs: 4000 });
    const shorter = measuring((connection) => connection.setBodyTimeout?.(4000));
    await inVirtualTime(shorter, async ({ client, host }: World) => {
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
      expect(codes(await client.untilClosed())).toEqual([408]);
      expect(host.now()).toBeLessThan(10_000);
    });
  });

  it("is as fine as it is short, whatever the server's own are", async () => {
    const target = measuring((connection) => connection.setBodyTimeout?.(100));
    await inVirtualTime(target, async ({ client, host }: World) => {
      const before = host.now();
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
      expect(codes(await client.untilClosed())).toEqual([408]);
      expect(host.now() - before).toBeGreaterThanOrEqual(100);
      expect(host.now() - before).toBeLessThan(200);
    });
  });

  it("0 waits for ever, and nothing that is no duration is taken", async () => {
    let thrown = 0;
    const target = measuring((connection) => {
      for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        try {
          connection.setBodyTimeout?.(ms);
        } catch (error) {
          if (error instanceof RangeError) thrown++;
        }
      }
      connection.setBodyTimeout?.(0);
    });
    await inVirtualTime(target, async ({ client, pass }: World) => {
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
      await pass(3_600_000);
      await client.send("x");
      expect(codes(await client.until((text) => text !== ""))).toEqual([200]);
      expect(thrown).toBe(3);
    });
  });
});

it("limits that cannot be are refused when the server is made", () => {
  for (const name of ["maxInFlight", "maxRequestsPerConnection"]) {
    for (const value of [0, -1, 1.5, Number.NaN])
      expect(() => new HTTPServer(() => {}, { [name]: value })).toThrow(RangeError);
    expect(() => new HTTPServer(() => {}, { [name]: "5" } as object)).toThrow(TypeError);
  }
  const timeouts = ["idleTimeoutMs", "headTimeoutMs", "bodyTimeoutMs", "writeTimeoutMs"];
  for (const name of [...timeouts, "minRate", "drainTimeoutMs"]) {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => new HTTPServer(() => {}, { [name]: value }), name).toThrow(RangeError);
    for (const value of ["60000", "", true, null, [5], 5n])
      expect(() => new HTTPServer(() => {}, { [name]: value } as object), name).toThrow(TypeError);
  }
  for (const name of timeouts) {
    expect(() => new HTTPServer(() => {}, { [name]: 2 ** 31 - 1 }), name).not.toThrow();
    expect(() => new HTTPServer(() => {}, { [name]: 2 ** 31 }), name).toThrow(RangeError);
  }
});

it("new HTTPServer() refuses what is no loop, and what are no options", () => {
  const loop = IOLoop.current();
  for (const none of [null, {}, 5] as never[])
    expect(() => new HTTPServer(() => {}, { loop: none })).toThrow(/^loop must be an IOLoop, got /);
  for (const options of [null, 8888, true, []] as never[])
    expect(() => new HTTPServer(() => {}, options)).toThrow(/^options must be an object, got /);
  expect(() => new HTTPServer(() => {}, loop as never)).toThrow(
    new TypeError("options must be an object, got an IOLoop: give { loop }"),
  );
  expect(new HTTPServer(() => {}, { loop: undefined } as object).loop).toBe(loop);
});
