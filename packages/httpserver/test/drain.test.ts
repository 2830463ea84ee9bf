// Ending a server: who is answered, who is closed, who is told, and when. In virtual time where that is enough.

import { HTTPHeaders, type HTTPServerRequest } from "@tw/httputil";
import { MAX_DELAY_MS } from "@tw/ioloop";
import { bindSockets, TCPClient } from "@tw/tcp";
import { Authority } from "@tw/tooling-testing/certificates";
import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import { HTTPServer, type HTTPServerOptions } from "../src/index.js";
import { answer, codes, OK, onEveryCarrier, RawClient } from "./harness.js";
import { delegate, inVirtualTime, type World } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const CLOSE = /\r\nConnection: close\r\n/g;
const NOTHING = { finished: 0, closed: 0, upgraded: 0, aborted: 0 };

/** What may stand between a connection and its first request. */
const FRONTS: readonly (readonly [name: string, options: HTTPServerOptions])[] = [
  ["PROXY protocol", { proxyProtocol: { trusted: ["loopback"], headerTimeoutMs: 0 } }],
  ["TLS", { tls: { ...new Authority("Tests").issue("localhost"), handshakeTimeoutMs: 0 } }],
];
const LINE = "PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n";

const hello = (request: HTTPServerRequest) => answer(request.connection, request.uri);

/** Another client of the same server. */
async function another({ server }: World): Promise<RawClient> {
  return new RawClient(await new TCPClient({ loop: server.loop }).connect("x", 80));
}

it("any number of connections may listen to `draining`, of a server that listens again too", async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => void warnings.push(warning);
  process.on("warning", warned);
  await using server = new HTTPServer(hello);
  for (const round of ["before a drain", "after it"]) {
    await server.listen(0, "127.0.0.1");
    for (let i = 0; i < 11; i++) server.draining.addEventListener("abort", () => round);
    await server.drain();
  }
  await new Promise<void>((resolve) => server.loop.addCallback(resolve)); // Node tells a turn later
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});

