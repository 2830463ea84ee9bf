import { type HTTPConnection, HTTPHeaders, type HTTPMessageDelegate } from "@tw/httputil";
import { virtualLoop } from "@tw/ioloop/testing";
import { IOStream } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import { nullLogger } from "@tw/log";
import { fromLatin1, latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTP1ServerConnection, ServerContext } from "../src/index.js";

const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };

function setUp(message: (connection: HTTPConnection) => Partial<HTTPMessageDelegate>) {
  const { loop, host } = virtualLoop();
  const closed: string[] = [];
  const context = new ServerContext(
    loop,
    {
      startRequest: (connection) => ({
        headersReceived() {},
        dataReceived() {},
        finish() {},
        onConnectionClose() {},
        ...message(connection),
      }),
      onClose: (peer) => closed.push(peer.protocol),
    },
    { logger: nullLogger },
  );
  const [ours, theirs] = memoryPair(loop);
  const connection = new HTTP1ServerConnection(new IOStream(ours, { loop }), context);
  const client = new IOStream(theirs, { loop });
  connection.start();
  return { host, connection, client, closed, context };
}

describe("HTTP1ServerConnection", () => {
  it("calls the delegate in order: headers, data, finish; and onClose when the connection is gone", async () => {
    const calls: string[] = [];
    const t = setUp((connection) => ({
      headersReceived: (startLine, headers) => {
        calls.push(`head ${(startLine as { path: string }).path} ${headers.get("X")}`);
      },
      dataReceived: (chunk) => void calls.push(`data ${fromLatin1(chunk)}`),
      finish() {
        calls.push("finish");
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "0" }));
        connection.finish();
      },
    }));
    await t.host.run(async () => {
      await t.client.write(latin1("POST /a HTTP/1.1\r\nHost: a\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc"));
      await t.client.readUntil("\r\n\r\n");
      await t.client.close();
      await t.connection.stream.whenClosed;
    });
    expect(calls).toEqual(["head /a 1", "data abc", "finish"]);
    expect(t.closed).toEqual(["http"]);
  });

  it("may be waited for by any number of handlers: Node takes nobody who listens to `draining` for a leak", async () => {
    const warnings: string[] = [];
    const heard = ({ name }: Error) => void warnings.push(name);
    process.on("warning", heard);
    const { context } = setUp(() => ({}));
    for (const _again of [1, 2]) {
      for (let i = 0; i < 50; i++) context.draining.addEventListener("abort", () => {});
      context.drain(new Error("over"));
      context.reopen();
    }
    await new Promise(setImmediate);
    process.off("warning", heard);
    expect(warnings).toEqual([]);
  });

  it("keeps bytes that a delegate's promise holds valid, and gives it no more meanwhile", async () => {
    let release = () => {};
    const seen: Uint8Array[] = [];
    const t = setUp((connection) => ({
      dataReceived: (chunk) => {
        seen.push(chunk);
        if (seen.length > 1) return;
        return new Promise((resolve) => {
          release = resolve;
        });
      },
      finish() {
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "0" }));
        connection.finish();
      },
    }));
    await t.host.run(async () => {
      await t.client.write(latin1("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"));
      await t.host.advance(10);
      t.client.write(latin1("def"));
      await t.host.advance(10);
      expect(seen.map((chunk) => fromLatin1(chunk))).toEqual(["abc"]);
      release();
      expect(fromLatin1(await t.client.readUntil("\r\n\r\n"))).toContain("200 OK");
      expect(seen).toHaveLength(2);
    });
  });

  it("maxBodySize is the request's own, also when its machine serves another connection", async () => {
    const requests: HTTPConnection[] = [];
    const t = setUp((connection) => ({
      headersReceived: () => connection.setMaxBodySize?.(requests.push(connection)),
      finish() {
        if (requests.length > 1) return;
        connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "0" }));
        connection.finish();
        connection.setMaxBodySize?.(7);
      },
    }));
    const { loop } = t.connection.stream;
    const [ours, theirs] = memoryPair(loop);
    new HTTP1ServerConnection(new IOStream(ours, { loop }), t.context).start();
    const client = new IOStream(theirs, { loop });
    await t.host.run(async () => {
      await t.client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await t.client.readUntil("\r\n\r\n");
      await client.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na");
      await t.host.advance(10);
      expect(requests.map((request) => request.maxBodySize)).toEqual([1, 2]);
      client.abort();
    });
  });

  it("refuses a second head, a body before the head, and anything after finish, with a code", async () => {
    const codes: (string | undefined)[] = [];
    const attempt = (call: () => unknown) => {
      try {
        call();
        codes.push(undefined);
      } catch (error) {
        codes.push((error as { code?: string }).code);
      }
    };
    const t = setUp((connection) => ({
      finish() {
        const headers = () => new HTTPHeaders({ "Content-Length": "0" });
        attempt(() => connection.write("early"));
        attempt(() => connection.finish());
        connection.writeHeaders(OK, headers());
        attempt(() => connection.writeHeaders(OK, headers()));
        connection.finish();
        attempt(() => connection.finish());
        attempt(() => connection.write("late"));
        attempt(() => connection.upgrade?.(headers()));
      },
    }));
    await t.host.run(async () => {
      await t.client.write(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      await t.client.readUntil("\r\n\r\n");
    });
    expect(codes).toEqual(Array(6).fill("ERR_TW_HTTP_OUTPUT"));
  });

  it("throws TypeError for what is no head, and still takes one that is", async () => {
    const thrown: unknown[] = [];
    const t = setUp((connection) => ({
      finish() {
        const fields = new HTTPHeaders({ "Content-Length": "0" });
        const wrong = [
          [200, fields],
          [undefined, fields],
          [{ method: "GET", path: "/", version: "HTTP/1.1" }, fields],
          [OK, { "Content-Length": "0" }],
        ] as unknown as [typeof OK, HTTPHeaders][];
        for (const head of wrong) {
          try {
            connection.writeHeaders(...head);
          } catch (error) {
            thrown.push(error);
          }
        }
        connection.writeHeaders(OK, fields);
        connection.finish();
      },
    }));
    const answer = await t.host.run(async () => {
      await t.client.write(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
      return await t.client.readUntil("\r\n\r\n");
    });
    expect(Buffer.from(answer).toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(thrown).toHaveLength(4);
    for (const error of thrown) expect(error).toBeInstanceOf(TypeError);
    expect(String(thrown[0])).toContain("{ version, code, reason }");
    expect(String(thrown[3])).toContain("must be HTTPHeaders");
  });

  it("throws RangeError for timeouts that are none", () => {
    const { loop } = virtualLoop();
    const delegate = { startRequest: () => ({}) as HTTPMessageDelegate };
    for (const idleTimeoutMs of [-1, Number.NaN, 2 ** 31]) {
      expect(() => new ServerContext(loop, delegate, { idleTimeoutMs })).toThrow(RangeError);
    }
  });
});
