// Answers from files: framing, order, and what becomes of those that cannot be sent whole.
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HTTPHeaders } from "@tw/httputil";
import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { TCPClient, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HTTPServer, type RequestCallback } from "../src/index.js";
import { type Bench, codes, OK, onEveryCarrier, RawClient, withoutDates } from "./harness.js";

const MIB = 1024 * 1024;
const GET = "GET /f HTTP/1.1\r\nHost: a\r\n\r\n";
const LAST = "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

let folder = "";
let path = "";
let fd = -1;
const content = Buffer.alloc(300_000).map((_, i) => 97 + (i % 23)) as Buffer;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tw-httpserver-"));
  path = join(folder, "file");
  writeFileSync(path, content);
  fd = openSync(path, "r");
});

afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const range = (offset: number, length: number) => ({ fd, offset, length });
const headers = (length?: number) =>
  new HTTPHeaders(length === undefined ? {} : { "Content-Length": String(length) });

/** Answers with this range, without waiting for it. */
function answering(offset: number, length: number, announced: number | undefined = length): RequestCallback {
  return ({ connection }) => {
    connection.writeHeaders(OK, headers(announced));
    connection.writeFile?.(range(offset, length));
    connection.finish();
  };
}

function body(text: string): string {
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

/** Descriptors of this process. */
const descriptors = (): number => readdirSync("/dev/fd").length;

onEveryCarrier((bench: Bench) => {
  it("answers with the range, framed by Content-Length", async () => {
    for (const [offset, length] of [
      [0, 0],
      [0, 1],
      [1, 1],
      [content.length - 1, 1],
      [17, 131_073],
      [0, content.length],
    ] as const) {
      const server = await bench.serve(answering(offset, length));
      const text = await bench.transcript(server, [LAST]);
      expect(text).toContain(`Content-Length: ${length}\r\n`);
      expect(body(text) === content.toString("latin1", offset, offset + length)).toBe(true);
    }
  });

  it("is one chunk of a chunked answer, between others", async () => {
    const server = await bench.serve(async ({ connection }) => {
      connection.writeHeaders(OK, headers(), "<");
      await connection.writeFile?.(range(3, 7));
      connection.write(">");
      connection.finish();
    });
    const text = withoutDates(await bench.transcript(server, [LAST]));
    const sent = content.toString("latin1", 3, 10);
    expect(body(text)).toBe(`1\r\n<\r\n7\r\n${sent}\r\n1\r\n>\r\n0\r\n\r\n`);
  });

  it("is dropped where there is no body: HEAD, 204, 304", async () => {
    const server = await bench.serve(async ({ connection, method, path: target }) => {
      const code = method === "HEAD" ? 200 : Number(target.slice(1));
      connection.writeHeaders(
        { version: "HTTP/1.1", code, reason: "x" },
        headers(code === 204 ? undefined : 9),
      );
      expect(await connection.writeFile?.(range(0, 9))).toBe(undefined);
      connection.finish();
    });
    const ask = (method: string, target: string) => `${method} ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const text = await bench.transcript(server, [
      ask("HEAD", "/") + ask("GET", "/204") + ask("GET", "/304") + LAST.replace("GET /f", "HEAD /f"),
    ]);
    expect(codes(text)).toEqual([200, 204, 304, 200]);
    expect(text.endsWith("\r\n\r\n")).toBe(true);
    expect(text).not.toContain(content.toString("latin1", 0, 9));
  });

  it("answers of pipelined requests come in order and whole", async () => {
    let count = 0;
    const server = await bench.serve((request) => {
      const i = count++;
      return answering(i * 1000, 100_000 + i)(request);
    });
    const text = await bench.transcript(server, [GET.repeat(7) + LAST]);
    const bodies = text
      .split("HTTP/1.1 200 OK")
      .slice(1)
      .map((part) => body(part));
    expect(bodies.length).toBe(8);
    for (const [i, got] of bodies.entries())
      expect(got === content.toString("latin1", i * 1000, i * 1000 + 100_000 + i)).toBe(true);
  });

  it("more than Content-Length announced is an error before a byte of it is sent, and the answer is broken off", async () => {
    let thrown: unknown;
    const server = await bench.serve(({ connection }) => {
      connection.writeHeaders(OK, headers(10));
      try {
        connection.writeFile?.(range(0, 11));
      } catch (error) {
        thrown = error;
      }
    });
    const text = await bench.transcript(server, [GET]);
    expect(thrown).toMatchObject({ name: "HTTPOutputError" });
    expect(body(text)).toBe("");
  });

  it("finish() after less than announced throws", async () => {
    let thrown: unknown;
    const server = await bench.serve(async ({ connection }) => {
      connection.writeHeaders(OK, headers(10));
      await connection.writeFile?.(range(0, 9));
      try {
        connection.finish();
      } catch (error) {
        thrown = error;
      }
    });
    await bench.transcript(server, [GET]);
    expect(thrown).toMatchObject({ name: "HTTPOutputError" });
  });

  it("what is no range throws and leaves the answer as it was", async () => {
    const server = await bench.serve(({ connection }) => {
      connection.writeHeaders(OK, headers(3));
      expect(() => connection.writeFile?.({ fd: -1, offset: 0, length: 3 })).toThrow(RangeError);
      expect(() => connection.writeFile?.({ fd, length: 3 } as never)).toThrow(TypeError);
      connection.writeFile?.(range(0, 3));
      connection.finish();
      expect(() => connection.writeFile?.(range(0, 3))).toThrow(
        expect.objectContaining({ name: "HTTPOutputError" }),
      );
    });
    expect(body(await bench.transcript(server, [LAST]))).toBe("abc");
  });

  for (const [kind, chunked] of [
    ["Content-Length", false],
    ["chunks", true],
  ] as const) {
    it(`a file that is shorter than its range, framed by ${kind}: the answer is never well-formed, nothing follows it, and the handler hears of it`, async () => {
      let failure: unknown;
      let closes = 0;
      const server = await bench.serve(
        {
          startRequest: (connection) => ({
            headersReceived() {},
            dataReceived() {},
            async finish() {
              connection.writeHeaders(OK, headers(chunked ? undefined : content.length + 1));
              try {
                await connection.writeFile?.(range(0, content.length + 1));
              } catch (error) {
                failure = error;
              }
            },
            onConnectionClose() {
              closes++;
            },
          }),
        },
        { logger: nullLogger },
      );
      const text = await bench.transcript(server, [GET + GET]);
      expect(failure).toMatchObject({ code: "ERR_TW_FILE_TOO_SHORT" });
      expect(codes(text).length).toBeLessThan(2);
      expect(body(text).length).toBeLessThanOrEqual(content.length + 10);
      expect(text.endsWith("0\r\n\r\n")).toBe(false);
      expect(closes).toBeLessThan(2);
    });
  }

  it("a file that cannot be sent whole after finish() is in the log, and its connection gone", async () => {
    const logged: unknown[] = [];
    const error = (fields: { err: unknown }): void => void logged.push(fields.err);
    const server = await bench.serve(answering(content.length - 5, 6), {
      logger: { ...nullLogger, error: error as never },
    });
    const text = await bench.transcript(server, [GET + GET]);
    expect(codes(text).length).toBeLessThan(2);
    expect(logged).toMatchObject([{ code: "ERR_TW_FILE_TOO_SHORT" }]);
  });

  it("a descriptor that was closed too early is an error, and no other file is sent in its place", async () => {
    let failure: unknown;
    const server = await bench.serve(async ({ connection }) => {
      const file = await open(path);
      const { fd: closed } = file;
      await file.close();
      connection.writeHeaders(OK, headers(5));
      try {
        await connection.writeFile?.({ fd: closed, offset: 0, length: 5 });
      } catch (error) {
        failure = error;
      }
    });
    const text = await bench.transcript(server, [GET]);
    expect(failure).toMatchObject({ code: "ERR_TW_FILE_READ", cause: { code: "EBADF" } });
    expect(body(text)).toBe("");
  });

  it("a client that goes away in the middle lets the handler close its file: no descriptor is left", async () => {
    const large = join(folder, "large");
    writeFileSync(large, "");
    truncateSync(large, 64 * MIB);
    let settled = 0;
    const server = await bench.serve(async ({ connection }) => {
      const file = await open(large);
      try {
        connection.writeHeaders(OK, headers(64 * MIB));
        await connection.writeFile?.({ fd: file.fd, offset: 0, length: 64 * MIB });
        connection.finish();
      } finally {
        await file.close();
        settled++;
      }
    });
    const before = descriptors();
    for (let i = 0; i < 10; i++) {
      const client = await bench.connect(server);
      await client.send(GET);
      await client.until((text) => text.length > 0);
      client.stream.pause();
      client.stream.abort();
      await client.untilClosed();
    }
    for (let i = 0; i < 5000 && (settled < 10 || descriptors() > before); i++)
      await new Promise((resolve) => setTimeout(resolve, 2));
    expect(settled).toBe(10);
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  it("a client that reads slowly gets all of it, and close() of the server waits for that", async () => {
    const large = join(folder, "slow");
    writeFileSync(large, Buffer.alloc(3 * MIB, "abcdefg"));
    const own = openSync(large, "r");
    const server = await bench.serve(({ connection }) => {
      connection.writeHeaders(OK, headers(3 * MIB));
      connection.writeFile?.({ fd: own, offset: 0, length: 3 * MIB });
      connection.finish();
    });
    const client = await bench.connect(server);
    await client.send(GET);
    await client.until((text) => text.length > 0);
    client.stream.pause();
    const closing = server.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.stream.resume();
    const text = await client.untilClosed();
    expect(body(text).length).toBe(3 * MIB);
    await closing;
    closeSync(own);
  });
});

it("a client that takes nothing of a file is given up after writeTimeoutMs, as of any answer, in virtual time", async () => {
  const { loop, host } = virtualLoop();
  useNetwork(loop, new MemoryNetwork(loop));
  await host.run(async () => {
    let failure: unknown = "none";
    const server = new HTTPServer(
      {
        startRequest: (connection) => ({
          headersReceived() {},
          dataReceived() {},
          async finish() {
            connection.writeHeaders(OK, headers(content.length));
            await connection.writeFile?.(range(0, content.length));
            connection.finish();
          },
          onConnectionClose(error) {
            failure = error;
          },
        }),
      },
      { logger: nullLogger, writeTimeoutMs: 8000, loop },
    );
    await server.listen(80);
    const client = new RawClient(await new TCPClient({ loop }).connect("x", server.port));
    await client.send(GET);
    await client.until((text) => text.length > 0);
    client.stream.pause();
    const before = host.now();
    while (failure === "none" && host.now() - before < 60_000)
      await new Promise<void>((resolve) => void loop.callLater(500, resolve));
    await server.close();
    expect(failure).toMatchObject({ code: "ERR_TW_WRITE_TIMEOUT" });
  });
});