describe("drain(), in virtual time", () => {
  it("closes at once who was silent for long, and tells so", async () => {
    await inVirtualTime(hello, async ({ client, server, host, pass }) => {
      await client.send(GET);
      await pass(10_000);
      expect(await server.drain()).toEqual({ ...NOTHING, closed: 1 });
      expect(host.now()).toBeLessThan(10_100);
      expect(codes(client.text)).toEqual([200]);
    });
  });

  it("answers who has just been answered and asks again, and closes who does not within a second", async () => {
    for (const again of [true, false]) {
      await inVirtualTime(hello, async ({ client, server, host, pass }) => {
        await pass(10_000);
        await client.send(GET);
        await client.until((text) => codes(text).length === 1);
        const before = host.now();
        const draining = server.drain();
        await pass(900);
        expect(client.isClosed).toBe(false);
        if (again) await client.send(GET + GET);
        const text = await client.untilClosed();
        expect(codes(text)).toEqual(again ? [200, 200, 200] : [200]);
        expect(text.match(CLOSE) ?? []).toHaveLength(again ? 1 : 0);
        expect(Math.floor(host.now() - before)).toBe(again ? 900 : 1000);
        expect(await draining).toEqual({ ...NOTHING, [again ? "finished" : "closed"]: 1 });
      });
    }
  });

  it("gives that second also where somebody had looks come more often meanwhile", async () => {
    const hasty = delegate((connection) => ({
      headersReceived: (startLine) => {
        if ("method" in startLine && startLine.method === "POST") connection.setBodyTimeout?.(40);
      },
      finish: () => answer(connection, "late"),
    }));
    await inVirtualTime(hasty, async (world) => {
      const { client, server, pass } = world;
      await pass(965);
      await client.send(GET);
      await client.until((text) => codes(text).length === 1);
      await pass(65);
      const other = await another(world);
      await other.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
      await other.until((text) => codes(text).length === 1);
      await pass(50);
      const draining = server.drain();
      await pass(40);
      await client.send(GET);
      expect(codes(await client.untilClosed())).toEqual([200, 200]);
      other.stream.abort();
      await draining;
    });
  });

  it("answers who has connected and not asked yet, however long ago that was, and closes who does not ask", async () => {
    for (const asks of [true, false]) {
      await inVirtualTime(hello, async ({ client, server, pass }) => {
        await pass(30_000);
        const draining = server.drain();
        await pass(900);
        expect(client.isClosed).toBe(false);
        if (asks) await client.send(GET);
        const text = await client.untilClosed();
        expect(codes(text)).toEqual(asks ? [200] : []);
        if (asks) expect(text).toMatch(CLOSE);
        expect(await draining).toEqual({ ...NOTHING, [asks ? "finished" : "closed"]: 1 });
      });
    }
  });

  it("waits for the rest of a head, and of a body", async () => {
    for (const [first, rest] of [
      [GET.slice(0, 20), GET.slice(20)],
      ["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab", "cd"],
    ] as const) {
      await inVirtualTime(hello, async ({ client, server, pass }) => {
        await client.send(first);
        await pass(10);
        const draining = server.drain();
        await pass(10_000);
        expect(client.isClosed).toBe(false);
        await client.send(rest);
        const text = await client.untilClosed();
        expect(codes(text)).toEqual([200]);
        expect(text).toMatch(CLOSE);
        expect(await draining).toEqual({ ...NOTHING, finished: 1 });
      });
    }
  });

  it("answers what was pipelined also where a request without a body is answered with its head", async () => {
    const gate = new Deferred();
    let asked = 0;
    const target = delegate((connection) => ({
      async headersReceived() {
        if (asked++ === 0) await gate.promise;
        answer(connection, "x");
      },
    }));
    await inVirtualTime(target, async ({ client, server, pass }) => {
      await client.send(GET.repeat(3));
      await pass(10);
      const draining = server.drain();
      gate.resolve();
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([200, 200, 200]);
      expect(text.match(CLOSE)).toHaveLength(1);
      await draining;
    });
  });

  it("lets answers finish, and answers what was pipelined behind a head that promised to go on", async () => {
    const gate = new Deferred();
    const streaming = async ({ connection, uri }: HTTPServerRequest) => {
      if (uri !== "/stream") return answer(connection, uri);
      connection.writeHeaders(OK, new HTTPHeaders(), "first");
      await gate.promise;
      connection.write("last");
      connection.finish();
    };
    await inVirtualTime(streaming, async ({ client, server, pass }) => {
      await client.send(`GET /stream HTTP/1.1\r\nHost: a\r\n\r\n${GET}${GET}`);
      await client.until((text) => text.includes("first"));
      const draining = server.drain();
      await pass(5000);
      gate.resolve();
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([200, 200, 200]);
      expect(text).toContain("0\r\n\r\nHTTP/1.1 200");
      expect(text.match(CLOSE)).toHaveLength(1);
      expect(await draining).toEqual({ ...NOTHING, finished: 1 });
    });
  });

  it("aborts at the deadline what is left, counts it, and resolves then", async () => {
    const never = () => new Promise<void>(() => {});
    await inVirtualTime(never, async (world) => {
      const { client, server, host, pass } = world;
      const busy = await another(world);
      await busy.send(GET);
      await pass(10);
      const before = host.now();
      const draining = server.drain({ timeoutMs: 7000 });
      expect(await draining).toEqual({ ...NOTHING, closed: 1, aborted: 1 });
      expect(host.now() - before).toBeGreaterThanOrEqual(7000);
      expect(host.now() - before).toBeLessThan(7100);
      expect([client.isClosed, busy.isClosed]).toEqual([true, true]);
      expect(busy.text).toBe("");
    });
  });

  it("gives half of a short time to whoever was answered just before, closes it then, and counts it so", async () => {
    for (const timeoutMs of [0, 100, 500, 1000, 1500]) {
      await inVirtualTime(hello, async (world) => {
        const { client, server, host, pass } = world;
        const fresh = await another(world);
        await client.send(GET);
        await pass(200);
        const before = host.now();
        const draining = server.drain({ timeoutMs });
        await client.untilClosed();
        expect(Math.floor(host.now() - before)).toBe(timeoutMs / 2);
        expect(await draining).toEqual({ ...NOTHING, closed: 2 });
        expect([client.closeError, fresh.closeError]).toEqual([undefined, undefined]);
      });
    }
  });

  it("closes at the deadline who asks for nothing by then, and aborts the others only", async () => {
    const gate = new Deferred();
    const slow = async ({ connection, uri }: HTTPServerRequest) => {
      connection.writeHeaders(OK, new HTTPHeaders(), "first");
      await (uri === "/" ? gate.promise : new Promise(() => {}));
      connection.finish();
    };
    await inVirtualTime(slow, async (world) => {
      const { client, server, host, pass } = world;
      const busy = await another(world);
      await busy.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.send(GET);
      client.isHalfOpen = true; // it does not end its side
      await pass(10);
      const before = host.now();
      const draining = server.drain({ timeoutMs: 7000 });
      await pass(6900);
      gate.resolve();
      expect(await draining).toEqual({ ...NOTHING, closed: 1, aborted: 1 });
      expect(Math.floor(host.now() - before)).toBe(7000);
      await busy.untilClosed();
      expect([client.closeError, busy.closeError]).toMatchObject([undefined, { code: "ECONNRESET" }]);
    });
  });

  it("answers what was pipelined, up to 100 more, and says with the last answer that it was the last", async () => {
    for (const [pipelined, answered] of [
      [2, 2],
      [100, 100],
      [101, 100],
      [300, 100],
    ] as const) {
      const gate = new Deferred();
      const slow = async (request: HTTPServerRequest) => {
        await gate.promise;
        hello(request);
      };
      await inVirtualTime(slow, async ({ client, server, pass }) => {
        await client.send(GET);
        await pass(10);
        await client.send(GET.repeat(pipelined));
        await pass(10);
        const draining = server.drain();
        gate.resolve();
        const text = await client.untilClosed();
        expect(codes(text)).toHaveLength(1 + answered);
        expect(text.match(CLOSE)).toHaveLength(1);
        expect(text.lastIndexOf("HTTP/1.1")).toBeLessThan(text.search(CLOSE));
        expect(await draining).toEqual({ ...NOTHING, finished: 1 });
      });
    }
  });

  it("a line break behind a body is no request", async () => {
    const gate = new Deferred();
    const slow = async (request: HTTPServerRequest) => {
      await gate.promise;
      hello(request);
    };
    await inVirtualTime(slow, async ({ client, server, pass }) => {
      await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n");
      await pass(10);
      const draining = server.drain();
      gate.resolve();
      expect(await client.untilClosed()).toMatch(CLOSE);
      expect(await draining).toEqual({ ...NOTHING, finished: 1 });
    });
  });

  it("gives 25 s where nobody says otherwise, and drainTimeoutMs where the server was made with it", async () => {
    for (const [options, expected] of [
      [{}, 25_000],
      [{ drainTimeoutMs: 3000 }, 3000],
    ] as const) {
      const test = async ({ client, server, host }: World) => {
        await client.send(GET);
        const before = host.now();
        expect(await server.drain()).toEqual({ ...NOTHING, aborted: 1 });
        expect(host.now() - before).toBe(expected);
      };
      await inVirtualTime(() => new Promise<void>(() => {}), test, options);
    }
  });

  it("called again is the same drain, which may have less time then, but not more", async () => {
    await inVirtualTime(
      () => new Promise<void>(() => {}),
      async ({ client, server, host, pass }) => {
        await client.send(GET);
        await pass(10);
        const before = host.now();
        const first = server.drain({ timeoutMs: 20_000 });
        await pass(1000);
        const second = server.drain({ timeoutMs: 4000 });
        const third = server.drain({ timeoutMs: 60_000 });
        expect(await Promise.all([first, second, third])).toEqual(Array(3).fill({ ...NOTHING, aborted: 1 }));
        expect(host.now() - before).toBe(5000);
        expect(await server.drain()).toEqual(NOTHING);
        expect(host.now() - before).toBe(5000);
      },
    );
  });

  it("ends event streams that listen to draining, and leaves no timer behind", async () => {
    const events = delegate((connection) => ({
      finish: () => {
        connection.writeHeaders(OK, new HTTPHeaders(), "event");
        connection.context.draining?.addEventListener("abort", () => connection.finish());
      },
    }));
    await inVirtualTime(events, async ({ client, server, host, pass }) => {
      await client.send(GET);
      await client.until((text) => text.includes("event"));
      const before = host.now();
      expect(server.draining.aborted).toBe(false);
      const draining = server.drain();
      expect(server.draining.aborted).toBe(true);
      await client.until((text) => text.endsWith("0\r\n\r\n"));
      expect(host.now() - before).toBeLessThan(100);
      // Its head had promised to go on: it may ask once more.
      expect(await draining).toEqual({ ...NOTHING, closed: 1 });
      expect(host.now() - before).toBeLessThan(3100);
      await pass(1);
      expect(host.pending).toBe(0);
    });
  });

  it("a server may listen again afterwards, and its new connections are kept", async () => {
    await inVirtualTime(hello, async (world) => {
      const { client, server, pass } = world;
      await server.drain();
      expect(client.isClosed).toBe(true);
      await server.listen(80);
      expect(server.draining.aborted).toBe(false);
      const next = await another(world);
      for (let i = 1; i <= 2; i++) {
        await next.send(GET);
        await next.until((text) => codes(text).length === i);
        await pass(5000);
      }
      expect(next.isClosed).toBe(false);
      expect(next.text).not.toMatch(CLOSE);
      next.stream.abort();
    });
  });

  it("refuses a time that is none, at once", async () => {
    await inVirtualTime(hello, async ({ server }) => {
      for (const timeoutMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, MAX_DELAY_MS + 1])
        expect(() => server.drain({ timeoutMs })).toThrow(RangeError);
      expect(() => server.drain(5000 as never)).toThrow("got 5000: give { timeoutMs: 5000 }");
      expect(() => server.drain({ timeoutMs: "5" } as object)).toThrow(TypeError);
      expect(server.draining.aborted).toBe(false);
    });
  });

  it("SIGTERM drains, and IOLoop.start() ends when that is over", async () => {
    const gate = new Deferred();
    const slow = async (request: HTTPServerRequest) => {
      await gate.promise;
      hello(request);
    };
    await inVirtualTime(slow, async ({ client, server, host, pass }) => {
      const running = server.loop.start({ signals: ["SIGTERM"] });
      await client.send(GET);
      await pass(10);
      host.signal("SIGTERM");
      await pass(10_000);
      gate.resolve();
      await running;
      expect(client.text).toMatch(CLOSE);
      expect(codes(client.text)).toEqual([200]);
      expect(host.now()).toBeLessThan(11_000);
    });
  });
});

