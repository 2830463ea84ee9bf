// What comes behind a request while it is answered is read ahead, within a bound, so that whoever answers hears when its
// client goes away: no pipelined request, and no stray byte, hides that.

import type { HTTPServerRequest } from "@tw/httputil";
import { Deferred, latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { answer, codes, onEveryCarrier } from "./harness.js";
import { delegate, inVirtualTime } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
const AHEAD = 4096;

/** Requests of so many bytes together. */
function requests(bytes: number): string {
  return "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n".replace("X: ", (field) => field.padEnd(bytes - 29, "x"));
}

onEveryCarrier((bench) => {
  describe("a client that goes away while its request is answered", () => {
    const tails = {
      nothing: "",
      "a blank line": "\r\n",
      "a request": GET,
      "half a request": GET.slice(0, 20),
      "many requests": GET.repeat(20),
      "as much as is read ahead": requests(AHEAD),
      "something that is no request": "\0",
    };

    it.each(Object.entries(tails))("is noticed behind %s: its end, and its reset", async (_, tail) => {
      for (const how of ["end", "abort"] as const) {
        const asked = new Deferred<void>();
        const gone = new Deferred<void>();
        let told = 0;
        const server = await bench.serve(
          delegate((connection) => ({
            finish: () => asked.resolve(),
            onConnectionClose: () => {
              told++;
              gone.resolve();
              connection.abort();
            },
          })),
        );
        const client = await bench.connect(server);
        await client.send(POST + tail);
        await asked.promise;
        client.stream[how]();
        await gone.promise;
        expect(told).toBe(1);
        await server.close();
      }
    });
  });

  describe("requests in front of a half-close", () => {
    it("are answered all of them, in order, each told of it once, and the last one says that it is the last", async () => {
      const told: string[] = [];
      const answers: (() => void)[] = [];
      const last = new Deferred<void>();
      const server = await bench.serve({
        startRequest: (connection) => {
          let uri = "";
          return {
            headersReceived: (startLine) => {
              uri = "path" in startLine ? startLine.path : "";
            },
            dataReceived() {},
            finish: () => void answers.push(() => answer(connection, uri)),
            onConnectionClose: (error) => {
              told.push(`${uri} ${error}`);
              // User code may answer now, or later.
              if (uri === "/2") answers.pop()?.();
              else if (uri === "/3") last.resolve();
              else server.loop.addCallback(() => answers.pop()?.());
            },
          };
        },
      });
      const client = await bench.connect(server);
      await client.send([1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
      client.stream.end();
      await last.promise;
      answers.pop()?.();
      const text = await client.untilClosed();
      expect(text.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(["/1", "/2", "/3"]);
      expect(text.match(/Connection: close/g)).toHaveLength(1);
      expect(text.lastIndexOf("Connection: close")).toBeGreaterThan(text.indexOf("/2"));
      expect(told).toEqual(["/1 undefined", "/2 undefined", "/3 undefined"]);
      expect(client.closeError).toBeUndefined();
    });

    it.each([
      ["a blank line", "\r\n", [200]],
      ["half a request", GET.slice(0, 20), [200, 400]],
      ["half a body", POST.slice(0, -1), [200, 400]],
      ["a request and half of one", GET + GET.slice(0, 20), [200, 200, 400]],
    ] as const)("and %s are answered, and closed", async (_, tail, expected) => {
      const server = await bench.serve(async (request) => {
        await new Promise((resolve) => server.loop.addCallback(() => resolve(undefined)));
        answer(request.connection, "x");
      });
      const client = await bench.connect(server);
      await client.send(GET + tail);
      client.stream.end();
      expect(codes(await client.untilClosed())).toEqual(expected);
    });
  });
});

describe("reading ahead, in virtual time", () => {
  it("ends above its bound: the rest waits in the kernel, and so does the end of the client", async () => {
    const asked: (() => void)[] = [];
    let told = 0;
    await inVirtualTime(
      delegate((connection) => ({
        finish: () => void asked.push(() => answer(connection, "x")),
        onConnectionClose: () => void told++,
      })),
      async ({ client, pass }) => {
        client.stream.send(POST + requests(AHEAD + 1) + GET.repeat(100_000));
        await pass(10);
        expect(GET.length * 100_000 - client.stream.bufferedAmount).toBeLessThan(400_000);
        client.stream.end();
        await pass(10_000);
        expect([asked.length, told]).toEqual([1, 0]);
      },
    );
  });

  it("byte by byte is linear, and the requests are read when it is their turn", async () => {
    const gate = new Deferred<void>();
    let begun = 0;
    await inVirtualTime(
      async (request: HTTPServerRequest) => {
        begun++;
        await gate.promise;
        answer(request.connection, "x");
      },
      async ({ client, pass }) => {
        await client.send(POST);
        for (const byte of latin1(GET.repeat(20))) await client.send(Uint8Array.of(byte));
        await pass(1000);
        expect(begun).toBe(1);
        gate.resolve();
        expect(codes(await client.until((text) => codes(text).length === 21))).toHaveLength(21);
      },
    );
  });

  it("goes on behind an answer that the client does not take: its end loses no request", async () => {
    await inVirtualTime(
      async (request) => {
        await undefined;
        answer(request.connection, "x".repeat(200_000));
      },
      async ({ client, pass }) => {
        client.isHalfOpen = true;
        client.stream.pause();
        await client.send(GET.repeat(3));
        client.stream.end();
        await pass(10_000);
        client.stream.resume();
        expect(codes(await client.untilClosed())).toEqual([200, 200, 200]);
        expect(client.closeError).toBeUndefined();
      },
    );
  });
});
