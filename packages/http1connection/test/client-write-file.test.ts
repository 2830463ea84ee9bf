// Uploads from files.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveHTTP1Options } from "@tw/http1";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { IOStream } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import { nullLogger } from "@tw/log";
import { fromLatin1 } from "@tw/util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HTTP1ClientConnection } from "../src/index.js";

let folder = "";
let fd = -1;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tw-http1connection-"));
  writeFileSync(join(folder, "file"), "0123456789");
  fd = openSync(join(folder, "file"), "r");
});

afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const PUT = { method: "PUT", path: "/", version: "HTTP/1.1" };

function setUp() {
  const loop = new IOLoop({ logger: nullLogger });
  const [ours, theirs] = memoryPair(loop);
  const connection = new HTTP1ClientConnection(new IOStream(ours, { loop }), resolveHTTP1Options());
  const server = new IOStream(theirs, { loop });
  const closes: unknown[] = [];
  const exchange = connection.exchange({
    headersReceived() {},
    dataReceived() {},
    finish() {},
    onConnectionClose: (error) => void closes.push(error),
  });
  return { exchange, server, connection, closes };
}

it("writeFile() sends a file as body of the announced length", async () => {
  const { exchange, server, connection } = setUp();
  exchange.writeHeaders(PUT, new HTTPHeaders({ Host: "a", "Content-Length": "4" }));
  await exchange.writeFile({ fd, offset: 3, length: 4 });
  exchange.finish();
  const head = fromLatin1(await server.readUntil("\r\n\r\n"));
  expect(head).toContain("Content-Length: 4\r\n");
  expect(fromLatin1(await server.readBytes(4))).toBe("3456");
  connection.stream.abort();
});

it("writeFile() sends a file as one chunk", async () => {
  const { exchange, server, connection } = setUp();
  exchange.writeHeaders(PUT, new HTTPHeaders({ Host: "a", "Transfer-Encoding": "chunked" }));
  exchange.writeFile({ fd, offset: 0, length: 10 });
  exchange.finish();
  await server.readUntil("\r\n\r\n");
  expect(fromLatin1(await server.readUntil("0\r\n\r\n"))).toBe("a\r\n0123456789\r\n0\r\n\r\n");
  connection.stream.abort();
});

it("writeFile() throws for more than was announced, before a head and behind the end", async () => {
  const { exchange, server, connection } = setUp();
  expect(() => exchange.writeFile({ fd, offset: 0, length: 1 })).toThrow(/no head/);
  expect(() => exchange.writeFile({ fd, offset: 0, length: -1 })).toThrow(RangeError);
  exchange.writeHeaders(PUT, new HTTPHeaders({ Host: "a", "Content-Length": "4" }));
  expect(() => exchange.writeFile({ fd, offset: 0, length: 5 })).toThrow(
    expect.objectContaining({ name: "HTTPOutputError" }),
  );
  const received = fromLatin1(await server.readUntilClose().catch(() => new Uint8Array()));
  expect(received.split("\r\n\r\n")[1] ?? "").toBe("");
  await connection.stream.whenClosed;
  await expect(exchange.writeFile({ fd, offset: 0, length: 4 })).rejects.toMatchObject({
    code: "ERR_TW_STREAM_CLOSED",
  });
});

it("writeFile() of a file that is too short rejects, and the request is broken off", async () => {
  const { exchange, server, closes, connection } = setUp();
  exchange.writeHeaders(PUT, new HTTPHeaders({ Host: "a", "Content-Length": "11" }));
  await expect(exchange.writeFile({ fd, offset: 0, length: 11 })).rejects.toMatchObject({
    code: "ERR_TW_FILE_TOO_SHORT",
  });
  await expect(server.readUntilClose()).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
  await connection.stream.whenClosed;
  expect(closes).toMatchObject([{ code: "ERR_TW_FILE_TOO_SHORT" }]);
});

it("writeFile() to a server that goes away resolves, as write() does", async () => {
  const { exchange, server, closes } = setUp();
  exchange.writeHeaders(PUT, new HTTPHeaders({ Host: "a", "Content-Length": "10" }));
  const sent = exchange.writeFile({ fd, offset: 0, length: 10 });
  server.abort();
  await sent;
  await server.whenClosed;
  expect(closes.length).toBeLessThan(2);
});
