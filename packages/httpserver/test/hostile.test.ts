// Peers that mean harm, and handlers that do harm by accident. Virtual time over memory unless a descriptor matters.

import { HTTPHeaders, type HTTPMessageDelegate } from "@tw/httputil";
import { nullLogger } from "@tw/log";
import { TCPClient } from "@tw/tcp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answer, codes, OK, onEveryCarrier, RawClient } from "./harness.js";
import { delegate, inVirtualTime, readSlowly, type World } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
const MIB = 1024 * 1024;

let escaped: unknown[] = [];
const onEscape = (error: unknown) => void escaped.push(error);

beforeEach(() => {
  escaped = [];
  process.on("unhandledRejection", onEscape);
  process.on("uncaughtException", onEscape);
});

afterEach(async () => {
  await new Promise(setImmediate);
  process.off("unhandledRejection", onEscape);
  process.off("uncaughtException", onEscape);
  expect(escaped).toEqual([]);
});

describe("slow readers", () => {
  // RFC 9112 §9.6 (4)
  it("get the whole of an answer behind which the connection closes, as long as they make progress", async () => {
    const body = "x".repeat(MIB);
    await inVirtualTime(
      (request) => answer(request.connection, body),
      async (world) => {
        await world.client.send("GET / HTTP/1.0\r\n\r\n");
        await readSlowly(world, 1000);
        expect(world.host.now()).toBeGreaterThan(10_000);
        expect(world.client.text.endsWith(`\r\n\r\n${body}`)).toBe(true);
      },
    );
  });

  // RFC 9112 §9.3 (3)
  it("get the whole of an answer that was given before their request was read", async () => {
    const body = "x".repeat(MIB);
    const early = delegate((connection) => ({ headersReceived: () => answer(connection, body) }));
    await inVirtualTime(early, async (world) => {
      await world.client.send(POST);
      await readSlowly(world, 1000);
      expect(world.client.text.endsWith(`\r\n\r\n${body}`)).toBe(true);
    });
  });

  it("that stop reading are given up", async () => {
    await inVirtualTime(
      (request) => answer(request.connection, "x".repeat(MIB), new HTTPHeaders({ Connection: "close" })),
      async ({ client, server, pass }) => {
        client.stream.pause();
        await client.send(GET);
        await pass(100_000);
        client.stream.resume();
        await client.untilClosed();
        expect(client.text.length).toBeLessThan(MIB);
        await server.close();
      },
    );
  });

  it("that have half-closed get the whole of a streamed answer, as long as they make progress", async () => {
    await inVirtualTime(
      async ({ connection }) => {
        connection.writeHeaders(OK, new HTTPHeaders());
        for (let i = 0; i < 20; i++) await connection.write(new Uint8Array(70_000));
        connection.finish();
      },
      async (world) => {
        await world.client.send(GET);
        world.client.stream.end();
        await readSlowly(world, 1000);
        expect(world.host.now()).toBeGreaterThan(15_000);
        expect(world.client.text.endsWith("\r\n0\r\n\r\n")).toBe(true);
      },
      { idleTimeoutMs: 5000 },
    );
  });

  it("that are gone get no request of theirs worked on that waited behind an answer", async () => {
    let made = 0;
    await inVirtualTime(
      ({ connection }) => {
        made++;
        answer(connection, "x".repeat(MIB));
      },
      async ({ client, pass }) => {
        client.stream.pause();
        await client.send(GET.repeat(3));
        await pass(1000);
        client.stream.abort();
        await pass(1000);
        expect(made).toBe(1);
      },
    );
  });

  it("cost at most maxWriteBufferSize, also when the handler ignores what write() returns", async () => {
    let written = 0;
    let refused: unknown;
    await inVirtualTime(
      ({ connection }) => {
        connection.writeHeaders(OK, new HTTPHeaders());
        try {
          for (; written < 1000; written++) void connection.write(new Uint8Array(MIB));
        } catch (error) {
          refused = error;
        }
      },
      async ({ client }) => {
        client.stream.pause();
        await client.send(GET);
        expect(await client.untilClosed()).not.toContain("\r\n0\r\n\r\n");
        expect(refused).toMatchObject({ code: "ERR_TW_STREAM_BUFFER_FULL" });
        expect(written).toBe(3);
      },
      { maxWriteBufferSize: 4 * MIB },
    );
  });

  it("get no next answer made before they have taken the last one", async () => {
    for (const asynchronous of [false, true]) {
      let made = 0;
      await inVirtualTime(
        async (request) => {
          if (asynchronous) await undefined;
          made++;
          answer(request.connection, "x".repeat(200_000));
        },
        async ({ client, pass }) => {
          client.stream.pause();
          await client.send(GET.repeat(20));
          for (let i = 0; i < 10; i++) await client.send(GET.repeat(3));
          await pass(10_000);
          expect(made).toBeLessThan(3);
          await client.send("GET / HTTP/1.0\r\n\r\n");
          client.stream.resume();
          const text = await client.untilClosed();
          expect(codes(text).length).toBe(51);
        },
      );
    }
  });
});

