// The access log: one entry for each request, whatever becomes of it, and one line of what a client sent.

import { type HTTPConnection, HTTPHeaders, type HTTPServerRequest } from "@tw/httputil";
import { type AccessEntry, combinedLine, createLogger } from "@tw/log";
import { Deferred, type LogFields, type Logger } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTPServer, type HTTPServerOptions, type RequestCallback } from "../src/index.js";
import { answer, codes, OK, onEveryCarrier } from "./harness.js";

const CLOSE = "Connection: close\r\n";
const get = (uri: string, more = ""): string => `GET ${uri} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** Keeps lines, each with its level. */
class Lines implements Logger {
  readonly lines: string[] = [];
  readonly debug = this.#at("debug");
  readonly info = this.#at("info");
  readonly warn = this.#at("warn");
  readonly error = this.#at("error");

  #at(level: string) {
    return (first: string | LogFields, message?: string): void => {
      this.lines.push(`${level} ${typeof first === "string" ? first : message}`);
    };
  }
}

/** Answers with the status that the path names. */
const byPath = ({ uri, connection }: HTTPServerRequest): void => {
  const code = Number.parseInt(uri.slice(1), 10);
  connection.writeHeaders(
    { version: "HTTP/1.1", code, reason: "" },
    new HTTPHeaders({ "Content-Length": "0" }),
  );
  connection.finish();
};

onEveryCarrier((bench) => {
  /** The entries of what a client does. */
  async function entriesOf(
    target: RequestCallback,
    wire: string,
    options: HTTPServerOptions = {},
  ): Promise<AccessEntry[]> {
    const entries: AccessEntry[] = [];
    const server = await bench.serve(target, { accessLog: (entry) => entries.push(entry), ...options });
    await bench.transcript(server, [wire]);
    return entries;
  }

  describe("accessLog", () => {
    const statuses = ["/200", "/304", "/404", "/500"].map((uri) => get(uri)).join("") + get("/204", CLOSE);

    it("true: writes each request in Tornado's form, at a level by its status", async () => {
      const logger = new Lines();
      const server = await bench.serve(byPath, { logger, accessLog: true });
      await bench.transcript(server, [statuses]);
      expect(logger.lines.map((line) => line.replace(/\d+\.\d\dms$/, "<ms>"))).toEqual([
        "info 200 GET /200 (127.0.0.1) <ms>",
        "info 304 GET /304 (127.0.0.1) <ms>",
        "warn 404 GET /404 (127.0.0.1) <ms>",
        "error 500 GET /500 (127.0.0.1) <ms>",
        "info 204 GET /204 (127.0.0.1) <ms>",
      ]);
    });

    it('"errors": writes those from 400 on, without a time', async () => {
      const logger = new Lines();
      const server = await bench.serve(byPath, { logger, accessLog: "errors" });
      await bench.transcript(server, [statuses]);
      expect(logger.lines).toEqual(["warn 404 GET /404 (127.0.0.1)", "error 500 GET /500 (127.0.0.1)"]);
    });

    it("is off at first, and reads no clock for errors alone", async () => {
      const logger = new Lines();
      for (const accessLog of [undefined, false, "errors"] as const) {
        const server = await bench.serve(byPath, {
          logger,
          ...(accessLog === undefined ? {} : { accessLog }),
        });
        const { loop } = server;
        let clocks = 0;
        const client = await bench.connect(server);
        const { time } = loop;
        loop.time = () => {
          clocks++;
          return time.call(loop);
        };
        await client.send(get("/200", CLOSE));
        await client.until((text) => codes(text).length === 1);
        loop.time = time;
        if (bench.carrier !== "memory") expect(clocks).toBe(0); // a memory network reads it for itself
        await client.untilClosed();
      }
      expect(logger.lines).toEqual([]);
    });

    it("tells a function what is known of a request", async () => {
      const fields = "Referer: http://r/\r\nUser-Agent: test\r\n";
      const entries = await entriesOf(
        (request) => answer(request.connection, "hello"),
        `POST /a?b HTTP/1.1\r\nHost: a\r\n${fields}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n${get("/2", CLOSE)}`,
      );
      expect(entries).toHaveLength(2);
      expect(entries[0]).toMatchObject({
        method: "POST",
        uri: "/a?b",
        version: "HTTP/1.1",
        status: 200,
        remoteIp: "127.0.0.1",
        bytesReceived: 7,
        bytesSent: 5,
        outcome: "complete",
        referer: "http://r/",
        userAgent: "test",
      });
      expect(entries[0]?.durationMs).toBeGreaterThanOrEqual(0);
      expect({ ...entries[0] }).toMatchObject({ referer: "http://r/", userAgent: "test" });
      expect(JSON.parse(JSON.stringify(entries[0]))).toEqual({ ...entries[0] });
      expect(entries[1]).toMatchObject({ uri: "/2", bytesReceived: 0, referer: undefined });
      expect(combinedLine(entries[0] as AccessEntry, 0)).toMatch(
        /^127\.0\.0\.1 - - \[01\/Jan\/1970:00:00:00 \+0000\] "POST \/a\?b HTTP\/1\.1" 200 5 "http:\/\/r\/" "test"$/,
      );
    });

    it("has an entry for a handler that failed: of its 500, or of what was broken off", async () => {
      const entries = await entriesOf((request) => {
        if (request.uri === "/late")
          request.connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "9" }), "abc");
        throw new Error("handler");
      }, get("/early") + get("/late"));
      expect(entries).toMatchObject([
        { uri: "/early", status: 500, outcome: "complete" },
        { uri: "/late", status: 200, outcome: "aborted", bytesSent: 3, remoteIp: "127.0.0.1" },
      ]);
    });

    it("has one entry for a peer that goes away, and knows whose it was", async () => {
      const asked = new Deferred<HTTPConnection>();
      const logged = new Deferred<AccessEntry>();
      const entries: AccessEntry[] = [];
      const server = await bench.serve((request) => asked.resolve(request.connection), {
        accessLog: (entry) => {
          entries.push(entry);
          logged.resolve(entry);
        },
      });
      const client = await bench.connect(server);
      await client.send(get("/gone"));
      const connection = await asked.promise;
      client.stream.abort();
      await logged.promise;
      answer(connection, "too late");
      expect(entries).toMatchObject([{ uri: "/gone", status: 0, outcome: "aborted", remoteIp: "127.0.0.1" }]);
    });

    it("has an entry for what was refused: a head, a body", async () => {
      const never = (): never => expect.fail("no such request");
      expect(await entriesOf(never, "garbage\r\n\r\n")).toMatchObject([
        { method: "", uri: "", status: 400, outcome: "refused", remoteIp: "127.0.0.1" },
      ]);
      const body = "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
      expect(await entriesOf(never, body)).toMatchObject([
        { method: "POST", uri: "/b", status: 400, outcome: "refused", remoteIp: "127.0.0.1" },
      ]);
      const large = "POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n";
      const [entry, ...more] = await entriesOf(never, large, { maxBodySize: 10 });
      expect([entry?.status, more.length]).toEqual([413, 0]);
    });

    it("has an entry for an upgrade, when it is made", async () => {
      const upgrade = { Upgrade: "x", Connection: "Upgrade" };
      const entries = await entriesOf(
        (request) => request.connection.upgrade?.(new HTTPHeaders(upgrade)).close(),
        get("/u", "Upgrade: x\r\nConnection: Upgrade\r\n"),
      );
      expect(entries).toMatchObject([{ uri: "/u", status: 101, outcome: "upgraded" }]);
    });

    it("S-43: a target of control characters stays one line, and no escape reaches a terminal", async () => {
      const written: string[] = [];
      const stream = { write: (text: string) => written.push(text) > 0, isTTY: true };
      const logger = createLogger({ stream, format: "pretty", color: false });
      const server = await bench.serve(byPath, { logger, accessLog: true });
      // What is no ASCII in a target is refused or kept; either way it is one line.
      for (const code of [0x01, 0x0b, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0xff]) {
        await bench.transcript(server, [get(`/404${String.fromCharCode(code)}[2J`, CLOSE)]);
      }
      for (const text of written) expect(text).toMatch(/^\[[IWE] [^\n]*\n$/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      expect(written.join("")).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
      expect(written.length).toBeGreaterThanOrEqual(8);
    });

    it("a function that throws or rejects, or a logger that throws, is logged, and costs the request nothing", async () => {
      const throws = (): never => {
        throw new Error("log");
      };
      const rejects = (): Promise<void> => Promise.reject(new Error("log"));
      for (const accessLog of [throws, rejects]) {
        const logger = new Lines();
        const server = await bench.serve(byPath, { logger, accessLog });
        expect(codes(await bench.transcript(server, [get("/200") + get("/200", CLOSE)]))).toEqual([200, 200]);
        expect(logger.lines).toEqual([
          "error Uncaught exception in accessLog",
          "error Uncaught exception in accessLog",
        ]);
      }
      const hostile = { debug: throws, info: throws, warn: throws, error: throws };
      for (const accessLog of [true, throws, rejects] as const) {
        const other = await bench.serve(byPath, { logger: hostile, accessLog });
        expect(codes(await bench.transcript(other, [get("/200", CLOSE)]))).toEqual([200]);
      }
    });

    it("names the client that a trusted proxy names", async () => {
      const entries = await entriesOf(byPath, get("/200", `X-Forwarded-For: 192.0.2.7\r\n${CLOSE}`), {
        trustedProxies: ["loopback"],
      });
      expect(entries).toMatchObject([{ remoteIp: "192.0.2.7" }]);
    });
  });
});

it("accessLog refuses what is none", () => {
  for (const accessLog of ["all", 1, null, {}] as never[])
    expect(() => new HTTPServer(() => undefined, { accessLog })).toThrow(TypeError);
});