describe("close(), in virtual time", () => {
  it("answers what was pipelined behind a request that is being answered", async () => {
    const answers: (() => void)[] = [];
    const later = (request: HTTPServerRequest) => void answers.push(() => hello(request));
    await inVirtualTime(later, async ({ client, server, host }) => {
      await client.send(GET.repeat(3));
      while (answers.length === 0) await host.advance(1);
      const closing = server.close();
      for (let i = 0; i < 3; i++) {
        while (answers.length === 0) await host.advance(1);
        answers.pop()?.();
      }
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([200, 200, 200]);
      expect(text.match(CLOSE)).toHaveLength(1);
      await closing;
    });
  });

  it("waits for nobody who has not asked", async () => {
    await inVirtualTime(hello, async (world) => {
      const { client, server, host } = world;
      const fresh = await another(world);
      await client.send(GET);
      await client.until((text) => codes(text).length === 1);
      const before = host.now();
      await server.close();
      expect(host.now() - before).toBeLessThan(100);
      expect([client.isClosed, fresh.isClosed]).toEqual([true, true]);
    });
  });

  it("makes a drain that is under way impatient", async () => {
    await inVirtualTime(hello, async ({ client, server, host }) => {
      const draining = server.drain();
      await server.close();
      expect(await draining).toEqual({ ...NOTHING, closed: 1 });
      expect(host.now()).toBeLessThan(100);
      expect(client.text).toBe("");
    });
  });
});

