// An answer that is complete before its request has come: either its head says that the connection closes, or what is
// left of the request is dropped and the next one is answered. RFC 9112 §9.6, RFC 9110 §10.1.1.

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type HTTPConnection,
  HTTPHeaders,
  type HTTPMessageDelegate,
  type HTTPServerConnectionDelegate,
  type RequestStartLine,
} from "@tw/httputil";
import { Deferred, fromLatin1 } from "@tw/util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RequestCallback } from "../src/index.js";
import { answer, type Bench, codes, OK, onEveryCarrier } from "./harness.js";
import { delegate, inVirtualTime } from "./world.js";

const STREAMED = { streamRequestBody: true, maxBodySize: 2 ** 31 };
const CLOSE = /\r\nConnection: close\r\n/;
const GET = "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
/** What is dropped of one request. */
const DROPPED = 256 * 1024;

const post = (length: number, more = "") =>
  `POST / HTTP/1.1\r\nHost: a\r\n${more}Content-Length: ${length}\r\n\r\n`;
const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`;
const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

let folder = "";
let fd = -1;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tw-early-"));
  writeFileSync(join(folder, "early"), "early");
  fd = openSync(join(folder, "early"), "r");
});
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const five = () => new HTTPHeaders({ "Content-Length": "5" });

type Way = (connection: HTTPConnection) => void | Promise<void>;

/** In pieces: when the head goes out nobody knows what becomes of the request. */
const kept: Record<string, Way> = {
  "in one turn": (connection) => {
    connection.writeHeaders(OK, five());
    connection.write("early");
    connection.finish();
  },
  "in several turns": async (connection) => {
    connection.writeHeaders(OK, five());
    await new Promise(setImmediate);
    await connection.write("early");
    await new Promise(setImmediate);
    connection.finish();
  },
  "in chunks": async (connection) => {
    connection.writeHeaders(OK, new HTTPHeaders());
    await connection.write("early");
    connection.finish();
  },
  "from a file": async (connection) => {
    connection.writeHeaders(OK, five());
    await connection.writeFile?.({ fd, offset: 0, length: 5 });
    connection.finish();
  },
  "with a refusal": (connection) => {
    connection.writeHeaders({ ...OK, code: 403 }, five());
    connection.write("early");
    connection.finish();
  },
};

const bodiless = (code: number): Way => {
  return (connection) => {
    connection.writeHeaders({ ...OK, code }, new HTTPHeaders());
    connection.finish();
  };
};

/** Whole when the head goes out: it says so. */
const announced: Record<string, Way> = {
  "at once": (connection) => answer(connection, "early"),
  "with 204": bodiless(204),
  "with 205": bodiless(205),
  "with 304": bodiless(304),
};

const ended = (text: string) => /early(\r\n0\r\n\r\n)?$/.test(text) || /^HTTP.*\r\n\r\n$/s.test(text);

/** Answers the first request in this way, and what comes behind it with its URI. */
function serving(way: Way, seen: string[] = []): RequestCallback {
  return async ({ connection, uri }) => {
    seen.push(uri);
    if (uri !== "/") return answer(connection, uri);
    await way(connection);
  };
}

onEveryCarrier((bench: Bench) => {
  for (const [name, way] of Object.entries(kept)) {
    describe(`an answer ${name} keeps the connection, and the next request is answered, where the rest comes`, () => {
      const cases: Record<string, { together?: string; later?: readonly string[] }> = {
        "along with the head": { together: `${post(5)}abcde` },
        "along with the head, with a request behind it": { together: `${post(5)}abcde${GET}` },
        "when the answer is out": { together: post(5), later: ["abcde"] },
        "in pieces": { together: `${post(5)}a`, later: ["bc", "d", "e"] },
        "with a request behind it": { together: post(5), later: [`abcde${GET}`] },
        "and looks like a request": { together: post(SMUGGLED.length), later: [SMUGGLED] },
        "in chunks, with trailers": {
          together: CHUNKED,
          later: [chunk(SMUGGLED), `0\r\nA: b\r\nX-B: `, `c\r\n\r\n`],
        },
        "in chunks along with the head": { together: `${CHUNKED}${chunk(SMUGGLED)}0\r\nA: b\r\n\r\n` },
        "and is as long as is read": { together: post(DROPPED), later: ["x".repeat(DROPPED)] },
      };
      for (const [when, { together = "", later = [] }] of Object.entries(cases))
        it(when, async () => {
          const seen: string[] = [];
          const server = await bench.serve(serving(way, seen), STREAMED);
          const client = await bench.connect(server);
          await client.send(together);
          if (later.length > 0) await client.until(ended);
          for (const piece of later) await client.send(piece);
          if (!together.endsWith(GET) && later.at(-1)?.endsWith(GET) !== true) await client.send(GET);
          const text = await client.until((text) => text.endsWith("/behind"));
          expect(codes(text)).toEqual([name === "with a refusal" ? 403 : 200, 200]);
          expect(text).not.toMatch(CLOSE);
          expect(seen).toEqual(["/", "/behind"]);
        });
    });

    // RFC 9112 §9.3 (3)
    it(`an answer ${name} ends the connection behind a body that is longer than what is dropped`, async () => {
      const seen: string[] = [];
      const server = await bench.serve(serving(way, seen), STREAMED);
      const client = await bench.connect(server);
      await client.send(post(DROPPED + 1));
      await client.until(ended);
      await client.send("x".repeat(DROPPED + 1));
      await client.send(GET);
      expect(codes(await client.untilClosed())).toHaveLength(1);
      expect(client.closeError).toBeUndefined();
      expect(seen).toEqual(["/"]);
    });

    it(`an answer ${name} to a client of HTTP/1.0 that wants to go on lets it`, async () => {
      const server = await bench.serve(serving(way), STREAMED);
      const client = await bench.connect(server);
      const head = "Host: a\r\nConnection: keep-alive\r\n";
      await client.send(`POST / HTTP/1.0\r\n${head}Content-Length: 5\r\n\r\nabcde`);
      await client.send(`GET /behind HTTP/1.0\r\n${head}\r\n`);
      const text = await client.until((text) => text.endsWith("/behind"));
      // Without a length the end of the connection is the end of the answer.
      expect(codes(text)).toHaveLength(name === "in chunks" ? 1 : 2);
    });

    it(`an answer ${name} says that it is the last to a client that waits for a 100 and gets none`, async () => {
      const seen: string[] = [];
      const refusal: Way = async (connection) => {
        const writeHeaders = connection.writeHeaders.bind(connection);
        connection.writeHeaders = (start, headers, body) =>
          writeHeaders({ ...start, code: 403 }, headers, body);
        await way(connection);
      };
      const server = await bench.serve(serving(refusal, seen), STREAMED);
      const client = await bench.connect(server);
      await client.send(post(5, "Expect: 100-continue\r\n"));
      await client.until(ended);
      await client.send(GET);
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([403]);
      expect(text).toMatch(CLOSE);
      expect(seen).toEqual(["/"]);
    });
  }

  it("a client that was sent a 100 along with the answer sends its body, and asks on behind it", async () => {
    const server = await bench.serve(serving(kept["in several turns"] as Way), STREAMED);
    const client = await bench.connect(server);
    await client.send(post(5, "Expect: 100-continue\r\n"));
    await client.until(ended);
    await client.send(`abcde${GET}`);
    const text = await client.until((text) => text.endsWith("/behind"));
    expect(codes(text)).toEqual([100, 200, 200]);
    expect(text).not.toMatch(CLOSE);
  });

  it("a client that wanted a 100 and did not wait for it is refused, and asks on behind its body", async () => {
    const server = await bench.serve(serving(kept["with a refusal"] as Way), STREAMED);
    const client = await bench.connect(server);
    await client.send(`${post(5, "Expect: 100-continue\r\n")}ab`);
    await client.until(ended);
    await client.send(`cde${GET}`);
    expect(codes(await client.until((text) => text.endsWith("/behind")))).toEqual([403, 200]);
  });

  for (const [name, way] of Object.entries(announced))
    it(`an answer ${name} says that it is the last`, async () => {
      const seen: string[] = [];
      const server = await bench.serve(serving(way, seen), STREAMED);
      for (const pieces of [[`${post(5)}abcde`, GET], [post(5)], [`${post(5)}a`, "bcde", GET]]) {
        const text = await bench.transcript(server, pieces);
        expect(codes(text)).toHaveLength(1);
        expect(text).toMatch(CLOSE);
      }
      expect(seen).toEqual(["/", "/", "/"]);
    });

  describe("a request without a body has come with its head: answered there it keeps the connection, by", () => {
    const bare = (method: string, more = "") => `${method} / HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
    const requests = {
      GET: bare("GET"),
      HEAD: bare("HEAD"),
      "POST of nothing": bare("POST", "Content-Length: 0\r\n"),
    };
    const answering: Record<string, (connection: HTTPConnection) => void | Promise<void>> = {
      "headersReceived()": (connection) => answer(connection, "early"),
      "headersReceived(), later": async (connection) => {
        await new Promise(setImmediate);
        answer(connection, "early");
      },
      "headersReceived(), with a failure": () => {
        throw new Error("m");
      },
    };
    for (const [name, respond] of Object.entries(answering))
      for (const [kind, request] of Object.entries(requests))
        it(`${name}, to ${kind}`, async () => {
          const told: string[] = [];
          const server = await bench.serve({
            startRequest: (connection) => ({
              headersReceived(startLine) {
                told.push((startLine as RequestStartLine).path);
                if (told.length === 1) return respond(connection);
                answer(connection, "behind");
              },
              dataReceived: () => void told.push("data"),
              finish: () => void told.push("finish"),
              onConnectionClose: () => void told.push("close"),
              onAnswerEnd: () => void told.push("end"),
            }),
          });
          const client = await bench.connect(server);
          await client.send(request + GET);
          const text = await client.until((all) => all.endsWith("behind"));
          expect(codes(text)).toEqual([name.endsWith("failure") ? 500 : 200, 200]);
          expect(text).not.toMatch(CLOSE);
          expect(told.filter((what) => what !== "end")).toEqual(["/", "/behind"]);
          expect(told).toHaveLength(4);
        });
  });

  it("an answer to HEAD says that it is the last", async () => {
    for (const way of Object.values(kept)) {
      const server = await bench.serve(serving(way), STREAMED);
      const text = await bench.transcript(server, [`${post(5).replace("POST", "HEAD")}abcde`, GET]);
      expect(codes(text)).toHaveLength(1);
      expect(text).toMatch(CLOSE);
      await server.close();
    }
  });

  describe("what is dropped is read as strictly as any body: behind", () => {
    const broken: Record<string, string> = {
      "a chunk size that is none": "xyz\r\n",
      "a chunk without its end": `5\r\nabcdeGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
      "a chunk beyond maxBodySize": `fffff\r\n`,
      "a malformed trailer": `0\r\nno trailer\r\n\r\n`,
    };
    for (const [name, rest] of Object.entries(broken))
      it(`${name} nothing is read, and nothing more is said`, async () => {
        const seen: string[] = [];
        const server = await bench.serve(serving(kept["in one turn"] as Way, seen), {
          ...STREAMED,
          maxBodySize: 1000,
        });
        const client = await bench.connect(server);
        await client.send(CHUNKED);
        await client.until(ended);
        await client.send(`${rest}${GET}`);
        const text = await client.untilClosed();
        expect(codes(text)).toEqual([200]);
        expect(text).toMatch(/early$/);
        expect(client.closeError).toBeUndefined();
        expect(seen).toEqual(["/"]);
      });
  });

  it("a client that ends within its body is closed, and one that ends behind it is answered before", async () => {
    const server = await bench.serve(serving(kept["in one turn"] as Way), STREAMED);
    expect(codes(await bench.transcript(server, [post(5), "ab"], true))).toEqual([200]);
    expect(codes(await bench.transcript(server, [post(5), "abcde"], true))).toEqual([200]);
    expect(codes(await bench.transcript(server, [post(5), `abcde${GET}`], true))).toEqual([200, 200]);
  });

  it("many requests on one connection, each answered early, are each answered", async () => {
    const server = await bench.serve(({ connection, uri }) => {
      connection.writeHeaders(OK, new HTTPHeaders());
      connection.write(uri);
      connection.finish();
    }, STREAMED);
    const client = await bench.connect(server);
    const asked = Array.from({ length: 100 }, (_, i) => `/${i}`);
    const wire = asked.map((uri, i) => post(i * 37).replace("/", uri) + "y".repeat(i * 37)).join("");
    for (let at = 0; at < wire.length; at += 1009) client.stream.send(Buffer.from(wire.slice(at, at + 1009)));
    const text = await client.until((text) => text.includes("/99"));
    expect([...text.matchAll(/\r\n(\/\d+)\r\n0\r\n/g)].map((match) => match[1])).toEqual(asked);
  });

  describe("a delegate that answers", () => {
    const early = kept["in one turn"] as Way;
    /** A delegate of two requests: these methods for the first one. */
    const first = (make: (connection: HTTPConnection) => Partial<HTTPMessageDelegate>) => {
      let asked = 0;
      return delegate((connection) =>
        asked++ === 0 ? make(connection) : { finish: () => answer(connection, "/behind") },
      );
    };
    const delegates: Record<string, () => HTTPServerConnectionDelegate> = {
      "to a head": () => first((connection) => ({ headersReceived: () => void early(connection) })),
      "to a piece of the body": () => first((connection) => ({ dataReceived: () => void early(connection) })),
      "to a piece that it keeps for a turn": () =>
        first((connection) => ({
          dataReceived: () => {
            void early(connection);
            return new Promise((resolve) => setImmediate(resolve));
          },
        })),
      "while it keeps a piece": () =>
        first((connection) => ({
          dataReceived: async () => {
            await new Promise(setImmediate);
            void early(connection);
            await new Promise(setImmediate);
          },
        })),
      "and fails behind it": () =>
        first((connection) => ({
          dataReceived: async () => {
            void early(connection);
            throw new Error("behind the answer");
          },
        })),
    };
    for (const [name, make] of Object.entries(delegates))
      it(`${name} has the next request answered, wherever the pieces part`, async () => {
        const wire = `${post(5)}abcde${GET}`;
        for (const size of [wire.length, 1, 60, post(5).length, post(5).length + 2]) {
          const server = await bench.serve(make());
          const client = await bench.connect(server);
          for (let at = 0; at < wire.length; at += size) await client.send(wire.slice(at, at + size));
          expect(codes(await client.until((text) => text.endsWith("/behind")))).toEqual([200, 200]);
          expect(client.text).not.toMatch(CLOSE);
          await server.close();
        }
      });

    it("a turn after all but the end of an empty body has the next request answered", async () => {
      const server = await bench.serve(
        first((connection) => ({ headersReceived: () => void setImmediate(() => early(connection)) })),
      );
      const client = await bench.connect(server);
      await client.send(`${CHUNKED}0\r\n`);
      await client.until(ended);
      await client.send(`\r\n${GET}`);
      expect(codes(await client.until((text) => text.endsWith("/behind")))).toEqual([200, 200]);
    });

    it("while it keeps a piece leaves those of the next request as they came, whatever comes then", async () => {
      const gates = [new Deferred(), new Deferred()];
      const answers = new Deferred();
      let asked = 0;
      let second = "";
      const server = await bench.serve(
        delegate((connection) => {
          const at = asked++;
          return {
            dataReceived: async (view) => {
              if (at === 0) void answers.promise.then(() => early(connection));
              await gates[at]?.promise;
              if (at === 1) second += fromLatin1(view);
            },
            finish: () => answer(connection, "/behind"),
          };
        }),
      );
      const client = await bench.connect(server);
      await client.send(`${post(5)}abcde${post(2000)}${"s".repeat(1000)}`);
      while (asked === 0) await new Promise(setImmediate);
      answers.resolve();
      while (asked === 1) await new Promise(setImmediate);
      gates[0]?.resolve();
      await client.send("t".repeat(1000));
      for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
      gates[1]?.resolve();
      expect(codes(await client.until((text) => text.endsWith("/behind")))).toEqual([200, 200]);
      expect(second).toBe("s".repeat(1000) + "t".repeat(1000));
    });

    it("and sets a limit behind its answer sets that of no other request", async () => {
      const connections: HTTPConnection[] = [];
      const server = await bench.serve(
        delegate((connection) =>
          connections.push(connection) === 1
            ? { headersReceived: () => void early(connection) }
            : { finish: () => answer(connection, "/behind") },
        ),
      );
      const client = await bench.connect(server);
      await client.send(`${post(5)}abcde`);
      await client.until(ended);
      await client.send(CHUNKED);
      while (connections.length < 2) await new Promise(setImmediate);
      connections[0]?.setMaxBodySize?.(1);
      await client.send(`${chunk("abcde")}0\r\n\r\n`);
      expect(codes(await client.until((text) => text.endsWith("/behind")))).toEqual([200, 200]);
    });
  });
});

describe("dropping has an end", () => {
  const early = kept["in one turn"] as Way;

  it("5 s after a client has fallen silent, and its request is answered until then", async () => {
    for (const [silence, answers] of [
      [4000, 2],
      [9000, 1],
    ] as const)
      await inVirtualTime(
        serving(early),
        async ({ client, pass }) => {
          await client.send(post(5));
          await client.send("ab");
          await pass(silence);
          expect(client.isClosed).toBe(answers === 1);
          await client.send(`cde${GET}`);
          await pass(100);
          expect(codes(client.text)).toHaveLength(answers);
        },
        STREAMED,
      );
  });

  it("30 s after the answer, and what comes then is not read as a request", async () => {
    const seen: string[] = [];
    await inVirtualTime(
      serving(early, seen),
      async ({ client, pass, host }) => {
        client.isHalfOpen = true;
        await client.send(post(10_000));
        let ends = 0;
        client.stream.whenClosed.then(() => {
          ends = host.now();
        });
        for (let i = 0; i < 40; i++) {
          await client.send(SMUGGLED);
          await pass(1000);
        }
        client.stream.end();
        await client.untilClosed();
        expect(codes(client.text)).toEqual([200]);
        expect(seen).toEqual(["/"]);
        expect(ends).toBeGreaterThanOrEqual(30_000);
      },
      STREAMED,
    );
  });

  it("5 s after the answer of a delegate that keeps what it was given for ever", async () => {
    const target = delegate((connection) => ({
      dataReceived: () => {
        void early(connection);
        return new Promise(() => {});
      },
    }));
    await inVirtualTime(target, async ({ client, server, pass }) => {
      await client.send(`${post(5)}ab`);
      await pass(15_000);
      expect(client.isClosed).toBe(true);
      expect(server.connectionCount).toBe(0);
      expect(codes(client.text)).toEqual([200]);
    });
  });

  it("whether the client reads or not: its answer waits for it, and so does the next one", async () => {
    const long = "y".repeat(300_000);
    const target: RequestCallback = ({ connection, uri }) => {
      if (uri === "/behind") return answer(connection, uri);
      connection.writeHeaders(OK, new HTTPHeaders());
      connection.write(long);
      connection.finish();
    };
    await inVirtualTime(
      target,
      async ({ client, pass }) => {
        client.stream.pause();
        await client.send(post(DROPPED));
        await client.send("x".repeat(DROPPED));
        await client.send(GET);
        await pass(10_000);
        client.stream.resume();
        const text = await client.until((text) => text.endsWith("/behind"));
        expect(codes(text)).toEqual([200, 200]);
        expect(text).toContain(long);
      },
      STREAMED,
    );
  });

  it("is no work under way, and no idle connection either", async () => {
    await inVirtualTime(
      serving(early),
      async ({ client, server, pass }) => {
        await client.send(post(5));
        await client.until(ended);
        expect(server.inFlight).toBe(0);
        await pass(3000);
        await client.send("abcde");
        await pass(60_000);
        expect(client.isClosed).toBe(false);
        await client.send(GET);
        expect(codes(await client.until((text) => text.endsWith("/behind")))).toEqual([200, 200]);
      },
      { ...STREAMED, idleTimeoutMs: 75_000 },
    );
  });

  it("drain() waits for the rest, and for a second for what may come behind it", async () => {
    for (const asks of [true, false])
      await inVirtualTime(
        serving(early),
        async ({ client, server, pass }) => {
          await client.send(post(5));
          await client.until(ended);
          const draining = server.drain();
          await pass(3000);
          expect(client.isClosed).toBe(false);
          await client.send("abcde");
          if (asks) await client.send(GET);
          const text = await client.untilClosed();
          expect(codes(text)).toHaveLength(asks ? 2 : 1);
          const { finished, closed, aborted } = await draining;
          expect({ finished, closed, aborted }).toEqual({
            finished: asks ? 1 : 0,
            closed: asks ? 0 : 1,
            aborted: 0,
          });
        },
        STREAMED,
      );
  });

  it("drain() and close() abort nobody who has an answer, however much is missing", async () => {
    for (const end of ["drain", "close"] as const)
      await inVirtualTime(
        serving(early),
        async ({ client, server }) => {
          await client.send(post(5));
          await client.until(ended);
          const ending = end === "drain" ? server.drain({ timeoutMs: 1000 }) : server.close();
          expect(codes(await client.untilClosed())).toEqual([200]);
          expect(client.closeError).toBeUndefined();
          if (end === "drain") expect(await ending).toMatchObject({ aborted: 0, finished: 1 });
          await ending;
        },
        STREAMED,
      );
  });
});

onEveryCarrier((bench) => {
  it("onAnswerEnd() is called once, also where the connection is aborted behind the answer", async () => {
    const calls: string[] = [];
    const server = await bench.serve(
      delegate((connection) => ({
        headersReceived() {
          answer(connection, "early");
          connection.abort();
        },
        onAnswerEnd: () => void calls.push("end"),
        onConnectionClose: () => void calls.push("close"),
      })),
    );
    await bench.transcript(server, [post(5)]);
    await server.close();
    expect(calls).toEqual(["end"]);
  });
});
