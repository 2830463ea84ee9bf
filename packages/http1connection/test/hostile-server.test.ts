import { resolveHTTP1Options } from "@tw/http1";
import { HTTPHeaders, type HTTPMessageDelegate } from "@tw/httputil";
import { virtualLoop } from "@tw/ioloop/testing";
import { IOStream } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import { nullLogger } from "@tw/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HTTP1ClientConnection } from "../src/index.js";

const POST = { method: "POST", path: "/", version: "HTTP/1.1" };
const host = () => new HTTPHeaders({ Host: "a" });

let escaped: unknown[] = [];
const onEscape = (error: unknown) => void escaped.push(error);

beforeEach(() => {
  escaped = [];
  process.on("unhandledRejection", onEscape);
});

afterEach(async () => {
  await new Promise(setImmediate);
  process.off("unhandledRejection", onEscape);
  expect(escaped).toEqual([]);
});

function setUp() {
  const { loop, host } = virtualLoop({ logger: nullLogger });
  const [ours, theirs] = memoryPair(loop);
  const stream = new IOStream(ours, { loop });
  const connection = new HTTP1ClientConnection(stream, resolveHTTP1Options());
  return { host, stream, connection, server: new IOStream(theirs, { loop }) };
}

function delegate(parts: Partial<HTTPMessageDelegate>): HTTPMessageDelegate {
  return { headersReceived() {}, dataReceived() {}, finish() {}, onConnectionClose() {}, ...parts };
}

describe("HTTP1ClientConnection against a hostile server", () => {
  it("a response that is complete before its request leaves no write() waiting", async () => {
    const t = setUp();
    await t.host.run(async () => {
      const exchange = t.connection.exchange(delegate({}));
      exchange.writeHeaders(POST, host());
      await t.server.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
      await t.stream.whenClosed;
      await expect(exchange.write(new Uint8Array(1_000_000))).rejects.toMatchObject({
        code: "ERR_TW_STREAM_CLOSED",
      });
      exchange.finish();
    });
  });

  it("takes no more behind a 101 than came with it while nobody takes the stream", async () => {
    const t = setUp();
    await t.host.run(async () => {
      const exchange = t.connection.exchange(delegate({}));
      exchange.writeHeaders(POST, new HTTPHeaders({ Host: "a", Upgrade: "x", Connection: "Upgrade" }), "x");
      exchange.finish();
      t.server.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
      t.server.send("x".repeat(1_000_000));
      await new Promise((resolve) => t.stream.loop.callLater(10_000, () => resolve(undefined)));
      expect(t.server.bufferedAmount).toBeGreaterThan(800_000);
      const taken = exchange.detach();
      expect((await taken.readBytes(1_000_000)).length).toBe(1_000_000);
      taken.abort();
    });
  });

  it("no exception of a delegate escapes, whichever method throws or rejects", async () => {
    const methods = [
      "informationReceived",
      "headersReceived",
      "dataReceived",
      "trailersReceived",
      "finish",
      "onConnectionClose",
    ] as const;
    const bad = [
      () => {
        throw new Error("sync");
      },
      () => Promise.reject(new Error("async")),
    ];
    for (const method of methods) {
      for (const fail of bad) {
        const t = setUp();
        await t.host.run(async () => {
          const exchange = t.connection.exchange(delegate({ [method]: fail }));
          exchange.writeHeaders(POST, host());
          exchange.finish();
          t.server.send(
            "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
          );
          if (method !== "onConnectionClose") t.server.send("0\r\nT: v\r\n\r\n");
          t.server.end();
          await t.stream.whenClosed;
          t.server.abort();
        });
      }
    }
  });
});