describe.each(FRONTS)("in front of %s, in virtual time", (_name, options) => {
  it("drain() closes who says nothing within a second, or half of its time", async () => {
    for (const [timeoutMs, expected] of [
      [25_000, 1000],
      [500, 250],
      [0, 0],
    ] as const) {
      const test = async ({ client, server, host, pass }: World) => {
        await pass(10_000);
        const before = host.now();
        expect(await server.drain({ timeoutMs })).toEqual({ ...NOTHING, closed: 1 });
        expect(Math.floor(host.now() - before)).toBe(expected);
        await client.untilClosed();
        expect(client.text).toBe("");
        await pass(1);
        expect(host.pending).toBe(0);
      };
      await inVirtualTime(hello, test, options);
    }
  });

  it("close() waits for nobody there, and makes a drain impatient that does", async () => {
    for (const drains of [true, false]) {
      const test = async (world: World) => {
        const { client, server, host, pass } = world;
        const other = await another(world);
        await pass(10);
        const before = host.now();
        const draining = drains ? server.drain() : undefined;
        await server.close();
        expect(Math.floor(host.now() - before)).toBe(0);
        if (drains) expect(await draining).toEqual({ ...NOTHING, closed: 2 });
        for (const each of [client, other]) await each.untilClosed();
      };
      await inVirtualTime(hello, test, options);
    }
  });

  it("who leaves by itself is closed, before and during a drain", async () => {
    const test = async (world: World) => {
      const { client, server, host, pass } = world;
      const gone = await another(world);
      await pass(10);
      gone.stream.abort();
      await pass(10);
      const before = host.now();
      const draining = server.drain();
      await pass(300);
      client.stream.abort();
      expect(await draining).toEqual({ ...NOTHING, closed: 1 });
      expect(host.now() - before).toBeLessThan(400);
      await pass(1);
      expect(host.pending).toBe(0);
    };
    await inVirtualTime(hello, test, options);
  });

  it("on a closed loop nobody has any time", async () => {
    const test = async ({ server, pass }: World) => {
      await pass(10);
      await server.loop.close();
      expect(await server.drain()).toEqual({ ...NOTHING, closed: 1 });
    };
    await inVirtualTime(hello, test, options);
  });
});