describe("pipelining floods", () => {
  it("stay in the kernel while requests are worked on, also where the delegate answers with promises", async () => {
    const never = new Promise<void>(() => {});
    let served = 0;
    const slow = delegate((connection) => ({
      headersReceived: async () => {
        if (served === 50) await never;
      },
      finish: async () => {
        await undefined;
        served++;
        answer(connection, "x");
      },
    }));
    await inVirtualTime(slow, async ({ client, pass }) => {
      client.stream.send(GET.repeat(100_000));
      await pass(10_000);
      expect(served).toBe(50);
      expect(GET.length * 100_000 - client.stream.bufferedAmount).toBeLessThan(400_000);
    });
  });

  it("of thousands in one packet are answered in order: sync and async handlers", async () => {
    for (const asynchronous of [false, true]) {
      await inVirtualTime(
        async (request) => {
          if (asynchronous) await undefined;
          answer(request.connection, `<${request.uri}>`);
        },
        async ({ client }) => {
          const wire = Array.from({ length: 5000 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
          client.stream.send(wire.join(""));
          const text = await client.until((text) => text.endsWith("</4999>"));
          const seen = [...text.matchAll(/<\/(\d+)>/g)].map((match) => Number(match[1]));
          expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i));
        },
      );
    }
  });
});

describe("deadlines", () => {
  it("do not run while it is the delegate that holds back the input", async () => {
    for (const method of ["headersReceived", "dataReceived"] as const) {
      const options = { headTimeoutMs: 4000, bodyTimeoutMs: 4000, idleTimeoutMs: 4000 };
      let pass: World["pass"] = async () => {};
      const slow = delegate((connection) => ({
        [method]: () => pass(60_000),
        finish: () => answer(connection, "done"),
      }));
      await inVirtualTime(
        slow,
        async (world) => {
          pass = world.pass;
          for (let i = 1; i <= 2; i++) {
            await world.client.send(`${POST}0123456789`);
            const text = await world.client.until((text) => codes(text).length === i);
            expect(codes(text)).toEqual(Array(i).fill(200));
          }
        },
        options,
      );
    }
  });

  it("run again when the delegate wants more", async () => {
    let pass: World["pass"] = async () => {};
    await inVirtualTime(
      delegate(() => ({ headersReceived: () => pass(60_000) })),
      async (world) => {
        pass = world.pass;
        await world.client.send(POST);
        expect(codes(await world.client.untilClosed())).toEqual([408]);
        expect(world.host.now()).toBeGreaterThan(64_000);
        expect(world.host.now()).toBeLessThan(80_000);
      },
      { bodyTimeoutMs: 4000 },
    );
  });
});

