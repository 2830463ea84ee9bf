import { resolveHTTP1Options } from "@tw/http1";
import {
  HTTPHeaders,
  type HTTPMessageDelegate,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { virtualLoop } from "@tw/ioloop/testing";
import { IOStream } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import { fromLatin1, latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTP1ClientConnection } from "../src/index.js";

class Notes implements HTTPMessageDelegate {
  readonly calls: string[] = [];
  wait: Promise<void> | undefined;

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    this.calls.push(`head ${(startLine as ResponseStartLine).code} ${headers.get("X") ?? ""}`);
  }
  dataReceived(chunk: Uint8Array): void | Promise<void> {
    this.calls.push(`data ${fromLatin1(chunk)}`);
    return this.wait;
  }
  finish(): void {
    this.calls.push("finish");
  }
  onConnectionClose(error?: unknown): void {
    this.calls.push(`closed ${(error as { code?: string } | undefined)?.code ?? ""}`);
  }
  informationReceived(startLine: { code: number }): void {
    this.calls.push(`information ${startLine.code}`);
  }
}

function setUp(chunk?: (bytes: number) => number) {
  const { loop, host } = virtualLoop();
  const [ours, theirs] = memoryPair(loop, chunk === undefined ? {} : { chunk });
  const connection = new HTTP1ClientConnection(new IOStream(ours, { loop }), resolveHTTP1Options());
  const server = new IOStream(theirs, { loop });
  return { host, connection, server };
}

const GET = { method: "GET", path: "/", version: "HTTP/1.1" };
const host = () => new HTTPHeaders({ Host: "a" });

describe("HTTP1ClientConnection", () => {
  it("finish(trailers) sends them behind a body in chunks, and drops them behind a Content-Length", async () => {
    const t = setUp();
    await t.host.run(async () => {
      const post = { method: "POST", path: "/", version: "HTTP/1.1" };
      for (const [fields, body] of [
        [{ "Transfer-Encoding": "chunked" }, "1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n"],
        [{ "Content-Length": "1" }, "x"],
      ] as const) {
        const exchange = t.connection.exchange(new Notes());
        exchange.writeHeaders(post, new HTTPHeaders({ Host: "a", ...fields }), "x");
        exchange.finish(new HTTPHeaders({ "X-Sum": "1" }));
        await t.server.readUntil("\r\n\r\n");
        expect(fromLatin1(await t.server.readBytes(body.length))).toBe(body);
        await t.server.write("HTTP/1.1 204 No Content\r\n\r\n");
        while (!t.connection.available)
          await new Promise<void>((resolve) => t.server.loop.addCallback(resolve));
      }
      expect(t.server.reading).toBe(false);
    });
  });

  for (const [name, chunk] of [
    ["whole", undefined],
    ["byte by byte", () => 1],
  ] as const) {
    it(`exchanges twice on one connection, ${name}`, async () => {
      const t = setUp(chunk);
      await t.host.run(async () => {
        for (const round of [1, 2]) {
          const notes = new Notes();
          const exchange = t.connection.exchange(notes);
          expect(t.connection.available).toBe(false);
          exchange.writeHeaders(
            { ...GET, method: "POST" },
            new HTTPHeaders({ Host: "a", "Content-Length": "4" }),
            "bo",
          );
          exchange.write("dy");
          exchange.finish();
          const request = fromLatin1(await t.server.readUntil("body"));
          expect(request).toMatch(/^POST \/ HTTP\/1\.1\r\n/);
          t.server.write(
            latin1(`HTTP/1.1 103 x\r\n\r\nHTTP/1.1 200 OK\r\nX: ${round}\r\nContent-Length: 2\r\n\r\nok`),
          );
          while (!t.connection.available)
            await new Promise((resolve) => t.server.loop.addCallback(() => resolve(0)));
          expect(notes.calls.join("|").replace("data o|data k", "data ok")).toBe(
            `information 103|head 200 ${round}|data ok|finish`,
          );
        }
      });
    });
  }

  // RFC 9112 §9.3.2 (2)
  it("refuses a second exchange while one is under way, and any after the connection closed", async () => {
    const t = setUp();
    await t.host.run(async () => {
      const notes = new Notes();
      t.connection.exchange(notes).writeHeaders(GET, host());
      expect(() => t.connection.exchange(new Notes())).toThrow(
        expect.objectContaining({ code: "ERR_TW_CONNECTION_BUSY" }),
      );
      t.server.abort();
      await t.connection.stream.whenClosed;
      expect(notes.calls).toEqual([expect.stringMatching(/^closed/)]);
      expect(() => t.connection.exchange(new Notes())).toThrow();
    });
  });

  it("is of no use after Connection: close, a close-delimited body, or bytes that nobody asked for", async () => {
    for (const [wire, ends] of [
      ["HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false],
      ["HTTP/1.1 200 OK\r\n\r\nok", true],
      ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", false],
    ] as const) {
      const t = setUp();
      await t.host.run(async () => {
        const notes = new Notes();
        const exchange = t.connection.exchange(notes);
        exchange.writeHeaders(GET, host());
        exchange.finish();
        await t.server.readUntil("\r\n\r\n");
        await t.server.write(latin1(wire));
        if (ends) t.server.end();
        else t.server.close();
        await t.connection.stream.whenClosed;
        expect(notes.calls).toEqual(["head 200 ", "data ok", "finish"]);
        expect(t.connection.available).toBe(false);
      });
    }
  });

  it("holds back what follows while a delegate's promise is pending", async () => {
    const t = setUp();
    await t.host.run(async () => {
      let release = () => {};
      const notes = new Notes();
      notes.wait = new Promise((resolve) => {
        release = resolve;
      });
      const exchange = t.connection.exchange(notes);
      exchange.writeHeaders(GET, host());
      exchange.finish();
      await t.server.readUntil("\r\n\r\n");
      await t.server.write(
        latin1("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"),
      );
      await t.host.advance(100);
      expect(notes.calls).toEqual(["head 200 ", "data a"]);
      notes.wait = undefined;
      release();
      await t.host.advance(100);
      expect(notes.calls).toEqual(["head 200 ", "data a", "data b", "finish"]);
    });
  });

  it("gives the stream away after 101, with what came behind it", async () => {
    const t = setUp();
    await t.host.run(async () => {
      let text = "";
      const notes = new Notes();
      const exchange = t.connection.exchange(notes);
      notes.headersReceived = () => {
        exchange.detach().attach({
          onBytes(view) {
            text += fromLatin1(view);
          },
          onEnd() {},
          onDrain() {},
          onClose() {},
        });
      };
      exchange.writeHeaders(GET, new HTTPHeaders({ Host: "a", Upgrade: "x", Connection: "Upgrade" }));
      exchange.finish();
      await t.server.readUntil("\r\n\r\n");
      await t.server.write(latin1("HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nearly "));
      await t.server.write(latin1("late"));
      await t.host.advance(100);
      expect(text).toBe("early late");
    });
  });

  it("tells the delegate once when the response is garbage, and closes", async () => {
    const t = setUp();
    await t.host.run(async () => {
      const notes = new Notes();
      const exchange = t.connection.exchange(notes);
      exchange.writeHeaders(GET, host());
      exchange.finish();
      await t.server.write(latin1("nonsense\r\n\r\n"));
      await t.connection.stream.whenClosed;
      expect(notes.calls).toEqual(["closed ERR_TW_HTTP_INPUT"]);
    });
  });
});
