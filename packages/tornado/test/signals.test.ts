// One signal for all that a server does is the rule: whoever waits for it, in whichever layer, leaves one listener on it.

import { getEventListeners } from "node:events";
import type { ReadOptions, SendFileOptions, TLSOptions } from "@tw/iostream";
import { type FramesOptions, lines } from "@tw/iostream/framing";
import { onEveryEngine } from "@tw/tooling-testing";
import { expect, expectTypeOf, it } from "vitest";
import {
  AsyncHTTPClient,
  Event,
  type FetchOptions,
  IOLoop,
  type IOStream,
  Subprocess,
  type SubprocessOptions,
  sleep,
  TCPClient,
  type TCPConnectOptions,
  TCPServer,
  type WebSocketConnectOptions,
  websocketConnect,
} from "../src/index.js";

/** One more than Node takes without a warning. */
const WAITING = 11;

onEveryEngine((engine) => {
  const client = new TCPClient({ engine });
  /** What never resolves before its signal aborts, given a server that says nothing. */
  const waits: Record<string, (signal: AbortSignal, port: number) => Promise<unknown>> = {
    "readUntil()": async (signal, port) => (await connected(port)).readUntil("\n", { signal }),
    "chunks()": async (signal, port) => (await connected(port)).chunks({ signal }).next(),
    "frames()": async (signal, port) => {
      const frames = (await connected(port)).frames(lines({ maxFrameSize: 9 }), { signal });
      return frames[Symbol.asyncIterator]().next();
    },
    "startTls()": async (signal, port) => (await connected(port)).startTls({ servername: "a", signal }),
    "connect() with TLS": (signal, port) => client.connect("127.0.0.1", port, { signal, tls: true }),
    "fetch()": (signal, port) =>
      new AsyncHTTPClient({ engine }).fetch(`http://127.0.0.1:${port}/`, { signal }),
    "websocketConnect()": (signal, port) => websocketConnect(`ws://127.0.0.1:${port}/`, { signal, engine }),
    "runInExecutor()": (signal) => {
      const module =
        "data:text/javascript,export const wait = () => new Promise(() => setInterval(() => {}, 1000))";
      return IOLoop.current().runInExecutor(undefined, { module, name: "wait", signal });
    },
    "sleep()": (signal) => sleep(60_000, { signal }),
    "Event.wait()": (signal) => new Event().wait({ signal }),
    Subprocess: async (signal) => {
      await using program = new Subprocess(["sleep", "60"], { signal, engine });
      await program.waitForExit();
    },
  };
  const streams: IOStream[] = [];
  const connected = async (port: number) => {
    const stream = await client.connect("127.0.0.1", port);
    streams.push(stream);
    return stream;
  };

  it.each(Object.keys(waits))(
    "%s: many on one signal are one listener, and none when it has aborted",
    async (name) => {
      await using server = new TCPServer((stream) => void streams.push(stream), { engine });
      await server.listen(0, "127.0.0.1");
      const controller = new AbortController();
      const { signal } = controller;
      const waiting = Array.from({ length: WAITING }, () => waits[name]?.(signal, server.port));
      for (const stream of await Promise.allSettled(
        Array.from({ length: WAITING }, () => connected(server.port)),
      ))
        expect(stream.status).toBe("fulfilled");
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      controller.abort();
      const settled = await Promise.allSettled(waiting);
      expect(settled.map(({ status }) => status)).toEqual(Array(WAITING).fill("rejected"));
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
      for (const stream of streams.splice(0)) stream.abort();
    },
  );
});

it("a signal that there may be is given as it is, where it is undefined too", () => {
  type Signal = { readonly signal: AbortSignal | undefined };
  expectTypeOf<Signal>().toExtend<ReadOptions & FramesOptions & SendFileOptions & TLSOptions>();
  expectTypeOf<Signal>().toExtend<
    FetchOptions & TCPConnectOptions & WebSocketConnectOptions & SubprocessOptions
  >();
});