describe("close()", () => {
  it("settles within its grace while everything is going on", async () => {
    await inVirtualTime(
      async ({ connection, uri }) => {
        if (uri === "/never") return await new Promise<void>(() => {});
        if (uri === "/half") return void connection.writeHeaders(OK, new HTTPHeaders(), "x");
        answer(connection, "x".repeat(300_000));
      },
      async ({ server, host, pass }) => {
        for (const uri of ["/never", "/half", "/", "/"]) {
          const client = new RawClient(await new TCPClient({ loop: server.loop }).connect("x", 80));
          client.stream.pause();
          client.stream.send(`GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(20) + POST);
        }
        await pass(1000);
        await Promise.all([server.close(), server.close()]);
        expect(host.now()).toBeGreaterThan(1000);
        expect(host.now()).toBeLessThan(7000);
      },
    );
  });
});

onEveryCarrier((bench) => {
  it("an awaited write of a message without a body, or of nothing, resolves", async () => {
    const server = await bench.serve(async ({ connection }) => {
      connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "1", Connection: "close" }));
      await connection.write("");
      await connection.write("x");
      connection.finish();
    });
    for (const method of ["HEAD", "GET"]) {
      const text = await bench.transcript(server, [`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`]);
      expect(codes(text)).toEqual([200]);
    }
  });

  it("says 100 Continue once, also when the delegate takes the body with promises", async () => {
    const server = await bench.serve(
      delegate((connection) => ({
        dataReceived: () => new Promise<void>((resolve) => setImmediate(resolve)),
        finish: () => answer(connection, "done"),
      })),
    );
    const client = await bench.connect(server);
    await client.send(POST.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
    await client.until((text) => text.includes("100"));
    for (const byte of "0123456789") {
      await client.send(byte);
      await new Promise(setImmediate);
    }
    expect(codes(await client.until((text) => text.endsWith("done")))).toEqual([100, 200]);
  });

  it("a stream that was upgraded does not outlive a handler that fails", async () => {
    for (const fail of [() => Promise.reject(new Error("no")), () => Promise.resolve()]) {
      const server = await bench.serve((request) => {
        const stream = request.connection.upgrade?.(new HTTPHeaders({ Upgrade: "x", Connection: "Upgrade" }));
        if (fail.length === 0) return fail().then(() => stream?.abort());
      });
      const text = await bench.transcript(server, [
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      ]);
      expect(codes(text).length).toBeLessThanOrEqual(1);
    }
  });

  it("no exception of a delegate escapes, whichever method throws or rejects", async () => {
    const methods = [
      "headersReceived",
      "dataReceived",
      "trailersReceived",
      "finish",
      "onConnectionClose",
    ] as const;
    const bad = [
      () => {
        throw new Error("sync");
      },
      () => Promise.reject(new Error("async")),
    ];
    for (const method of methods) {
      for (const fail of bad) {
        for (const answering of [false, true]) {
          const server = await bench.serve({
            ...delegate((connection) => ({
              headersReceived: () => {
                if (answering) connection.writeHeaders(OK, new HTTPHeaders());
              },
              [method]: fail,
            })),
            onClose: fail,
          });
          const client = await bench.connect(server);
          await client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: v\r\n\r\n",
          );
          if (method === "onConnectionClose") client.stream.abort();
          const text = await client.until((text) => codes(text)[0] === 500);
          if (!answering && method !== "onConnectionClose") expect(codes(text)).toEqual([500]);
          await server.close();
        }
      }
    }
  });

  it("no exception of a logger escapes", async () => {
    const fail = () => {
      throw new Error("the disk is full");
    };
    const logger = { debug: fail, info: fail, warn: fail, error: fail };
    const server = await bench.serve(() => Promise.reject(new Error("async")), { logger });
    const client = await bench.connect(server);
    await client.send(GET);
    await client.until((text) => codes(text)[0] === 500);
    await server.close();
  });

  it("an answer that cannot be queued any more breaks the connection, not the process", async () => {
    const server = await bench.serve(
      async ({ connection, uri }) => {
        await undefined;
        if (uri === "/fail") throw new Error("no");
        answer(connection, "x".repeat(500));
      },
      { maxWriteBufferSize: 50 },
    );
    for (const uri of ["/", "/fail"]) {
      const text = await bench.transcript(server, [`GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`]);
      expect(text).not.toContain("x");
    }
    expect(codes(await bench.transcript(server, ["x\r\n\r\n"])).length).toBeLessThanOrEqual(1);
  });

  it("an upgrade yields what came behind the request, wherever the pieces part", async () => {
    const server = await bench.serve((request) => {
      const stream = request.connection.upgrade?.(new HTTPHeaders({ Upgrade: "x", Connection: "Upgrade" }));
      stream?.attach({
        onBytes: (view) => void stream.send(view.slice()),
        onEnd: () => stream.close(),
        onDrain() {},
        onClose() {},
      });
    });
    const wire =
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nGET /early HTTP/1.1\r\n\r\n";
    for (let at = 0; at < wire.length; at += 3) {
      const text = await bench.transcript(server, [wire.slice(0, at), wire.slice(at)], true);
      expect(codes(text)).toEqual([101]);
      expect(text.endsWith("\r\n\r\nGET /early HTTP/1.1\r\n\r\n")).toBe(true);
    }
  });

  it("abort() inside each method of a delegate ends the connection, and nothing is told afterwards", async () => {
    const methods = ["headersReceived", "dataReceived", "trailersReceived", "finish"] as const;
    for (const method of methods) {
      const told: string[] = [];
      const server = await bench.serve(
        delegate((connection) => {
          const parts: Partial<Record<keyof HTTPMessageDelegate, () => void>> = {};
          for (const name of [...methods, "onConnectionClose"] as const)
            parts[name] = () => {
              told.push(name);
              if (name === method) connection.abort();
            };
          return parts;
        }),
      );
      const wire =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n1\r\ny\r\n0\r\nT: v\r\n\r\n";
      expect(await bench.transcript(server, [wire + GET])).toBe("");
      expect(told.at(-1)).toBe(method);
    }
  });

  it("what a peer sends cannot begin a line of the log, or colour it", async () => {
    const lines: string[] = [];
    const logger = { ...nullLogger, error: (...args: unknown[]) => void lines.push(String(args.at(-1))) };
    const server = await bench.serve(() => Promise.reject(new Error("x")), { logger });
    await bench.transcript(server, [
      "GET /\x9b31m\x85\xa0%0a\"' HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]);
    for (const line of lines) expect(line).toMatch(/^[\x20-\x7e\xa0-\xff]*$/);
  });

  it("S-43 nor can what a refusal of a form repeats, with a logger that escapes nothing", async () => {
    const lines: string[] = [];
    const logger = { ...nullLogger, warn: (...args: unknown[]) => void lines.push(String(args.at(-1))) };
    const server = await bench.serve((request) => answer(request.connection, `${request.arguments}`), {
      logger,
    });
    const form = [
      "--B\r\nContent-Disposition: form\u009b31m\u202e\u2028; name=a\r\n\r\n1\r\n--B--\r\n",
      '--B\r\nContent-Disposition: form-data; nam\u009b2J\u202ee="a"\r\n\r\n1\r\n--B--\r\n',
    ];
    for (const body of form.map((text) => Buffer.from(text))) {
      const head = `Content-Type: multipart/form-data; boundary=B\r\nContent-Length: ${body.length}`;
      const wire = [`POST /?\x9b31m\x85 HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n`, body];
      expect(codes(await bench.transcript(server, wire))).toEqual([400]);
    }
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^Refused [\x20-\x7e]*\\u009b[\x20-\x7e\xa0-\xff]*$/);
  });

  it("close() leaves no connection that was on its way, and no listener that was", async () => {
    const server = await bench.serve((request) => answer(request.connection, "x"));
    const client = await bench.connect(server);
    const relistening = server.listen(0, "127.0.0.1");
    await server.close();
    await relistening;
    expect(server.port).toBe(0);
    await client.send(GET);
    expect(await client.untilClosed()).toBe("");
  });
});
