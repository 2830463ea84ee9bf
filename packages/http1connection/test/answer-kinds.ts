// A server of one connection whose answers are of all kinds: as the path says, `/kind/body`, at once or later.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HTTPConnection, HTTPHeaders, type RequestStartLine } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { IOStream } from "@tw/iostream";
import { memoryPair, type NativeEngine, NativeTransport, nativeEngine } from "@tw/iostream/transports";
import { nullLogger } from "@tw/log";
import { latin1 } from "@tw/util";
import { afterAll } from "vitest";
import { HTTP1ServerConnection, ServerContext } from "../src/index.js";

const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };

const folder = mkdtempSync(join(tmpdir(), "tw-known-heads-"));
writeFileSync(join(folder, "file"), "a file ".repeat(1000));
const fd = openSync(join(folder, "file"), "r");
export const loop: IOLoop = new IOLoop({ logger: nullLogger });
afterAll(() => {
  loop.close();
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Each writes one answer, of about `size` bytes that tell whose they are. */
export const KINDS: ((connection: HTTPConnection, body: string) => unknown)[] = [
  (connection, body) => connection.writeHeaders(OK, fields(body.length), body),
  (connection, body) => connection.writeHeaders(OK, fields(body.length), body),
  (connection, body) => connection.writeHeaders(OK, fields(body.length), latin1(body)),
  (connection, body) => connection.writeHeaders(OK, fields(body.length + 2), `${body}\xe9`),
  (connection, body) => connection.writeHeaders(OK, fields(), body),
  (connection, body) => {
    connection.writeHeaders(OK, fields());
    for (const piece of body.match(/.{1,50}/gs) ?? []) connection.write(piece);
  },
  (connection, body) => {
    connection.writeHeaders(OK, fields(body.length + 1), body);
    connection.write("!");
  },
  (connection, body) => {
    connection.writeInformation?.(103, new HTTPHeaders({ Link: "</a>" }));
    connection.writeHeaders(OK, fields(body.length), body);
  },
  (connection, body) => connection.writeHeaders({ ...OK, code: 304 }, fields(), body),
  (connection, body) => {
    connection.writeHeaders(OK, fields(1 + body.length), "?");
    return connection.writeFile?.({ fd, offset: 3, length: body.length });
  },
];

function fields(length?: number): HTTPHeaders {
  const headers = new HTTPHeaders({ "Content-Type": "text/plain" });
  if (length !== undefined) headers.set("Content-Length", String(length));
  return headers;
}

/** Serves the first one; returns the other. */
export function startServing(pair: readonly [IOStream, IOStream]): IOStream {
  const delegate = {
    onClose() {},
    startRequest: (connection: HTTPConnection) => {
      let path = "";
      const answer = (): void => {
        const [, kind, body] = path.split("/") as [string, string, string];
        KINDS[Number(kind)]?.(connection, decodeURIComponent(body));
        connection.finish();
      };
      return {
        headersReceived: (startLine: unknown) => {
          path = (startLine as RequestStartLine).path;
          if (path.endsWith("early")) answer();
        },
        dataReceived() {},
        finish: () => {
          if (path.endsWith("early")) return;
          if (path === "/up") return goOnIn(connection);
          const when = path.charCodeAt(5) % 8;
          if (when === 1) queueMicrotask(answer);
          else if (when === 2) loop.addCallback(answer);
          else answer();
        },
        onConnectionClose() {},
      };
    },
  };
  const context = new ServerContext(loop, delegate, { logger: nullLogger });
  new HTTP1ServerConnection(pair[0], context).start();
  return pair[1];
}

function goOnIn(connection: HTTPConnection): void {
  const stream = connection.upgrade?.(new HTTPHeaders({ Connection: "Upgrade", Upgrade: "x" }));
  stream?.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} });
  stream?.send("from the next owner");
  stream?.end();
}

export function memory(): [IOStream, IOStream] {
  const [near, far] = memoryPair(loop);
  return [new IOStream(near, { loop }), new IOStream(far, { loop })];
}

export function native(): [IOStream, IOStream] {
  const engine = nativeEngine(loop) as NativeEngine;
  const [near, far] = engine.poller.socketpair() as [number, number];
  engine.poller.setsockopt(near, "sendBuffer", 4096);
  return [
    new IOStream(new NativeTransport(engine, near, "unix"), { loop }),
    new IOStream(new NativeTransport(engine, far, "unix"), { loop }),
  ];
}