describe("in front of a PROXY header, in virtual time", () => {
  const options = { ...FRONTS[0]?.[1] };

  it("who comes through within the second may ask within another, and is answered or closed", async () => {
    for (const asks of [true, false]) {
      const test = async ({ client, server, host, pass }: World) => {
        await pass(10_000);
        const before = host.now();
        const draining = server.drain();
        await pass(900);
        await client.send(LINE);
        await pass(900);
        expect(client.isClosed).toBe(false);
        if (asks) await client.send(GET);
        const text = await client.untilClosed();
        expect(codes(text)).toEqual(asks ? [200] : []);
        if (asks) expect(text).toMatch(CLOSE);
        expect(Math.floor(host.now() - before)).toBe(asks ? 1800 : 1900);
        expect(await draining).toEqual({ ...NOTHING, [asks ? "finished" : "closed"]: 1 });
      };
      await inVirtualTime(hello, test, options);
    }
  });

  it("those who are refused are closed, and requests and upgraded connections count as ever", async () => {
    const handler = ({ connection, uri }: HTTPServerRequest) => {
      if (uri !== "/up") return;
      void connection.upgrade?.(new HTTPHeaders({ Upgrade: "x" }));
    };
    const test = async (world: World) => {
      const { client, server, pass } = world;
      const [refused, busy, upgraded] = [await another(world), await another(world), await another(world)];
      await busy.send(LINE + GET);
      await upgraded.send(`${LINE}GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`);
      await upgraded.until((text) => codes(text).length === 1);
      const draining = server.drain();
      await pass(100);
      await refused.send(GET);
      expect(await draining).toEqual({ ...NOTHING, closed: 2, aborted: 2 });
      expect(client.closeError).toBeUndefined();
    };
    await inVirtualTime(handler, test, options);
  });
});

