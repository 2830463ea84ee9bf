// Answers that nobody made: each says in a line of text what its status means, and nothing of what the peer sent.

import { HTTPInputError, type HTTPServerRequest, responses } from "@tw/httputil";
import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import type { HTTPServerOptions } from "../src/index.js";
import { answer, codes, onEveryCarrier } from "./harness.js";
import { inVirtualTime } from "./world.js";

/** The one answer of a transcript. */
function parse(text: string): { head: string; body: string } {
  expect(codes(text)).toHaveLength(1);
  const at = text.indexOf("\r\n\r\n") + 4;
  return { head: text.slice(0, at), body: text.slice(at) };
}

function expectLine(text: string, status: number, method = "GET"): void {
  const { head, body } = parse(text);
  const line = `${responses[status]}\n`;
  expect(codes(head)).toEqual([status]);
  expect(body).toBe(method === "HEAD" ? "" : line);
  expect(head).toContain(`\r\nContent-Length: ${line.length}\r\n`);
  expect(head).toContain("\r\nContent-Type: text/plain; charset=utf-8\r\n");
}

function handle(request: HTTPServerRequest): void {
  if (request.path === "/throws") throw new Error("secret");
  if (request.path === "/refuses") throw new HTTPInputError("secret", { status: 422 });
  answer(request.connection, "fine");
}

onEveryCarrier((bench) => {
  const last = "Host: a\r\nConnection: close\r\n";
  const cases: [number, string, HTTPServerOptions?][] = [
    [400, "garbage secret\r\n\r\n"],
    [413, `POST / HTTP/1.1\r\n${last}Content-Length: 11\r\n\r\n`],
    [413, `HEAD / HTTP/1.1\r\n${last}Content-Length: 11\r\n\r\n`],
    [414, `GET /${"x".repeat(2000)}`],
    [415, `POST / HTTP/1.1\r\n${last}Content-Encoding: secret\r\nContent-Length: 1\r\n\r\na`],
    [415, `HEAD / HTTP/1.1\r\n${last}Content-Encoding: secret\r\n\r\n`],
    [417, `GET / HTTP/1.1\r\n${last}Expect: secret\r\n\r\n`],
    [417, `HEAD / HTTP/1.1\r\n${last}Expect: secret\r\n\r\n`],
    [422, `GET /refuses HTTP/1.1\r\n${last}\r\n`],
    [431, `GET / HTTP/1.1\r\n${last}X: ${"secret".repeat(400)}\r\n\r\n`],
    [500, `GET /throws HTTP/1.1\r\n${last}\r\n`],
    [500, `HEAD /throws HTTP/1.1\r\n${last}\r\n`],
  ];
  for (const [status, wire] of cases) {
    const method = wire.slice(0, wire.indexOf(" "));
    it(`${status} to ${method} says what it means`, async () => {
      const server = await bench.serve(handle, {
        maxBodySize: 10,
        maxHeadSize: 1000,
        decompressRequest: true,
      });
      const text = await bench.transcript(server, [wire]);
      expectLine(text, status, method);
      expect(text).not.toContain("secret");
    });
  }

  it("503 says what it means, and the connection is of use behind it", async () => {
    const gate = new Deferred();
    const server = await bench.serve(
      async ({ connection }) => {
        await gate.promise;
        answer(connection, "fine");
      },
      { maxInFlight: 1 },
    );
    const busy = await bench.connect(server);
    await busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while (server.inFlight === 0) await new Promise(setImmediate);
    const client = await bench.connect(server);
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expectLine(await client.until((text) => text.endsWith("\n") && text.includes("\r\n\r\nS")), 503);
    gate.resolve();
    await busy.until((text) => text.endsWith("fine"));
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(codes(await client.until((text) => text.endsWith("fine")))).toEqual([503, 200]);
  });
});

describe("408, in virtual time", () => {
  it("says what it means, to half a head as to half a body", async () => {
    for (const wire of ["GET / HT", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na"])
      await inVirtualTime(handle, async ({ client }) => {
        await client.send(wire);
        expectLine(await client.untilClosed(), 408);
      });
  });
});
