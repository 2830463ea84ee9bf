// Answers with heads that were sent before, which on the native engine leave from memory that all connections of a thread
// share: pipelined, of all kinds, on several connections at once, they are byte for byte what they are without it.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HTTPConnection, HTTPHeaders, type RequestStartLine } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { IOStream } from "@tw/iostream";
import { memoryPair, type NativeEngine, NativeTransport, nativeEngine } from "@tw/iostream/transports";
import { nullLogger } from "@tw/log";
import { nativeAvailable } from "@tw/tooling-testing";
import { dice } from "@tw/tooling-testing/dice";
import { fromLatin1, latin1 } from "@tw/util";
import { afterAll, describe, expect, it, vi } from "vitest";
import { HTTP1ServerConnection, ServerContext } from "../src/index.js";

const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };
const CONNECTIONS = 5;
const REQUESTS = 64;
const SIZES = [1, 20, 127, 128, 129, 500, 5000];

const folder = mkdtempSync(join(tmpdir(), "tw-known-heads-"));
writeFileSync(join(folder, "file"), "a file ".repeat(1000));
const fd = openSync(join(folder, "file"), "r");
const loop = new IOLoop({ logger: nullLogger });
afterAll(() => {
  loop.close();
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** Each writes one answer, of about `size` bytes that tell whose they are. */
const KINDS: ((connection: HTTPConnection, body: string) => unknown)[] = [
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

function startServing(pair: readonly [IOStream, IOStream]): IOStream {
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

function memory(): [IOStream, IOStream] {
  const [near, far] = memoryPair(loop);
  return [new IOStream(near, { loop }), new IOStream(far, { loop })];
}

function native(): [IOStream, IOStream] {
  const engine = nativeEngine(loop) as NativeEngine;
  const [near, far] = engine.poller.socketpair() as [number, number];
  engine.poller.setsockopt(near, "sendBuffer", 4096);
  return [
    new IOStream(new NativeTransport(engine, near, "unix"), { loop }),
    new IOStream(new NativeTransport(engine, far, "unix"), { loop }),
  ];
}

/** Requests of one connection, the last of which closes it. */
function requests(who: number, roll: (below: number) => number): string[] {
  return Array.from({ length: REQUESTS }, (_, i) => {
    const plain = roll(5) > 0; // of one length, so that its head is known
    const size = plain ? 20 : (SIZES[roll(SIZES.length)] as number);
    const path = `/${plain ? 0 : roll(KINDS.length)}/${`${who}.${i}.`.repeat(size).slice(0, size)}`;
    const last = i === REQUESTS - 1 ? "Connection: close\r\n" : "";
    const old = !plain && last === "" && roll(4) === 0;
    const line = `${plain || roll(4) > 0 ? "GET" : "HEAD"} ${path} HTTP/1.${old ? 0 : 1}\r\n`;
    return `${line}Host: a\r\n${old ? "Connection: keep-alive\r\n" : last}\r\n`;
  });
}

/** What each of the connections is answered. */
async function transcripts(make: () => [IOStream, IOStream], seed: number): Promise<string[]> {
  const roll = dice(seed);
  const clients = Array.from({ length: CONNECTIONS }, () => startServing(make()));
  const answers = clients.map((client) => client.readUntilClose());
  const wires = clients.map((_, who) => requests(who, roll).join(""));
  for (let at = 0; wires.some((wire) => at < wire.length); ) {
    const size = 1 + roll(3000);
    for (const [who, client] of clients.entries()) client.send((wires[who] as string).slice(at, at + size));
    at += size;
    if (roll(3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const bytes = await Promise.all(answers);
  return bytes.map((all) => fromLatin1(all).replace(/Date: [^\r]*\r\n/g, ""));
}

describe.skipIf(!nativeAvailable)("answers with known heads", () => {
  it.each([1, 2, 3, 4])("are the same from shared memory as without it, seed %i", async (seed) => {
    const writePage = vi.spyOn((nativeEngine(loop) as NativeEngine).poller, "writePage");
    const expected = await transcripts(memory, seed);
    expect(writePage).not.toHaveBeenCalled();
    const got = await transcripts(native, seed);
    expect(got.map((text) => text.split("\r\n"))).toEqual(expected.map((text) => text.split("\r\n")));
    expect(writePage.mock.calls.length).toBeGreaterThan(10);
    writePage.mockRestore();
    expect((nativeEngine(loop) as NativeEngine).poller.page.owner).toBe(undefined);
  });

  it("are whole when somebody has given the bytes of a head away", async () => {
    const [near, far] = native();
    const sendCopies = vi.spyOn(near, "sendCopies");
    const client = startServing([near, far]);
    const ask = async (): Promise<string> => {
      client.send("GET /0/whole HTTP/1.1\r\nHost: a\r\n\r\n");
      return fromLatin1(await client.readUntil("whole"));
    };
    const head = /^HTTP\/1.1 200 OK\r\n.*\r\n\r\nwhole$/s;
    while (sendCopies.mock.calls.length === 0) expect(await ask()).toMatch(head);
    const [bytes] = sendCopies.mock.calls[0] as [Uint8Array<ArrayBuffer>, string];
    structuredClone(bytes, { transfer: [bytes.buffer] });
    for (let i = 0; i < 3; i++) expect(await ask()).toMatch(head);
    await Promise.all([client.close(), near.whenClosed]);
  });

  it.each([
    ["native", native],
    ["memory", memory],
  ])("come behind the 100 that goes in front of them: %s", async (_, make) => {
    const [near, far] = make();
    const client = startServing([near, far]);
    const ask = async (expect: string): Promise<string> => {
      client.send(`POST /4/early HTTP/1.1\r\nHost: a\r\n${expect}Content-Length: 1\r\n\r\n`);
      const answer = fromLatin1(await client.readUntil("\r\n0\r\n\r\n"));
      client.send("x");
      return answer.replace(/Date: [^\r]*\r\n/, "");
    };
    const whole = await ask("");
    expect(whole).toMatch(/^HTTP\/1.1 200 OK\r\n.*\r\n5\r\nearly\r\n0\r\n\r\n$/s);
    for (let i = 0; i < 4; i++) {
      expect(await ask("Expect: 100-continue\r\n")).toBe(`HTTP/1.1 100 Continue\r\n\r\n${whole}`);
      expect(await ask("")).toBe(whole);
    }
    await Promise.all([client.close(), near.whenClosed]);
  });
});