onEveryCarrier((bench) => {
  it.each(FRONTS)(
    "%s: drain() and close() end who has not come through, and reset nobody",
    async (_name, options) => {
      for (const end of ["drain", "close"] as const) {
        const server = await bench.serve(hello, options);
        const clients = await Promise.all(Array.from({ length: 20 }, () => bench.connect(server)));
        const draining = server.drain(end === "drain" ? { timeoutMs: 20 } : {});
        if (end === "close") await server.close();
        expect(await draining).toEqual({ ...NOTHING, closed: 20 });
        for (const client of clients) {
          await client.untilClosed();
          expect([client.text, client.closeError]).toEqual(["", undefined]);
        }
      }
    },
  );

  it.each(FRONTS)("%s: drain() ends who comes out of the queue and says nothing", async (_name, options) => {
    const server = await bench.serve(hello, options);
    const { port } = server;
    await server.close();
    const sockets = await bindSockets(port, "127.0.0.1", { loop: server.loop, ...bench.engine });
    const stream = () => new TCPClient({ loop: server.loop, ...bench.engine }).connect("127.0.0.1", port);
    const clients = await Promise.all(Array.from({ length: 100 }, async () => new RawClient(await stream())));
    server.addSockets(sockets);
    expect(await server.drain({ timeoutMs: 20 })).toEqual({ ...NOTHING, closed: 100 });
    for (const client of clients) await client.untilClosed();
  });

  it("drain() answers everybody who is connected, asked or not, with Connection: close, and counts them", async () => {
    const server = await bench.serve(hello);
    const clients = await Promise.all(Array.from({ length: 20 }, () => bench.connect(server)));
    for (const client of clients.slice(0, 10)) await client.send(GET);
    const draining = server.drain();
    for (const client of clients.slice(10)) await client.send(GET);
    for (const client of clients) {
      const text = await client.untilClosed();
      expect(codes(text)).toEqual([200]);
      expect(client.closeError).toBeUndefined();
    }
    expect(await draining).toEqual({ ...NOTHING, finished: 20 });
    await expect(bench.connect(server)).rejects.toThrow();
  });

  it("drain() with a short time resets nobody who asks for nothing", async () => {
    const server = await bench.serve(hello);
    const clients = await Promise.all(Array.from({ length: 20 }, () => bench.connect(server)));
    for (const client of clients.slice(0, 10)) {
      await client.send(GET);
      await client.until((text) => codes(text).length === 1);
    }
    for (const client of clients.slice(0, 5)) client.isHalfOpen = true;
    expect(await server.drain({ timeoutMs: 20 })).toEqual({ ...NOTHING, closed: 20 });
    for (const client of clients.slice(5)) {
      await client.untilClosed();
      expect(client.closeError).toBeUndefined();
    }
  });

  it("drain() serves who waits in the queue of a socket that nobody accepted on yet", async () => {
    const server = await bench.serve(hello);
    const { port } = server;
    await server.close();
    const sockets = await bindSockets(port, "127.0.0.1", { loop: server.loop, ...bench.engine });
    const stream = () => new TCPClient({ loop: server.loop, ...bench.engine }).connect("127.0.0.1", port);
    const clients = await Promise.all(Array.from({ length: 100 }, async () => new RawClient(await stream())));
    for (const client of clients) client.stream.send(GET);
    server.addSockets(sockets);
    const result = await server.drain();
    expect(result).toEqual({ ...NOTHING, finished: 100 });
    for (const client of clients) expect(codes(await client.untilClosed())).toEqual([200]);
  });

  it("overload: connections beyond maxConnections get 503 for what they ask, and room is used again", async () => {
    const server = await bench.serve(hello, { maxConnections: 2, overload: "refuse" });
    const kept = await Promise.all([bench.connect(server), bench.connect(server)]);
    for (const client of kept) {
      await client.send(GET);
      await client.until((text) => codes(text).length === 1);
    }
    const text = await bench.transcript(server, [GET + GET]);
    expect(codes(text)).toEqual([503]);
    expect(text).toMatch(/\r\nRetry-After: \d+\r\n/);
    expect(text).toMatch(CLOSE);
    kept[0]?.stream.abort();
    while (server.connectionCount > 1) await new Promise(setImmediate);
    const last = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    expect(codes(await bench.transcript(server, [last]))).toEqual([200]);
    expect(codes((await kept[1]?.until(() => true)) ?? "")).toEqual([200]);
  });

  it("overload: who sends its request in one packet with a PROXY header gets 503 as well", async () => {
    let served = 0;
    const count = (request: HTTPServerRequest): void => {
      served++;
      hello(request);
    };
    const options = {
      maxConnections: 1,
      overload: "refuse",
      proxyProtocol: { trusted: ["loopback"] },
    } as const;
    const server = await bench.serve(count, options);
    const header = "PROXY TCP4 192.0.2.1 198.51.100.7 5 443\r\n";
    const kept = await bench.connect(server);
    await kept.send(header + GET);
    await kept.until((text) => codes(text).length === 1);
    const text = await bench.transcript(server, [header + GET]);
    expect(codes(text)).toEqual([503]);
    expect(text).toMatch(CLOSE);
    expect(served).toBe(1);
  });

  it("the stop hook is there while there is something to drain, and no longer", async () => {
    const first = await bench.serve(hello);
    const { loop } = first;
    let hooks = 0;
    const onStop = loop.onStop.bind(loop);
    loop.onStop = (hook) => {
      hooks++;
      const takeBack = onStop(hook);
      return () => {
        hooks--;
        takeBack();
      };
    };
    const server = new HTTPServer(hello, { ...bench.engine, loop });
    await expect(server.listen(first.port, "127.0.0.1")).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(hooks).toBe(0);
    expect(() => server.listen(-1, "127.0.0.1")).toThrow(RangeError);
    expect(hooks).toBe(0);
    server.addSockets([]);
    expect(hooks).toBe(0);
    const listening = server.listen(0, "127.0.0.1");
    await expect(server.listen(first.port, "127.0.0.1")).rejects.toThrow();
    expect(hooks).toBe(1);
    await listening;
    await expect(server.listen(first.port, "127.0.0.1")).rejects.toThrow();
    expect(hooks).toBe(1);
    const client = await bench.connect(server);
    await client.send(GET);
    await client.until((text) => codes(text).length === 1);
    await server.stop();
    expect(hooks).toBe(1);
    client.stream.abort();
    while (server.connectionCount > 0) await new Promise(setImmediate);
    await Promise.resolve();
    expect(hooks).toBe(0);
    await server.listen(0, "127.0.0.1");
    expect(hooks).toBe(1);
    await server.close();
    expect(hooks).toBe(0);
  });
});

