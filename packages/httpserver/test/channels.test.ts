// What is published of requests: which facts, in which order, and never more than one end of each.

import { AsyncLocalStorage } from "node:async_hooks";
import { channel, hasSubscribers, subscribe, unsubscribe } from "node:diagnostics_channel";
import type {
  HTTPRequestErrorMessage,
  HTTPRequestMessage,
  HTTPRequestStartMessage,
  HTTPResponseStartMessage,
  HTTPUpgradeMessage,
} from "@tw/http1connection";
import { type HTTPConnection, HTTPHeaders } from "@tw/httputil";
import { observe } from "@tw/ioloop";
import { Deferred } from "@tw/util";
import { afterEach, describe, expect, it, vi } from "vitest";
import { answer, codes, OK, onEveryCarrier } from "./harness.js";

type Name = `tw:httpserver:${string}`;

const NAMES: readonly Name[] = [
  "tw:httpserver:requestStart",
  "tw:httpserver:responseStart",
  "tw:httpserver:requestFinish",
  "tw:httpserver:requestError",
  "tw:httpserver:upgrade",
];
const CLOSE = "Connection: close\r\n";
const get = (uri: string, more = ""): string => `GET ${uri} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** The messages of one test, each as `<request> <event> …`; requests are A, B, C in the order of their first message. */
class Journal {
  readonly lines: string[] = [];
  readonly messages: [Name, HTTPRequestMessage | HTTPRequestErrorMessage][] = [];
  readonly #connections: HTTPConnection[] = [];
  readonly #stops: (() => void)[] = [];

  start(): void {
    for (const name of NAMES) {
      const listener = (message: unknown): void => this.#note(name, message as HTTPRequestMessage);
      subscribe(name, listener);
      this.#stops.push(() => unsubscribe(name, listener));
    }
  }

  /** And forgets. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
    this.lines.length = this.messages.length = this.#connections.length = 0;
  }

  /** What was published as the `index`th. */
  message<T = HTTPRequestErrorMessage>(index: number): T {
    return (this.messages[index] as [Name, unknown])[1] as T;
  }

  #note(
    name: Name,
    message: HTTPRequestMessage & { startLine?: object; status?: number; error?: unknown },
  ): void {
    this.messages.push([name, message]);
    const { connection, startLine, status, error } = message;
    if (connection !== undefined && !this.#connections.includes(connection))
      this.#connections.push(connection);
    const which = "ABCDEFGH"[this.#connections.indexOf(connection)] ?? "-";
    const line = startLine as { path?: string; code?: number } | undefined;
    const more = [line?.path ?? line?.code, status, (error as { code?: string } | undefined)?.code];
    this.lines.push([which, name.slice(14), ...more.filter((part) => part !== undefined)].join(" "));
  }
}

const journal = new Journal();
afterEach(() => {
  journal.stop();
  expect(NAMES.filter((name) => hasSubscribers(name))).toEqual([]);
});

onEveryCarrier((bench) => {
  describe("a request", () => {
    it("publishes start, response head and finish, one request after the other", async () => {
      const server = await bench.serve((request) => answer(request.connection, request.uri));
      journal.start();
      await bench.transcript(server, [get("/1") + get("/2"), get("/3", CLOSE)]);
      expect(journal.lines.map((line) => line.slice(2))).toEqual(
        ["/1", "/2", "/3"].flatMap((uri) => [`requestStart ${uri}`, "responseStart 200", "requestFinish"]),
      );
      const of = journal.messages.map(([, { connection }]) => connection);
      for (const i of [0, 3, 6]) expect([of[i + 1], of[i + 2]]).toEqual([of[i], of[i]]);
    });

    it("carries its fields, and times of the loop", async () => {
      let connection: HTTPConnection | undefined;
      const server = await bench.serve((request) => {
        connection = request.connection;
        answer(request.connection, "x", new HTTPHeaders({ "X-Answer": "1" }));
      });
      journal.start();
      const before = server.loop.time();
      await bench.transcript(server, [get("/x?y", `X-Asked: 2\r\n${CLOSE}`)]);
      expect(journal.messages.map(([, message]) => message)).toEqual([
        {
          connection,
          time: expect.any(Number),
          startLine: { method: "GET", path: "/x?y", version: "HTTP/1.1" },
          headers: expect.any(HTTPHeaders),
        },
        { connection, time: expect.any(Number), startLine: OK, headers: expect.any(HTTPHeaders) },
        { connection, time: expect.any(Number) },
      ]);
      const [start, head, finish] = journal.messages.map(([, message]) => message) as [never, never, never];
      expect((start as { headers: HTTPHeaders }).headers.get("X-Asked")).toBe("2");
      expect((head as { headers: HTTPHeaders }).headers.get("X-Answer")).toBe("1");
      const times = [
        before,
        ...[start, head, finish].map(({ time }: { time: number }) => time),
        server.loop.time(),
      ];
      expect([...times].sort((a, b) => a - b)).toEqual(times);
    });

    it("that fails in the handler publishes the 500 and its finish", async () => {
      const server = await bench.serve(() => Promise.reject(new Error("handler")));
      journal.start();
      await bench.transcript(server, [get("/", CLOSE)]);
      expect(journal.lines).toEqual(["A requestStart /", "A responseStart 500", "A requestFinish"]);
    });

    it("that fails with its head out publishes an error with what was thrown, once", async () => {
      const thrown = Object.assign(new Error("late"), { code: "LATE" });
      const server = await bench.serve((request) => {
        request.connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "5" }), "x");
        throw thrown;
      });
      journal.start();
      await bench.transcript(server, [get("/")]);
      expect(journal.lines).toEqual(["A requestStart /", "A responseStart 200", "A requestError 0 LATE"]);
      expect(journal.message(2).error).toBe(thrown);
    });

    it("that is aborted publishes one error with the reason", async () => {
      const server = await bench.serve((request) => {
        request.connection.abort(Object.assign(new Error("no"), { code: "NO" }));
        request.connection.abort(new Error("again"));
      });
      journal.start();
      await bench.transcript(server, [get("/")]);
      expect(journal.lines).toEqual(["A requestStart /", "A requestError 0 NO"]);
    });

    it("whose peer goes away publishes an error, and nothing of the answer that comes too late", async () => {
      const asked = new Deferred<HTTPConnection>();
      const gone = new Deferred<void>();
      const server = await bench.serve({
        startRequest: (connection) => ({
          headersReceived() {},
          dataReceived() {},
          finish: () => asked.resolve(connection),
          onConnectionClose: () => gone.resolve(),
        }),
      });
      journal.start();
      const client = await bench.connect(server);
      await client.send(get("/"));
      const connection = await asked.promise;
      client.stream.abort();
      await gone.promise;
      answer(connection, "too late");
      expect(journal.lines.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
        "A requestStart /",
        "A requestError 0",
      ]);
      expect(journal.message(1).context).toBe(connection.context);
    });

    it("that breaks the protocol in its body publishes an error with the status it was refused with", async () => {
      const server = await bench.serve((request) => answer(request.connection, "never"));
      journal.start();
      await bench.transcript(server, [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      ]);
      expect(journal.lines).toEqual([
        "A requestStart /",
        expect.stringMatching(/^A requestError 400 ERR_TW_/),
      ]);
    });

    it("that breaks it while its answer is under way publishes an error without a status: none was sent", async () => {
      const server = await bench.serve({
        startRequest: (connection) => ({
          headersReceived: () => void connection.writeHeaders(OK, new HTTPHeaders()),
          dataReceived() {},
          finish: () => connection.finish(),
          onConnectionClose() {},
        }),
      });
      journal.start();
      await bench.transcript(server, [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      ]);
      expect(journal.lines).toEqual([
        "A requestStart /",
        "A responseStart 200",
        expect.stringMatching(/^A requestError 0 ERR_TW_/),
      ]);
    });

    it("that never became one publishes an error without a connection", async () => {
      const server = await bench.serve((request) => answer(request.connection, "never"));
      journal.start();
      await bench.transcript(server, [`${get("/first")}garbage\r\n\r\n`]);
      expect(journal.lines).toEqual([
        "A requestStart /first",
        "A responseStart 200",
        "A requestFinish",
        expect.stringMatching(/^- requestError 400 ERR_TW_/),
      ]);
      expect(journal.message(3).connection).toBeUndefined();
    });

    it("that upgrades publishes that, with the stream, and no finish", async () => {
      let upgraded: unknown;
      const server = await bench.serve((request) => {
        const stream = request.connection.upgrade?.(new HTTPHeaders({ Upgrade: "x", Connection: "Upgrade" }));
        upgraded = stream;
        stream?.close();
      });
      journal.start();
      await bench.transcript(server, [get("/", "Upgrade: x\r\nConnection: Upgrade\r\n")]);
      expect(journal.lines).toEqual(["A requestStart /", "A responseStart 101", "A upgrade"]);
      expect(journal.message<HTTPResponseStartMessage>(1).headers.get("Upgrade")).toBe("x");
      expect(journal.message<HTTPUpgradeMessage>(2).stream).toBe(upgraded);
    });
  });

  describe("subscribers", () => {
    it("that are not there cost no message: nothing is published while nobody listens", async () => {
      const names = ["tw:tcp:accepted", "tw:tcp:connected", "tw:iostream:opened", "tw:iostream:received"];
      const all = [...NAMES, ...names, "tw:iostream:sent", "tw:iostream:closed"].map((name) => channel(name));
      const spies = all.map((each) => vi.spyOn(each, "publish"));
      const server = await bench.serve((request) => {
        if (request.uri === "/fail") throw new Error("handler");
        answer(request.connection, "ok");
      });
      await bench.transcript(server, [get("/") + get("/fail", CLOSE)]);
      await bench.transcript(server, ["garbage\r\n\r\n"]);
      const calls = spies.map((spy) => spy.mock.calls.length);
      for (const spy of spies) spy.mockRestore();
      expect(calls).toEqual(all.map(() => 0));
    });

    it("that throw are logged by observe() and cost the request nothing", async () => {
      const logged: unknown[] = [];
      const note = (fields: unknown): void => void logged.push((fields as { err: Error }).err.message);
      const logger = { debug: note, info: note, warn: note, error: note };
      const observations = NAMES.map((name) => observe(name, () => expect.fail(name), { logger }));
      const server = await bench.serve((request) => answer(request.connection, "ok"));
      const text = await bench.transcript(server, [get("/", CLOSE)]);
      for (const observation of observations) observation[Symbol.dispose]();
      expect(codes(text)).toEqual([200]);
      expect(logged).toEqual(NAMES.slice(0, 3));
    });

    it.each(["requestStart", "responseStart", "requestFinish", "requestError"])(
      "of %s may abort, which is told once",
      async (name) => {
        const abort = (message: unknown): void => (message as HTTPRequestMessage).connection.abort();
        const writes: unknown[] = [];
        for (const uri of ["/answer", "/switch"]) {
          const server = await bench.serve(({ connection }) => {
            if (name === "requestError") return connection.abort();
            if (uri === "/switch") return connection.upgrade?.(new HTTPHeaders({ Upgrade: "x" })).close();
            writes.push(connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "2" }), "ok"));
            connection.finish();
          });
          journal.start();
          subscribe(`tw:httpserver:${name}`, abort);
          await bench.transcript(server, [get(uri, "Upgrade: x\r\nConnection: Upgrade\r\n")]);
          await server.close();
          unsubscribe(`tw:httpserver:${name}`, abort);
          const ends = journal.lines.filter((line) => /Finish|Error|upgrade/.test(line));
          expect(ends, journal.lines.join()).toHaveLength(1);
          journal.stop();
        }
        await Promise.allSettled(writes);
      },
    );

    it("of the start that abort leave no delegate without an end: it hears of nothing", async () => {
      const told: string[] = [];
      const note = (what: string) => () => void told.push(what);
      const server = await bench.serve({
        startRequest() {
          told.push("start");
          return {
            headersReceived: note("headers"),
            dataReceived: note("data"),
            finish: note("finish"),
            onConnectionClose: note("close"),
          };
        },
      });
      const abort = (message: unknown): void => (message as HTTPRequestMessage).connection.abort();
      subscribe("tw:httpserver:requestStart", abort);
      const text = await bench.transcript(server, [get("/") + get("/behind")]);
      unsubscribe("tw:httpserver:requestStart", abort);
      expect([text, told]).toEqual(["", []]);
    });

    it("of a head that write get an error: nothing goes in front of it", async () => {
      const errors: unknown[] = [];
      const write = (message: unknown): void => {
        const { connection } = message as HTTPRequestMessage;
        const ways = [
          () => connection.write("x"),
          () => connection.finish(),
          () => connection.writeHeaders(OK, new HTTPHeaders()),
        ];
        for (const way of ways) {
          try {
            way();
          } catch (error) {
            errors.push((error as Error).name);
          }
        }
      };
      const server = await bench.serve((request) => answer(request.connection, "ok"));
      subscribe("tw:httpserver:responseStart", write);
      const text = await bench.transcript(server, [get("/", CLOSE)]);
      unsubscribe("tw:httpserver:responseStart", write);
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nok$/s);
      expect(errors).toEqual(["HTTPOutputError", "HTTPOutputError", "HTTPOutputError"]);
    });

    it("of the start may enter a store, which a handler is in whose request comes in pieces", async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const see = (): void => void seen.push(storage.getStore());
      const server = await bench.serve({
        startRequest: (connection) => ({
          headersReceived: see,
          dataReceived: see,
          finish: () => {
            see();
            answer(connection, "ok");
          },
          onConnectionClose() {},
        }),
      });
      using _ = observe<HTTPRequestStartMessage>("tw:httpserver:requestStart", () =>
        storage.enterWith("entered"),
      );
      const client = await bench.connect(server);
      await client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${CLOSE}Content-Length: 2\r\n\r\n`,
      );
      await client.until((text) => text.includes(" 100 "));
      await client.send("ab");
      await client.untilClosed();
      expect(seen).toEqual(["entered", "entered", "entered"]);
      expect(storage.getStore()).toBeUndefined();
    });

    it("of the start may enter a store, which the handler is in, and the next request is not", async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const server = await bench.serve(async (request) => {
        seen.push(storage.getStore());
        await undefined;
        seen.push(storage.getStore());
        answer(request.connection, "ok");
      });
      using _ = observe<HTTPRequestStartMessage>("tw:httpserver:requestStart", ({ startLine }) => {
        if (startLine.path !== "/none") storage.enterWith(startLine.path);
      });
      await bench.transcript(server, [get("/1") + get("/none") + get("/2", CLOSE)]);
      expect(seen).toEqual(["/1", "/1", undefined, undefined, "/2", "/2"]);
    });
  });
});
