// RFC 9112 §2.2: a blank line in front of a request is ignored. Old clients send one behind each body, and then nothing:
// a connection that was sent no more than that is as idle as any other, and as fresh where nothing came before it.

import type { HTTPServerRequest } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { answer, codes } from "./harness.js";
import { inVirtualTime } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
const NOTHING = { finished: 0, closed: 0, upgraded: 0, aborted: 0 };

const hello = (request: HTTPServerRequest) => answer(request.connection, request.uri);
const later = async (request: HTTPServerRequest) => {
  await undefined;
  hello(request);
};

describe("a blank line behind a request, in virtual time", () => {
  it.each([
    ["with the request, answered at once", hello, [`${POST}\r\n`]],
    ["with the request, answered later", later, [`${POST}\r\n`]],
    ["in a packet of its own", hello, [POST, "\r\n"]],
    ["in two packets", hello, [POST, "\r", "\n"]],
    ["of which only the half has come", hello, [POST, "\r"]],
  ] as const)("leaves the connection idle to drain(): %s", async (_, target, pieces) => {
    await inVirtualTime(target, async ({ client, server, host, pass }) => {
      for (const piece of pieces) {
        await client.send(piece);
        await pass(10);
      }
      expect(codes(client.text)).toEqual([200]);
      await pass(10_000);
      const before = host.now();
      expect(await server.drain({ timeoutMs: 5000 })).toEqual({ ...NOTHING, closed: 1 });
      expect(host.now() - before).toBeLessThan(3100);
      expect(codes(client.text)).toEqual([200]);
      expect(client.closeError).toBeUndefined();
    });
  });

  it("leaves the connection idle to close()", async () => {
    await inVirtualTime(hello, async ({ client, server, host, pass }) => {
      await client.send(`${POST}\r\n`);
      await pass(10);
      const before = host.now();
      await server.close();
      expect(host.now() - before).toBeLessThan(100);
      expect(codes(client.text)).toEqual([200]);
      expect(client.closeError).toBeUndefined();
    });
  });

  it.each([["\r\n"], ["\r", "\n"]])(
    "is no head that began: the end comes without a word: %j",
    async (...pieces) => {
      await inVirtualTime(
        hello,
        async ({ client, host, pass }) => {
          await client.send(POST);
          await pass(10);
          for (const piece of pieces) {
            await client.send(piece);
            await pass(10);
          }
          expect(codes(await client.untilClosed())).toEqual([200]);
          expect(host.now()).toBeLessThan(13_100);
        },
        { idleTimeoutMs: 10_000, headTimeoutMs: 10_000 },
      );
    },
  );

  it("does not put idleTimeoutMs off, however it comes, nor does the half of one", async () => {
    const closedAt: number[] = [];
    for (const pieces of [[], ["\r\n"], ["\r", "\n"], ["\r"], ["\r\n", "\r"]]) {
      await inVirtualTime(
        hello,
        async ({ client, host, pass }) => {
          await client.send(POST);
          const answered = host.now();
          await pass(7000);
          for (const piece of pieces) {
            await client.send(piece);
            await pass(1000);
          }
          expect(codes(await client.untilClosed())).toEqual([200]);
          closedAt.push(host.now() - answered);
        },
        { idleTimeoutMs: 10_000, headTimeoutMs: 6000 },
      );
    }
    expect(new Set(closedAt).size, closedAt.join()).toBe(1);
  });

  it("puts nothing off on its way to a head, which has headTimeoutMs from then on", async () => {
    await inVirtualTime(
      hello,
      async ({ client, host, pass }) => {
        await client.send(POST);
        for (const piece of ["\r", "\n", "GE", "T / HT"]) {
          await pass(2000);
          await client.send(piece);
        }
        expect(codes(await client.untilClosed())).toEqual([200, 408]);
        expect(host.now()).toBeGreaterThanOrEqual(12_000);
        expect(host.now()).toBeLessThan(14_100);
      },
      { idleTimeoutMs: 10_000, headTimeoutMs: 6000 },
    );
  });

  it("is taken once: the request behind it is answered, a second one is 400", async () => {
    await inVirtualTime(hello, async ({ client, pass }) => {
      await client.send(`${POST}\r\n`);
      await pass(5000);
      await client.send(GET);
      await client.until((text) => codes(text).length === 2);
      await client.send("\r\n");
      await pass(5000);
      await client.send("\r\n");
      expect(codes(await client.untilClosed())).toEqual([200, 200, 400]);
    });
  });

  it("and a head that does not end is 408, as ever", async () => {
    await inVirtualTime(
      hello,
      async ({ client, host, pass }) => {
        await client.send(`${POST}\r\n`);
        await pass(5000);
        await client.send("GET");
        expect(codes(await client.untilClosed())).toEqual([200, 408]);
        expect(host.now()).toBeGreaterThanOrEqual(9000);
      },
      { headTimeoutMs: 4000 },
    );
  });
});

describe("a blank line and nothing else, in virtual time", () => {
  it.each([["\r\n"], ["\r", "\n"]])("is closed at headTimeoutMs without a word: %j", async (...pieces) => {
    await inVirtualTime(
      hello,
      async ({ client, host, pass }) => {
        for (const piece of pieces) {
          await pass(1500);
          await client.send(piece);
        }
        expect(await client.untilClosed()).toBe("");
        expect(host.now()).toBeGreaterThanOrEqual(4000);
        expect(host.now()).toBeLessThan(7100);
      },
      { headTimeoutMs: 4000 },
    );
  });

  it("is told by drain() like a connection that has not asked yet, which may ask within a second", async () => {
    for (const asks of [true, false]) {
      await inVirtualTime(hello, async ({ client, server, host, pass }) => {
        await client.send("\r\n");
        await pass(10_000);
        const before = host.now();
        const draining = server.drain({ timeoutMs: 5000 });
        await pass(900);
        expect(client.isClosed).toBe(false);
        if (asks) await client.send(GET);
        expect(codes(await client.untilClosed())).toEqual(asks ? [200] : []);
        expect(await draining).toEqual({ ...NOTHING, [asks ? "finished" : "closed"]: 1 });
        expect(host.now() - before).toBeLessThan(4100);
      });
    }
  });

  it("does not put off the end of a connection that takes leave, however it comes", async () => {
    for (const pieces of [["\r\n"], ["\r", "\n"]]) {
      await inVirtualTime(hello, async ({ client, server, host, pass }) => {
        await client.send(GET);
        await client.until((text) => codes(text).length === 1);
        const before = host.now();
        const draining = server.drain({ timeoutMs: 20_000 });
        for (const piece of pieces) {
          await pass(300);
          await client.send(piece);
        }
        expect(await draining).toEqual({ ...NOTHING, closed: 1 });
        expect(host.now() - before).toBeLessThan(5000);
        expect(codes(client.text)).toEqual([200]);
      });
    }
  });
});