it("overload is one of two words, and the rest of the options is checked as well", () => {
  expect(() => new HTTPServer(hello, { overload: "panic" } as object)).toThrow(TypeError);
  expect(() => new HTTPServer(hello, { overload: "refuse", maxConnections: 0 })).toThrow(RangeError);
  for (const drainTimeoutMs of [-1, MAX_DELAY_MS + 1])
    expect(() => new HTTPServer(hello, { drainTimeoutMs })).toThrow(RangeError);
});

onEveryCarrier((bench) => {
  it("a deadline that passes while the queue is still accepted binds those who come behind it, too", async () => {
    const server = await bench.serve(() => {});
    const clients = await Promise.all(Array.from({ length: 100 }, () => bench.connect(server)));
    for (const client of clients) client.stream.send(GET);
    const late = Array.from({ length: 100 }, async () => {
      const client = await bench.connect(server).catch(() => undefined);
      client?.stream.send(GET);
    });
    const result = await server.drain({ timeoutMs: 0 });
    await Promise.all(late);
    expect(result.aborted + result.closed).toBeGreaterThanOrEqual(100);
    expect(server.connectionCount).toBe(0);
  });

  it("a client that resets its connection while it asks for nothing was closed, not answered", async () => {
    const server = await bench.serve(() => {});
    const client = await bench.connect(server);
    while (server.connectionCount === 0) await new Promise((resolve) => setImmediate(resolve));
    const draining = server.drain({ timeoutMs: 60_000 });
    client.stream.abort();
    expect(await draining).toEqual({ ...NOTHING, closed: 1 });
  });

  it("counts once whom it aborts: at once, and where the loop was blocked beyond the deadline", async () => {
    for (const [timeoutMs, blockedMs] of [
      [0, 0],
      [10, 30],
    ] as const) {
      const server = await bench.serve(() => {});
      const client = await bench.connect(server);
      await client.send(GET);
      while (server.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
      const draining = server.drain({ timeoutMs });
      for (const start = performance.now(); performance.now() - start < blockedMs; );
      expect(await draining).toEqual({ ...NOTHING, aborted: 1 });
    }
  });

  it("listen() and addSockets() wait for it", async () => {
    const asked = new Deferred<HTTPServerRequest>();
    const server = await bench.serve((request) => asked.resolve(request));
    const client = await bench.connect(server);
    await client.send(GET);
    const request = await asked.promise;
    const draining = server.drain();
    await expect(server.listen(0, "127.0.0.1")).rejects.toMatchObject({ code: "ERR_TW_DRAINING" });
    expect(() => server.addSockets([])).toThrow(expect.objectContaining({ code: "ERR_TW_DRAINING" }));
    hello(request);
    await draining;
    await server.listen(0, "127.0.0.1");
  });
});

onEveryCarrier((bench) => {
  describe("on a closed loop", () => {
    it("drain() and close() abort who is there, and nobody can connect any more", async () => {
      for (const end of ["drain", "close"] as const) {
        const server = await bench.serve(() => {});
        const client = await bench.connect(server);
        await client.send(GET);
        while (server.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
        const { port, loop } = server;
        await loop.close();
        const result = await server[end]();
        if (end === "drain") expect(result).toEqual({ ...NOTHING, aborted: 1 });
        expect([server.connectionCount, server.port]).toEqual([0, 0]);
        if (bench.carrier === "memory") continue;
        await expect(new TCPClient(bench.engine).connect("127.0.0.1", port)).rejects.toMatchObject({
          code: "ECONNREFUSED",
        });
      }
    });
  });
});
