// HTTPConnection.observeAnswer: what becomes of an answer, whoever gives it.

import { AsyncLocalStorage } from "node:async_hooks";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type AnswerEnd,
  type AnswerObserver,
  type HTTPConnection,
  HTTPHeaders,
  type HTTPMessageDelegate,
  HTTPOutputError,
  type HTTPServerConnectionDelegate,
  type Refusal,
  type ResponseStartLine,
} from "@tw/httputil";
import { Deferred, type LogFields } from "@tw/util";
import { describe, expect, it } from "vitest";
import type { HTTPServerOptions } from "../src/index.js";
import { answer, codes, OK, onEveryCarrier } from "./harness.js";

const CLOSE = "Connection: close\r\n";
const get = (uri: string, more = CLOSE): string => `GET ${uri} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** Notes what it is told, and adds a field to every answer. */
class Notes implements AnswerObserver {
  readonly calls: string[] = [];
  end: AnswerEnd | undefined;

  onAnswerHead({ code }: ResponseStartLine, headers: HTTPHeaders): HTTPHeaders {
    this.calls.push(`head ${code}`);
    const more = headers.copy();
    more.set("X-Observed", "1");
    return more;
  }
  onAnswerData(size: number): void {
    this.calls.push(`data ${size}`);
  }
  onAnswerOver(end: AnswerEnd): void {
    this.end = end;
    const { outcome, status } = end;
    this.calls.push([outcome, ...(status === 0 ? [] : [status])].join(" "));
  }
}

/** Watches every answer, and gives it by `respond` when the request is complete. */
class Watching implements HTTPServerConnectionDelegate {
  readonly notes: Notes[] = [];
  readonly refusals: Refusal[] = [];
  readonly refusedIps: string[] = [];
  readonly #respond: (connection: HTTPConnection) => unknown;

  constructor(respond: (connection: HTTPConnection) => unknown) {
    this.#respond = respond;
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    const notes = new Notes();
    this.notes.push(notes);
    return {
      headersReceived: () => connection.observeAnswer?.(notes),
      dataReceived() {},
      finish: () => this.#respond(connection) as undefined,
      onConnectionClose() {},
    };
  }

  onRefused(refusal: Refusal): void {
    this.refusals.push(refusal);
    this.refusedIps.push(refusal.context.remoteIp);
  }
}

onEveryCarrier((bench) => {
  async function observe(
    respond: (connection: HTTPConnection) => unknown,
    wire: string,
    options: HTTPServerOptions = {},
  ) {
    const watching = new Watching(respond);
    const server = await bench.serve(watching, options);
    const text = await bench.transcript(server, [wire]);
    return { text, watching, calls: watching.notes[0]?.calls ?? [], end: watching.notes[0]?.end };
  }

  describe("observeAnswer()", () => {
    it("tells head, data and the end of each answer on a connection", async () => {
      const { watching, text } = await observe(
        (connection) => answer(connection, "hello"),
        get("/1", "") + get("/2"),
      );
      expect(watching.notes.map(({ calls }) => calls)).toEqual([
        ["head 200", "data 5", "complete"],
        ["head 200", "data 5", "complete"],
      ]);
      expect(text.match(/X-Observed: 1\r\n/g)).toHaveLength(2);
    });

    it("tells bytes of the body before framing, of text in UTF-8, and none where there is no body", async () => {
      const chunked = (connection: HTTPConnection): void => {
        connection.writeHeaders(OK, new HTTPHeaders(), "\u20ac");
        connection.write(new Uint8Array(7));
        connection.write("");
        connection.finish();
      };
      expect((await observe(chunked, get("/"))).calls).toEqual(["head 200", "data 3", "data 7", "complete"]);
      const head = get("/").replace("GET", "HEAD");
      expect((await observe(chunked, head)).calls).toEqual(["head 200", "complete"]);
    });

    it("tells the bytes of a file", async () => {
      const fd = openSync(fileURLToPath(import.meta.url), "r");
      const { calls } = await observe(async (connection) => {
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "100" }));
        await connection.writeFile?.({ fd, offset: 1, length: 100 });
        connection.finish();
      }, get("/"));
      expect(calls).toEqual(["head 200", "data 100", "complete"]);
    });

    it("tells the 500 of a handler that failed before its head, and fields are added to it too", async () => {
      const { calls, text } = await observe(() => {
        throw new Error("handler");
      }, get("/"));
      expect(calls).toEqual(["head 500", "data 22", "complete"]);
      expect(text).toContain("X-Observed: 1\r\n");
    });

    it("tells that an answer is broken off, and why", async () => {
      const error = new Error("late");
      const { calls, end } = await observe((connection) => {
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "10" }), "abc");
        throw error;
      }, get("/"));
      expect(calls).toEqual(["head 200", "data 3", "aborted"]);
      expect(end?.error).toBe(error);
    });

    it("tells more than Content-Length as broken off, and nothing of the piece that was not sent", async () => {
      const { calls, end } = await observe((connection) => {
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "3" }), "abc");
        connection.write("d");
      }, get("/"));
      expect(calls).toEqual(["head 200", "data 3", "aborted"]);
      expect(end?.error).toBeInstanceOf(HTTPOutputError);
    });

    it("tells an abort once", async () => {
      const { calls } = await observe((connection) => {
        connection.abort();
        connection.abort();
      }, get("/"));
      expect(calls).toEqual(["aborted"]);
    });

    it("tells the status that a body was refused with, of which no head is told", async () => {
      const { calls, text } = await observe(
        () => expect.fail("no such request"),
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      );
      expect(calls).toEqual(["refused 400"]);
      expect(codes(text)).toEqual([400]);
    });

    it("tells an upgrade, whose head may have other fields", async () => {
      const { calls, text } = await observe(
        (connection) =>
          connection.upgrade?.(new HTTPHeaders({ Upgrade: "x", Connection: "Upgrade" })).close(),
        get("/", "Upgrade: x\r\nConnection: Upgrade\r\n"),
      );
      expect(calls).toEqual(["head 101", "upgraded"]);
      expect(text).toContain("X-Observed: 1\r\n");
    });

    it("tells observers in the async context in which they came, also of what the peer causes", async () => {
      const storage = new AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const see = (): undefined => void seen.push(storage.getStore());
      const watch = (connection: HTTPConnection, name: string): void =>
        storage.run(name, () => connection.observeAnswer?.({ onAnswerHead: see, onAnswerOver: see }));
      await observe((connection) => {
        watch(connection, "one");
        watch(connection, "two");
        return storage.run("handler", () => Promise.resolve().then(() => answer(connection, "ok")));
      }, get("/"));
      expect(seen).toEqual(["one", "two", "one", "two"]);
      seen.length = 0;
      const asked = new Deferred<void>();
      const server = await bench.serve(
        new Watching((connection) => {
          watch(connection, "three");
          asked.resolve();
        }),
      );
      const client = await bench.connect(server);
      await client.send(get("/", ""));
      await asked.promise;
      client.stream.abort();
      await server.close();
      expect(seen).toEqual(["three"]);
    });

    it.each(["onAnswerHead", "onAnswerData", "onAnswerOver"] as const)(
      "tells the end once where an observer aborts in %s, and what is written then is refused",
      async (method) => {
        const outcomes: unknown[] = [];
        const [before, after] = [new Notes(), new Notes()];
        const written: unknown[] = [];
        const wire = get("/");
        const { text } = await observe(
          async (connection) => {
            connection.observeAnswer?.(before);
            connection.observeAnswer?.({ [method]: () => connection.abort(new Error("no")) });
            connection.observeAnswer?.(after);
            const note = (result: unknown) => written.push(result);
            await Promise.resolve(connection.writeHeaders(OK, new HTTPHeaders(), "x".repeat(200_000))).catch(
              note,
            );
            connection.finish();
          },
          wire,
          { accessLog: ({ outcome }) => outcomes.push(outcome) },
        );
        if (method !== "onAnswerOver") expect(text).toBe("");
        const outcome = method === "onAnswerOver" ? "complete" : "aborted";
        expect(outcomes).toEqual([outcome]);
        expect(before.calls.filter((call) => call === outcome)).toHaveLength(1);
        expect([before, after].map(({ calls }) => calls.at(-1))).toEqual([outcome, outcome]);
        if (method !== "onAnswerOver") expect(written).toMatchObject([{ code: "ERR_TW_STREAM_CLOSED" }]);
      },
    );

    it("gives no stream away where an observer aborts the upgrade", async () => {
      const errors: unknown[] = [];
      const { calls, text } = await observe(
        (connection) => {
          connection.observeAnswer?.({ onAnswerHead: () => void connection.abort() });
          try {
            connection.upgrade?.(new HTTPHeaders({ Upgrade: "x", Connection: "Upgrade" }));
          } catch (error) {
            errors.push(error);
          }
        },
        get("/", "Upgrade: x\r\nConnection: Upgrade\r\n"),
      );
      expect(text).toBe("");
      expect(calls).toEqual(["head 101", "aborted"]);
      expect(errors).toEqual([expect.any(HTTPOutputError)]);
    });

    it("leaves the headers of whoever answers as they are", async () => {
      const shared = new HTTPHeaders({ "Content-Length": "2" });
      await observe((connection) => {
        connection.writeHeaders(OK, shared, "ok");
        connection.finish();
      }, get("/"));
      expect([...shared]).toEqual([["Content-Length", "2"]]);
    });

    it.each([
      [
        "throws",
        (): never => {
          throw new Error("observer");
        },
      ],
      ["rejects", () => Promise.reject(new Error("observer")) as never],
    ])(
      "tells several, each with the fields of the one before, and one that %s is logged and changes nothing",
      async (_, throwing) => {
        const errors: unknown[] = [];
        const error = (fields: LogFields | string): void => void errors.push((fields as LogFields).err);
        const logger = { debug() {}, info() {}, warn() {}, error };
        const first = new Notes();
        const last = new Notes();
        const { text } = await observe(
          (connection) => {
            connection.observeAnswer?.(first);
            connection.observeAnswer?.({
              onAnswerHead: throwing,
              onAnswerData: throwing,
              onAnswerOver: throwing,
            });
            connection.observeAnswer?.({});
            connection.observeAnswer?.(last);
            answer(connection, "ok");
          },
          get("/"),
          { logger },
        );
        expect(codes(text)).toEqual([200]);
        expect(last.calls).toEqual(["head 200", "data 2", "complete"]);
        expect(first.calls).toEqual(last.calls);
        expect(errors).toEqual([1, 2, 3].map(() => expect.objectContaining({ message: "observer" })));
      },
    );
  });

  describe("onRefused()", () => {
    it("tells of peers that never made a request, and of no others", async () => {
      const { watching, text } = await observe(
        (connection) => answer(connection, "ok"),
        `${get("/", "")}garbage\r\n\r\n`,
      );
      expect(codes(text)).toEqual([200, 400]);
      expect(watching.refusals).toEqual([
        { status: 400, error: expect.objectContaining({ status: 400 }), context: expect.anything() },
      ]);
      expect(watching.refusedIps).toEqual(["127.0.0.1"]);
    });

    it("tells of requests for which there was no room, with what they were", async () => {
      const held = new Deferred<HTTPConnection>();
      const watching = new Watching((connection) => held.resolve(connection));
      const server = await bench.serve(watching, { maxInFlight: 1 });
      const first = await bench.connect(server);
      await first.send(get("/held"));
      const connection = await held.promise;
      const text = await bench.transcript(server, [get("/no-room")]);
      expect(codes(text)).toEqual([503]);
      expect(watching.refusals).toMatchObject([{ status: 503, startLine: { path: "/no-room" } }]);
      answer(connection, "ok");
      expect(codes(await first.untilClosed())).toEqual([200]);
    });
  });
});
