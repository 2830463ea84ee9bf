// The context of a request: with whatever is done for it, and with nothing else.

import { AsyncLocalStorage } from "node:async_hooks";
import { HTTPHeaders, type HTTPServerRequest } from "@tw/httputil";
import { createLogger, logContext } from "@tw/log";
import { TCPClient, TCPServer } from "@tw/tcp";
import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import {
  currentRequest,
  HTTPServer,
  type HTTPServerOptions,
  type RequestCallback,
  type RequestContextOptions,
} from "../src/index.js";
import { answer, codes, OK, onEveryCarrier } from "./harness.js";

const CLOSE = "Connection: close\r\n";
const get = (uri: string, more = ""): string => `GET ${uri} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const bodies = (text: string): string[] =>
  [...text.matchAll(/\r\n\r\n([^\r]*?)(?=HTTP\/1\.1|$)/g)].map(([, body = ""]) => body);

/** Names each request by its path, so that a leak tells where it came from. */
const byPath: RequestContextOptions = { makeId: ({ path }) => path };

onEveryCarrier((bench) => {
  function serve(target: RequestCallback, options: HTTPServerOptions = {}): Promise<HTTPServer> {
    return bench.serve(target, { requestContext: byPath, ...options });
  }

  /** The field of each answer to `requests`. */
  async function idsIn(requests: readonly string[], requestContext: true | RequestContextOptions) {
    const seen: (string | undefined)[] = [];
    const server = await bench.serve(
      (request) => {
        seen.push(currentRequest()?.id);
        answer(request.connection, "ok");
      },
      { requestContext },
    );
    const text = await bench.transcript(server, [...requests, get("/last", CLOSE)]);
    return { text, seen: seen.slice(0, -1) };
  }

  describe("currentRequest()", () => {
    it("is there without being handed on, and is undefined without the option and outside of requests", async () => {
      const seen: unknown[] = [];
      const handler = (request: HTTPServerRequest): void => {
        const context = currentRequest();
        seen.push([context?.id, context?.startLine.path, context?.headers.get("Host"), logContext()]);
        seen.push(context?.connection === request.connection);
        answer(request.connection, "ok");
      };
      await bench.transcript(await serve(handler), [get("/a", CLOSE)]);
      expect(seen).toEqual([["/a", "/a", "a", { requestId: "/a" }], true]);
      seen.length = 0;
      await bench.transcript(await bench.serve(handler), [get("/a", CLOSE)]);
      expect(seen).toEqual([[undefined, undefined, undefined, undefined], false]);
      expect(currentRequest()).toBeUndefined();
    });

    it("is with every call of a delegate, from startRequest to onConnectionClose", async () => {
      const seen: string[] = [];
      const see = (what: string): void => void seen.push(`${what} ${currentRequest()?.id}`);
      const over = new Deferred<void>();
      const server = await bench.serve(
        {
          startRequest: (connection) => {
            see("start");
            return {
              headersReceived: () => see("headers"),
              dataReceived: () => see("data"),
              trailersReceived: () => see("trailers"),
              finish: () => see("finish"),
              onConnectionClose: () => {
                see("close");
                answer(connection, "ok"); // it has closed its half only
                over.resolve();
              },
            };
          },
        },
        { requestContext: byPath },
      );
      const client = await bench.connect(server);
      await client.send(
        "POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n",
      );
      client.stream.end();
      await over.promise;
      const calls = ["start", "headers", "data", "trailers", "finish", "close"];
      expect(seen).toEqual(calls.map((call) => `${call} /d`));
    });

    it("is kept through promises, timers, callbacks of the loop and of Node, and other streams", async () => {
      const seen: string[] = [];
      const see = (what: string): void => void seen.push(`${what} ${currentRequest()?.id}`);
      const server = await serve(async (request) => {
        const { loop } = server;
        await Promise.resolve();
        see("promise");
        await new Promise<void>((resolve) => loop.callLater(1, () => resolve(see("timer"))));
        await new Promise<void>((resolve) => loop.addCallback(() => resolve(see("callback"))));
        await new Promise<void>((resolve) => setImmediate(() => resolve(see("immediate"))));
        await new Promise<void>((resolve) => process.nextTick(() => resolve(see("tick"))));
        const echo = new TCPServer((stream) => {
          stream.write("x");
        }, options);
        await echo.listen(0, "127.0.0.1");
        const stream = await new TCPClient(options).connect("127.0.0.1", echo.port);
        see("connect");
        await stream.readBytes(1);
        see("read");
        stream.abort();
        await echo.drain({ timeoutMs: 0 });
        answer(request.connection, "ok");
      });
      const options =
        bench.carrier === "memory" ? { loop: server.loop } : { loop: server.loop, engine: bench.carrier };
      await bench.transcript(server, [get("/k", CLOSE)]);
      const steps = ["promise", "timer", "callback", "immediate", "tick", "connect", "read"];
      expect(seen).toEqual(steps.map((step) => `${step} /k`));
    });

    it("keeps values for its request alone", async () => {
      const server = await serve(async (request) => {
        const values = currentRequest()?.values;
        const before = values?.size;
        values?.set("user", request.uri);
        await undefined;
        answer(request.connection, `${before} ${currentRequest()?.values.get("user")}`);
      });
      const text = await bench.transcript(server, [get("/1") + get("/2"), get("/3", CLOSE)]);
      expect(bodies(text)).toEqual(["0 /1", "0 /2", "0 /3"]);
    });
  });

  describe("contexts do not leak", () => {
    const abuse = new AsyncLocalStorage<string>();

    it("between pipelined and kept-alive requests, answered at once or later, whatever they enter", async () => {
      const seen: string[] = [];
      const see = (uri: string): void =>
        void seen.push(`${uri}: ${currentRequest()?.id} ${logContext()?.requestId} ${abuse.getStore()}`);
      const server = await serve(async (request) => {
        const { uri, connection } = request;
        see(uri);
        abuse.enterWith(`entered by ${uri}`);
        if (uri.startsWith("/later"))
          await new Promise((resolve) => server.loop.callLater(1, () => resolve(0)));
        see(uri);
        answer(connection, "ok");
        // Answering goes on with the next request: what it enters is not ours.
        see(uri);
      });
      const uris = ["/now1", "/later1", "/now2", "/now3", "/later2", "/later3"];
      const client = await bench.connect(server);
      await client.send(uris.map((uri) => get(uri)).join(""));
      await client.until((text) => codes(text).length === uris.length);
      for (const uri of ["/later4", "/now4"]) {
        const before = codes(client.text).length;
        await client.send(get(uri));
        await client.until((text) => codes(text).length > before);
        uris.push(uri);
      }
      client.stream.abort();
      const of = (uri: string) => seen.filter((line) => line.startsWith(`${uri}: `));
      for (const uri of uris)
        expect(of(uri)).toEqual([
          `${uri}: ${uri} ${uri} undefined`,
          `${uri}: ${uri} ${uri} entered by ${uri}`,
          `${uri}: ${uri} ${uri} entered by ${uri}`,
        ]);
      expect([currentRequest(), logContext(), abuse.getStore()]).toEqual([undefined, undefined, undefined]);
    });

    it("between connections that are served at the same time", async () => {
      const gates = new Map([1, 2, 3].map((i) => [`/${i}`, new Deferred<void>()]));
      const arrived = new Map([1, 2, 3].map((i) => [`/${i}`, new Deferred<void>()]));
      const server = await serve(async (request) => {
        arrived.get(request.uri)?.resolve();
        await gates.get(request.uri)?.promise;
        answer(request.connection, `${request.uri} ${currentRequest()?.id}`);
      });
      const clients = [];
      for (const [uri, there] of arrived) {
        const client = await bench.connect(server);
        await client.send(get(uri, CLOSE));
        await there.promise;
        clients.push(client);
      }
      for (const [, gate] of [...gates].reverse()) gate.resolve();
      const texts = await Promise.all(clients.map((client) => client.untilClosed()));
      expect(texts.flatMap(bodies)).toEqual(["/1 /1", "/2 /2", "/3 /3"]);
    });

    it("from a request that wakes another one to that", async () => {
      const [waits, woken] = [new Deferred<void>(), new Deferred<void>()];
      const server = await serve(async ({ uri, connection }) => {
        if (uri === "/wait") {
          waits.resolve();
          await woken.promise;
        } else woken.resolve();
        answer(connection, `${currentRequest()?.id}`);
      });
      const first = await bench.connect(server);
      await first.send(get("/wait", CLOSE));
      await waits.promise;
      const second = await bench.transcript(server, [get("/wake", CLOSE)]);
      expect([bodies(await first.untilClosed()), bodies(second)]).toEqual([["/wait"], ["/wake"]]);
    });

    it("from a request that waits for its body to one that its continuation lets in", async () => {
      const seen: string[] = [];
      const server = await bench.serve(
        {
          startRequest: (connection) => ({
            headersReceived: async () => {
              await new Promise((resolve) => server.loop.callLater(1, () => resolve(0)));
              seen.push(`headers ${currentRequest()?.id}`);
            },
            dataReceived: async () => {
              await Promise.resolve();
              seen.push(`data ${currentRequest()?.id}`);
            },
            finish: () => {
              seen.push(`finish ${currentRequest()?.id}`);
              answer(connection, "ok");
            },
            onConnectionClose() {},
          }),
        },
        { requestContext: byPath },
      );
      const post = (uri: string, more = "") =>
        `POST ${uri} HTTP/1.1\r\nHost: a\r\n${more}Content-Length: 1\r\n\r\nx`;
      await bench.transcript(server, [post("/1") + post("/2", CLOSE)]);
      expect(seen).toEqual(["/1", "/2"].flatMap((uri) => [`headers ${uri}`, `data ${uri}`, `finish ${uri}`]));
    });
  });

  describe("the id of a request", () => {
    it("is made of something random and a count, and is another one for each", async () => {
      const { seen } = await idsIn([get("/"), get("/")], true);
      for (const id of seen) expect(id).toMatch(/^[\w-]{8}-[0-9a-z]+$/);
      expect(new Set(seen).size).toBe(2);
    });

    it("is not what a client calls it, unless the server is told to believe that", async () => {
      const named = get("/", "X-Request-Id: mine\r\n");
      expect((await idsIn([named], true)).seen).not.toContain("mine");
      expect((await idsIn([named], { requestHeader: "x-request-id" })).seen).toEqual(["mine"]);
    });

    it("is taken from a client at 128 characters, and made anew at 129, or of others than letters, digits and -._~:+/=@", async () => {
      const ids = ["a".repeat(128), "Az09-._~:+/=@"];
      const bad = ["a".repeat(129), "a b", "a,b", 'a"b', "a;b", "\x9b2J", "\xe9", "", "a\tb", "<b>"];
      const field = (id: string) => get("/", `X-Request-Id: ${id}\r\n`);
      const options = { requestHeader: "X-Request-Id", makeId: () => "made" };
      expect((await idsIn(ids.map(field), options)).seen).toEqual(ids);
      expect((await idsIn(bad.map(field), options)).seen).toEqual(bad.map(() => "made"));
      const twice = get("/", "X-Request-Id: a\r\nX-Request-Id: b\r\n");
      expect((await idsIn([twice], options)).seen).toEqual(["made"]);
    });

    it("is ours where makeId makes none, throws or rejects, which is logged", async () => {
      const logged: unknown[] = [];
      const error = (fields: unknown): void => void logged.push((fields as { err: Error }).err.message);
      const logger = { debug() {}, info() {}, warn() {}, error } as never;
      const rejects = () => Promise.reject(new Error("rejected")) as never;
      const makers = [() => undefined, () => "a b", () => 7 as never, () => expect.fail("makeId"), rejects];
      for (const makeId of makers) {
        const server = await bench.serve((request) => answer(request.connection, `${currentRequest()?.id}`), {
          requestContext: { makeId },
          logger,
        });
        const [id] = bodies(await bench.transcript(server, [get("/", CLOSE)]));
        expect(id).toMatch(/^[\w-]{8}-[0-9a-z]+$/);
      }
      expect(logged).toEqual(["makeId", "rejected"]);
    });

    it("is in the field of the answer that is asked for, in that of a failed handler and of an upgrade too", async () => {
      const server = await bench.serve(
        ({ uri, connection }) => {
          if (uri === "/throw") throw new Error("handler");
          if (uri === "/own") return answer(connection, "ok", new HTTPHeaders({ "x-request-id": "own" }));
          if (uri === "/up") return connection.upgrade?.(new HTTPHeaders({ Upgrade: "x" })).close();
          answer(connection, "ok");
        },
        { requestContext: { ...byPath, responseHeader: "X-Request-Id" } },
      );
      const uris = ["/plain", "/throw", "/own"];
      const upgrade = get("/up", "Upgrade: x\r\nConnection: Upgrade\r\n");
      const text = await bench.transcript(server, [uris.map((uri) => get(uri)).join("") + upgrade]);
      expect([...text.matchAll(/x-request-id: (\S+)/gi)].map(([, id]) => id)).toEqual([
        "/plain",
        "/throw",
        "own",
        "/up",
      ]);
    });

    it("leaves the headers that answers share as they are", async () => {
      const shared = new HTTPHeaders({ "Content-Length": "2" });
      const server = await bench.serve(
        ({ connection }) => {
          connection.writeHeaders(OK, shared, "ok");
          connection.finish();
        },
        { requestContext: { responseHeader: "X-Request-Id" } },
      );
      await bench.transcript(server, [get("/", CLOSE)]);
      expect([...shared.keys()]).toEqual(["Content-Length"]);
    });

    it("is in the access log, in what handlers log and in the log of their failure, and in that of a peer that is gone", async () => {
      const records: Record<string, unknown>[] = [];
      const stream = { write: (line: string) => records.push(JSON.parse(line)) > 0 };
      const logger = createLogger({ stream, format: "json" });
      const asked = new Deferred<void>();
      const gone = new Deferred<void>();
      const server = await bench.serve(
        {
          startRequest: (connection) => {
            const { path } = currentRequest()?.startLine ?? { path: "" };
            return {
              headersReceived() {},
              dataReceived() {},
              async finish() {
                await undefined;
                logger.info("working");
                if (path === "/fail") throw new Error("handler");
                if (path === "/gone") return asked.resolve();
                answer(connection, "ok");
              },
              onConnectionClose: () => gone.resolve(),
            };
          },
        },
        { requestContext: byPath, accessLog: true, logger },
      );
      const client = await bench.connect(server);
      await client.send(get("/fine") + get("/fail") + get("/gone"));
      await asked.promise;
      client.stream.abort();
      await gone.promise;
      await server.close();
      const told = records.map(({ msg, requestId }) => `${requestId} ${String(msg).split(" (")[0]}`);
      expect(told).toEqual([
        "/fine working",
        "/fine 200 GET /fine",
        "/fail working",
        '/fail Uncaught exception GET "/fail"',
        "/fail 500 GET /fail",
        "/gone working",
        "/gone - GET /gone",
      ]);
    });
  });
});

it("requestContext refuses what it cannot be", () => {
  const make = (requestContext: unknown) => new HTTPServer(() => undefined, { requestContext } as never);
  for (const wrong of [1, "yes", null, { requestHeader: "a b" }, { responseHeader: "" }, { makeId: "x" }])
    expect(() => make(wrong)).toThrow(TypeError);
});
