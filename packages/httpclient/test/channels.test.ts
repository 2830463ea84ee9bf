// What is published of a client's requests: which facts, in which order, and never more than one end of each.

import { hasSubscribers, subscribe, unsubscribe } from "node:diagnostics_channel";
import type { HTTPRequestErrorMessage, HTTPRequestMessage } from "@tw/http1connection";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop, observe } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { TCPServer, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { nativeAvailable } from "@tw/tooling-testing";
import { fromLatin1, latin1 } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import { AsyncHTTPClient } from "../src/index.js";

type Name = `tw:httpclient:${string}`;

const NAMES: readonly Name[] = [
  "tw:httpclient:requestStart",
  "tw:httpclient:responseStart",
  "tw:httpclient:requestFinish",
  "tw:httpclient:requestError",
  "tw:httpclient:upgrade",
];

for (const carrier of ["memory", "native", "node"] as const) {
  describe.skipIf(carrier === "native" && !nativeAvailable)(carrier, () => {
    const stops: (() => unknown)[] = [];
    afterEach(async () => {
      for (const stop of stops.splice(0)) await stop();
      expect(NAMES.filter((name) => hasSubscribers(name))).toEqual([]);
    });

    /** A client of a server that reads a head and then does as `act` does, and what is published meanwhile. */
    async function setUp(act: (stream: IOStream) => unknown) {
      const loop = new IOLoop({ logger: nullLogger });
      if (carrier === "memory") useNetwork(loop, new MemoryNetwork(loop));
      const engine = carrier === "memory" ? {} : { engine: carrier };
      const streams: IOStream[] = [];
      const server = new TCPServer(
        async (stream) => {
          streams.push(stream);
          await stream.readUntil("\r\n\r\n", { maxBytes: 10_000 });
          await act(stream);
        },
        { ...engine, loop },
      );
      await server.listen(0, "127.0.0.1");
      stops.push(() => {
        for (const stream of streams) stream.abort();
        return server.stop();
      });
      const messages: [string, HTTPRequestMessage | HTTPRequestErrorMessage][] = [];
      for (const name of NAMES) {
        const listener = (message: unknown): void =>
          void messages.push([name.slice(14), message as HTTPRequestMessage]);
        subscribe(name, listener);
        stops.push(() => unsubscribe(name, listener));
      }
      const client = new AsyncHTTPClient({ ...engine, loop });
      return { client, messages, loop, url: `http://127.0.0.1:${server.port}/p?q` };
    }

    const answer =
      (...pieces: string[]) =>
      async (stream: IOStream): Promise<void> => {
        for (const piece of pieces) await stream.write(latin1(piece));
      };

    it("a fetch publishes start, response head and finish, with one connection and times in order", async () => {
      const { client, messages, url, loop } = await setUp(
        answer("HTTP/1.1 103 Early\r\n\r\n", "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\n\r\n", "ok"),
      );
      const before = loop.time();
      await client.fetch(url, { headers: { "X-Asked": "2" } });
      const connection = messages[0]?.[1].connection;
      const common = { connection, time: expect.any(Number) };
      expect(messages).toEqual([
        [
          "requestStart",
          {
            ...common,
            startLine: { method: "GET", path: "/p?q", version: "HTTP/1.1" },
            headers: expect.any(HTTPHeaders),
          },
        ],
        [
          "responseStart",
          {
            ...common,
            startLine: { version: "HTTP/1.1", code: 200, reason: "OK" },
            headers: expect.any(HTTPHeaders),
          },
        ],
        ["requestFinish", common],
      ]);
      const headers = messages.map(([, message]) => (message as { headers?: HTTPHeaders }).headers);
      expect([headers[0]?.get("X-Asked"), headers[1]?.get("X")]).toEqual(["2", "1"]);
      const times = [before, ...messages.map(([, { time }]) => time), loop.time()];
      expect([...times].sort((a, b) => a - b)).toEqual(times);
    });

    it.each([
      ["a server that goes away before it answers", (stream: IOStream) => stream.abort(), false],
      [
        "one that goes away within its answer",
        answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        true,
      ],
      ["one that answers garbage", answer("garbage\r\n\r\n"), false],
    ])("%s is one error", async (_name, act, begun) => {
      const { client, messages, url } = await setUp(async (stream) => {
        await act(stream);
        if (!stream.closed) await stream.close();
      });
      await expect(client.fetch(url)).rejects.toThrow();
      expect(messages.map(([name]) => name)).toEqual([
        "requestStart",
        ...(begun ? ["responseStart"] : []),
        "requestError",
      ]);
      const [, last] = messages.at(-1) as [string, HTTPRequestErrorMessage];
      const { connection, context, status } = last;
      expect([connection, status]).toEqual([messages[0]?.[1].connection, 0]);
      expect(context).toBe(connection?.context);
    });

    it("a fetch that is given up is an error with the reason", async () => {
      const cancel = new AbortController();
      const reason = new Error("enough");
      const { client, messages, url } = await setUp(() => cancel.abort(reason));
      await expect(client.fetch(url, { signal: cancel.signal })).rejects.toBe(reason);
      await new Promise(setImmediate);
      expect(messages.map(([name]) => name)).toEqual(["requestStart", "requestError"]);
      expect(messages[1]?.[1]).toMatchObject({ error: reason });
    });

    it("a subscriber of the start that writes gets an error: nothing goes in front of the head", async () => {
      const received: string[] = [];
      const { client, url } = await setUp(async (stream) => {
        received.push(fromLatin1(await stream.readBytes(3)));
        await stream.write(latin1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      });
      const errors: unknown[] = [];
      const write = (message: unknown): void => {
        const { connection } = message as HTTPRequestMessage;
        const startLine = { method: "GET", path: "/", version: "HTTP/1.1" };
        const ways = [
          () => connection.write("x"),
          () => connection.finish(),
          () => connection.writeHeaders(startLine, new HTTPHeaders({ Host: "a" })),
        ];
        for (const way of ways) {
          try {
            way();
          } catch (error) {
            errors.push((error as Error).name);
          }
        }
      };
      subscribe("tw:httpclient:requestStart", write);
      stops.push(() => unsubscribe("tw:httpclient:requestStart", write));
      expect((await client.fetch(url, { method: "POST", body: "abc" })).text()).toBe("ok");
      expect(received).toEqual(["abc"]);
      expect(errors).toEqual(["HTTPOutputError", "HTTPOutputError", "HTTPOutputError"]);
    });

    it("an observer that throws is logged, and the fetch has its answer", async () => {
      const { client, url } = await setUp(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      const logged: string[] = [];
      const error = (fields: unknown): void => void logged.push((fields as { err: Error }).err.message);
      const logger = { debug() {}, info() {}, warn() {}, error } as never;
      for (const name of NAMES) {
        const observation = observe(name, () => expect.fail(name), { logger });
        stops.push(() => observation[Symbol.dispose]());
      }
      expect((await client.fetch(url)).text()).toBe("ok");
      expect(logged).toEqual(NAMES.slice(0, 3));
    });
  });
}
