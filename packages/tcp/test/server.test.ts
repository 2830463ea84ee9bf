// TCPServer: where it listens, how many it lets in, how it stops, and what handlers may do to it.
import { AsyncLocalStorage } from "node:async_hooks";
import { connect as netConnect, type Socket } from "node:net";
import { IOLoop, MAX_DELAY_MS } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { onEveryEngine } from "@tw/tooling-testing";
import { Deferred, type Logger } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import {
  bindSockets,
  type ListeningSocket,
  type StreamHandler,
  TCPClient,
  TCPServer,
  type TCPServerOptions,
  useNetwork,
} from "../src/index.js";
import { hasReusePort } from "../src/node/listener.js";
import { MemoryNetwork } from "../src/testing.js";
import { descriptorsBackTo, openDescriptors, settle, until } from "./helpers.js";

/** Keeps what is logged. */
class Log implements Logger {
  readonly lines: string[] = [];
  readonly debug: Logger["debug"] = this.#keep("debug");
  readonly info: Logger["info"] = this.#keep("info");
  readonly warn: Logger["warn"] = this.#keep("warn");
  readonly error: Logger["error"] = this.#keep("error");

  #keep(level: string): (first: unknown, message?: string) => void {
    return (first, message) => void this.lines.push(`${level} ${message ?? String(first)}`);
  }
}

describe("new TCPServer()", () => {
  it.each([
    { maxConnections: 0 },
    { maxConnections: 1.5 },
    { maxConnections: Number.NaN },
    { backlog: 0 },
    { backlog: 2 ** 31 },
    { maxBufferSize: -1 },
    { maxWriteBufferSize: 0.5 },
  ])("refuses %j with a RangeError", (options) => {
    expect(() => new TCPServer(() => {}, options)).toThrow(RangeError);
  });

  it("refuses a handler that is none, and takes Infinity for no limit", () => {
    expect(() => new TCPServer({} as never)).toThrow(TypeError);
    new TCPServer(() => {}, {
      maxConnections: Number.POSITIVE_INFINITY,
      maxBufferSize: Number.POSITIVE_INFINITY,
    });
  });

  it("refuses a loop and an engine that are none, and what are no options", () => {
    for (const loop of [null, {}, 5] as never[])
      expect(() => new TCPServer(() => {}, { loop })).toThrow(/^loop must be an IOLoop, got /);
    for (const engine of ["nativ", "", null, 1] as never[])
      expect(() => new TCPServer(() => {}, { engine })).toThrow(
        expect.objectContaining({ code: "ERR_TW_ENGINE" }),
      );
    for (const options of [null, 8888, true, []] as never[])
      expect(() => new TCPServer(() => {}, options)).toThrow(/^options must be an object, got /);
    const { loop } = virtualLoop({ logger: nullLogger });
    expect(() => new TCPServer(() => {}, loop as never)).toThrow(
      new TypeError("options must be an object, got an IOLoop: give { loop }"),
    );
  });

  it("refuses in drain() itself what is no option", () => {
    const server = new TCPServer(() => {});
    expect(() => server.drain(5000 as never)).toThrow("got 5000: give { timeoutMs: 5000 }");
    expect(() => server.drain({ timeoutMs: -1 })).toThrow(RangeError);
  });

  it.each(["listen", "bind"] as const)("refuses in %s() itself what is no option", (method) => {
    const server = new TCPServer(() => {});
    for (const options of [null, 128, true] as never[])
      expect(() => server[method](0, "127.0.0.1", options)).toThrow(/^options must be an object, got /);
    for (const port of [-1, 0.5, 65_536]) expect(() => server[method](port)).toThrow(RangeError);
    for (const port of ["80", null] as never[]) expect(() => server[method](port)).toThrow(TypeError);
    expect(() => server[method](0, null as never)).toThrow(TypeError);
    expect(() => server[method](0, "127.0.0.1", { family: 5 as never })).toThrow(RangeError);
    for (const reusePort of [1, 1n, null, "yes"] as never[])
      expect(() => server[method](0, "127.0.0.1", { reusePort })).toThrow(
        /^reusePort must be true or false, got /,
      );
    expect(() => server.listenUnix("/tmp/x", 0o600 as never)).toThrow(/: give { mode: 384 }$/);
    expect(() => server.listenUnix("/tmp/x", { mode: 0o1000 })).toThrow(RangeError);
    expect(server.port).toBe(0);
  });

  it("refuses to listen with options that are none, before anything happens", () => {
    const server = new TCPServer(() => {});
    expect(() => server.listen(80, 4 as never)).toThrow(TypeError);
    expect(() => server.listen(80, "a\0b")).toThrow(TypeError);
    expect(() => server.listen(80, "", { family: 5 as never })).toThrow(RangeError);
    expect(() => server.listen(80, "", { backlog: 0 })).toThrow(RangeError);
    for (const timeoutMs of [-1, MAX_DELAY_MS + 1])
      expect(() => server.drain({ timeoutMs })).toThrow(RangeError);
    expect(server.draining.aborted).toBe(false);
  });
});

describe("hasReusePort()", () => {
  it.each(["22.12.0", "22.23.1", "23.1.0", "24.0.0", "26.10.0"])("says yes to Node %s", (version) => {
    expect(hasReusePort(version)).toBe(true);
  });
  it.each(["20.19.0", "20.99.0", "21.7.0", "22.11.0", "23.0.0"])("says no to Node %s", (version) => {
    expect(hasReusePort(version)).toBe(false);
  });
});

describe("TCPServer.drain() in virtual time", () => {
  function serve(handler: StreamHandler, options: TCPServerOptions = {}, logger: Logger = nullLogger) {
    const { loop, host } = virtualLoop({ logger });
    useNetwork(loop, new MemoryNetwork(loop));
    const server = new TCPServer(handler, { ...options, loop });
    const connect = async () => await new TCPClient({ loop }).connect("here", server.port);
    return { loop, host, server, connect };
  }

  it("returns at once when nothing is open", async () => {
    const { host, server } = serve(() => {});
    await host.run(() => server.listen(80));
    expect(await host.run(() => server.drain())).toEqual({ finished: 0, aborted: 0 });
    expect(host.now()).toBe(0);
  });

  it("waits for connections to end and returns when the last has, before the deadline", async () => {
    const { loop, host, server, connect } = serve((stream) => {
      loop.callLater(1000, () => stream.abort());
    });
    await host.run(() => server.listen(80));
    for (let i = 0; i < 3; i++) await host.run(connect);
    await host.advance(1);
    expect(await host.run(() => server.drain({ timeoutMs: 5000 }))).toEqual({ finished: 3, aborted: 0 });
    expect(host.now()).toBeLessThan(1100);
    expect(server.connectionCount).toBe(0);
  });

  it("is one, however often it is asked for, and ends by the first deadline", async () => {
    const { host, server, connect } = serve(() => {});
    await host.run(() => server.listen(80));
    await host.run(connect);
    const drains = [5000, 50, 500].map((timeoutMs) => server.drain({ timeoutMs }));
    const results = await host.run(() => Promise.all(drains));
    expect(results).toEqual(new Array(3).fill({ finished: 0, aborted: 1 }));
    expect(host.now()).toBeCloseTo(50, 0);
    expect(await host.run(() => server.drain())).toEqual({ finished: 0, aborted: 0 });
  });

  it("lets nobody listen before it has resolved", async () => {
    const { host, server, connect } = serve(() => {});
    await host.run(() => server.listen(80));
    await host.run(connect);
    const draining = server.drain({ timeoutMs: 50 });
    const refused = { code: "ERR_TW_DRAINING" };
    await expect(server.listen(81)).rejects.toMatchObject(refused);
    await expect(server.listenUnix("/nowhere")).rejects.toMatchObject(refused);
    expect(() => server.addSocket({} as ListeningSocket)).toThrow(expect.objectContaining(refused));
    await host.run(() => draining);
    await host.run(() => server.listen(81));
    await host.run(connect);
    await host.advance(1);
    expect(server.connectionCount).toBe(1);
  });

  it("aborts what is left at the deadline, and counts it", async () => {
    let calls = 0;
    const errors: unknown[] = [];
    const { loop, host, server, connect } = serve(async (stream) => {
      if (++calls === 1) loop.callLater(1000, () => stream.abort());
      await stream.readBytes(1).catch((error) => errors.push(error.cause?.code));
    });
    await host.run(() => server.listen(80));
    for (let i = 0; i < 3; i++) await host.run(connect);
    await host.advance(1);
    expect(await host.run(() => server.drain({ timeoutMs: 2000 }))).toEqual({ finished: 1, aborted: 2 });
    expect(host.now()).toBeCloseTo(2001, 0);
    expect(errors.filter((code) => code === "ERR_TW_DRAINING")).toHaveLength(2);
  });

  it.each([
    [5000, 1000],
    [500, 250],
    [0, 0],
  ])("within %i ms aborts after %i who is still arriving, and waits for handlers", async (timeoutMs, ms) => {
    const { loop, host, server, connect } = serve(
      (stream) => void loop.callLater(timeoutMs - 1, () => stream.abort()),
      { proxyProtocol: { trusted: ["loopback"], headerTimeoutMs: 0 } },
    );
    await host.run(() => server.listen(80));
    const [silent, late, gone, served] = [
      await host.run(connect),
      await host.run(connect),
      await host.run(connect),
      await host.run(connect),
    ];
    const over = new Deferred<number>();
    silent?.readBytes(1).catch(() => over.resolve(host.now()));
    await host.advance(1);
    const before = host.now();
    const draining = server.drain({ timeoutMs });
    if (timeoutMs > 0) {
      for (const stream of [served, late]) stream?.write("PROXY UNKNOWN\r\n");
      gone?.abort();
    }
    const result = timeoutMs > 0 ? { finished: 3, aborted: 1 } : { finished: 0, aborted: 4 };
    expect(await host.run(() => draining)).toEqual(result);
    expect((await host.run(() => over.promise)) - before).toBeCloseTo(ms, 0);
    await host.advance(1);
    expect([server.connectionCount, host.pending]).toEqual([0, 0]);
  });

  it("takes five seconds where none are given", async () => {
    const { host, server, connect } = serve(() => {});
    await host.run(() => server.listen(80));
    await host.run(connect);
    await host.advance(1);
    expect(await host.run(() => server.drain())).toEqual({ finished: 0, aborted: 1 });
    expect(host.now()).toBeCloseTo(5001, 0);
  });

  it("any number of handlers may listen to `draining`, of a server that listens again too", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => void warnings.push(warning);
    process.on("warning", warned);
    await using server = new TCPServer();
    for (const round of ["before a drain", "after it"]) {
      await server.listen(0, "127.0.0.1");
      for (let i = 0; i < 11; i++) server.draining.addEventListener("abort", () => round);
      await server.drain();
    }
    await new Promise<void>((resolve) => server.loop.addCallback(resolve)); // Node tells a turn later
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  it("tells handlers by `draining`, and a later listen() begins anew", async () => {
    const { host, server, connect } = serve(async (stream) => {
      const told = new Deferred();
      server.draining.addEventListener("abort", () => told.resolve(), { once: true });
      await told.promise;
      stream.abort();
    });
    await host.run(() => server.listen(80));
    await host.run(connect);
    await host.advance(1);
    expect(server.draining.aborted).toBe(false);
    expect(await host.run(() => server.drain())).toEqual({ finished: 1, aborted: 0 });
    expect(server.draining.aborted).toBe(true);
    await host.run(() => server.listen(80));
    expect(server.draining.aborted).toBe(false);
  });

  it("gives idle handlers a signal for the read they wait in", async () => {
    const { host, server, connect } = serve(async (stream) => {
      await stream.readUntil("\n", { signal: server.draining }).catch(() => {});
      await stream.write("bye");
      await stream.close();
    });
    await host.run(() => server.listen(80));
    const stream = await host.run(connect);
    await host.advance(1);
    const draining = server.drain();
    expect(Buffer.from(await host.run(() => stream.readBytes(3))).toString()).toBe("bye");
    stream.close();
    expect(await host.run(() => draining)).toEqual({ finished: 1, aborted: 0 });
    expect(host.now()).toBeLessThan(5000);
  });

  it("is no news where a handler lets the reason of `draining` through; an error of its own is", async () => {
    const log = new Log();
    const { host, server, connect } = serve(
      async (stream, { port }) => {
        const waiting = stream.readUntil("\n", { signal: server.draining });
        await (port === 49_153 ? waiting.catch(() => Promise.reject(new Error("its own"))) : waiting);
      },
      {},
      log,
    );
    await host.run(() => server.listen(80));
    for (let i = 0; i < 2; i++) await host.run(connect);
    await host.advance(1);
    expect(await host.run(() => server.drain())).toEqual({ finished: 2, aborted: 0 });
    expect(log.lines).toEqual(["debug Drained in handleStream", "error Exception in handleStream"]);
  });

  it("may be waited for by any number of handlers, and Node takes them for no leak", async () => {
    const warnings: string[] = [];
    const heard = ({ name }: Error) => void warnings.push(name);
    process.on("warning", heard);
    const { host, server } = serve(() => {});
    for (const _again of [1, 2]) {
      await host.run(() => server.listen(80));
      for (let i = 0; i < 50; i++) server.draining.addEventListener("abort", () => {});
      await host.run(() => server.drain());
    }
    await new Promise(setImmediate);
    process.off("warning", heard);
    expect(warnings).toEqual([]);
  });

  it("refuses new connections meanwhile", async () => {
    const { host, server, connect } = serve(() => {});
    await host.run(() => server.listen(80));
    await host.run(connect);
    await host.advance(1);
    const { port } = server;
    const draining = server.drain();
    const again = new TCPClient({ loop: server.loop }).connect("here", port);
    await expect(host.run(() => again)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await host.run(() => draining);
  });
});

onEveryEngine((engine) => {
  const servers: TCPServer[] = [];
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) await server.drain({ timeoutMs: 0 });
  });

  function make(
    handler: (stream: IOStream) => void | Promise<void>,
    options: TCPServerOptions = {},
  ): TCPServer {
    const loop = options.loop ?? new IOLoop({ logger: nullLogger });
    const server = new TCPServer(handler, { engine, ...options, loop });
    servers.push(server);
    return server;
  }

  async function dial(port: number, host = "127.0.0.1"): Promise<Socket> {
    const socket = netConnect({ port, host });
    sockets.push(socket);
    socket.on("error", () => {});
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return socket;
  }

  it("listens on every address of a name, with port 0 on the same for all", async () => {
    const server = make((stream) => void stream.close());
    await server.listen(0);
    await dial(server.port, "127.0.0.1");
    await dial(server.port, "::1");
    expect(server.address).toBe("0.0.0.0");
  });

  it("reports IPv4 peers as such when it listens on every address", async () => {
    const seen: string[] = [];
    const server = new TCPServer((_stream, { address }) => void seen.push(address), { engine });
    servers.push(server);
    await server.listen(0);
    await dial(server.port, "127.0.0.1");
    await dial(server.port, "::1");
    await until(() => seen.length === 2);
    expect(seen).toEqual(["127.0.0.1", "::1"]);
  });

  it.each([
    [4, "127.0.0.1", "::1"],
    [6, "::1", "127.0.0.1"],
  ] as const)("listens on one family only when asked to: IPv%i", async (family, yes, no) => {
    const server = make((stream) => void stream.close());
    await server.listen(0, "", { family });
    await dial(server.port, yes);
    await expect(dial(server.port, no)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("binds nothing when one of the addresses is taken", async () => {
    const before = openDescriptors();
    const [taken] = await bindSockets(0, "::1", { engine });
    const { port } = taken as ListeningSocket;
    await expect(bindSockets(port, "", { engine })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await expect(dial(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await taken?.close();
    await descriptorsBackTo(before);
  });

  it("lets maxConnections in, not one more, and the next when one has gone", async () => {
    const open: IOStream[] = [];
    const server = make((stream) => void open.push(stream), { maxConnections: 3 });
    await server.listen(0, "127.0.0.1");
    for (let i = 0; i < 5; i++) await dial(server.port);
    await until(() => open.length === 3);
    for (let i = 0; i < 20; i++) await settle();
    expect([open.length, server.connectionCount]).toEqual([3, 3]);
    open[0]?.abort();
    await until(() => open.length === 4);
    for (let i = 0; i < 20; i++) await settle();
    expect([open.length, server.connectionCount]).toEqual([4, 3]);
    open[1]?.abort();
    open[2]?.abort();
    await until(() => open.length === 5);
    expect(server.connectionCount).toBe(2);
    await dial(server.port);
    await until(() => server.connectionCount === 3);
  });

  it("leaves a socket that was paused from outside alone when connections come and go", async () => {
    const streams: IOStream[] = [];
    const server = make((stream) => void streams.push(stream));
    const [socket] = await bindSockets(0, "127.0.0.1", { engine, loop: server.loop });
    server.addSocket(socket as ListeningSocket);
    await dial(server.port);
    await until(() => streams.length === 1);
    socket?.pause();
    streams[0]?.abort();
    await dial(server.port);
    await until(() => server.connectionCount === 0);
    for (let i = 0; i < 10; i++) await settle();
    expect(streams.length).toBe(1);
    socket?.resume();
    await until(() => streams.length === 2);
  });

  it("serves all of many clients with few at a time", async () => {
    let most = 0;
    const server = make(
      async (stream) => {
        most = Math.max(most, server.connectionCount);
        await stream.write(await stream.readBytes(1));
        await stream.close();
      },
      { maxConnections: 4 },
    );
    await server.listen(0, "127.0.0.1");
    const client = new TCPClient({ engine, loop: server.loop });
    const ask = async () => {
      const stream = await client.connect("127.0.0.1", server.port);
      await stream.write("x");
      const answer = await stream.readBytes(1);
      await stream.close();
      return answer.length;
    };
    const answers = await Promise.all(Array.from({ length: 200 }, ask));
    expect(answers).toEqual(answers.map(() => 1));
    expect(most).toBe(4);
  });

  it("warns of its limit once, however often it is reached", async () => {
    const log = new Log();
    const server = make((stream) => void stream.close(), {
      maxConnections: 1,
      loop: new IOLoop({ logger: log }),
    });
    await server.listen(0, "127.0.0.1");
    for (let i = 0; i < 5; i++) (await dial(server.port)).end();
    await until(() => server.connectionCount === 0);
    expect(log.lines.filter((line) => line.startsWith("warn"))).toEqual([
      "warn 1 connections are open; the next ones have to wait",
    ]);
  });

  it("accept() refuses what is no function, and the socket is nobody's still", async () => {
    const [socket] = await bindSockets(0, "127.0.0.1", { engine });
    for (const none of [undefined, null, 5, {}])
      expect(() => socket?.accept(none as never)).toThrow(/^onConnection must be a function/);
    const server = make((stream) => void stream.close());
    server.addSocket(socket as ListeningSocket);
    await dial(server.port);
  });

  it("bind() holds connections back until start(), which may be called once", async () => {
    let served = 0;
    const server = make((stream) => {
      served++;
      stream.close();
    });
    await server.bind(0, "127.0.0.1");
    expect(server.port).toBeGreaterThan(0);
    await dial(server.port);
    for (let i = 0; i < 10; i++) await settle();
    expect(served).toBe(0);
    server.start();
    await until(() => served === 1);
    expect(() => server.start()).toThrow(expect.objectContaining({ code: "ERR_TW_SERVER_STARTED" }));
  });

  it("addSockets() takes over what was bound elsewhere, and stop() closes it", async () => {
    const server = make((stream) => void stream.close());
    const bound = await bindSockets(0, "localhost", { engine, loop: server.loop });
    server.addSockets(bound);
    const { port } = server;
    await dial(port);
    expect(() => server.addSocket(bound[0] as ListeningSocket)).toThrow(
      expect.objectContaining({ code: "ERR_TW_SOCKET_TAKEN" }),
    );
    await server.stop();
    await expect(dial(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(() => server.addSocket(bound[0] as ListeningSocket)).toThrow(
      expect.objectContaining({ code: "ERR_TW_SOCKET_TAKEN" }),
    );
  });

  it("a listening socket that is closed before anybody accepts leaves nothing open", async () => {
    const before = openDescriptors();
    const [socket] = await bindSockets(0, "127.0.0.1", { engine });
    await dial(socket?.port as number);
    await socket?.close();
    await socket?.close();
    for (const client of sockets.splice(0)) client.destroy();
    await descriptorsBackTo(before);
  });

  it("stop() while listen() is under way holds: nothing listens then", async () => {
    const server = make(() => {});
    const listening = server.listen(0, "127.0.0.1");
    await server.stop();
    await listening;
    expect(server.port).toBe(0);
  });

  it("reusePort lets two servers share a port, where the engine can", async () => {
    const first = make((stream) => void stream.close());
    const second = make((stream) => void stream.close());
    const options = { reusePort: true };
    if (engine === "node" && !hasReusePort(process.versions.node)) {
      await expect(first.listen(0, "127.0.0.1", options)).rejects.toMatchObject({
        code: "ERR_TW_REUSE_PORT",
      });
      return;
    }
    await first.listen(0, "127.0.0.1", options);
    await second.listen(first.port, "127.0.0.1", options);
    expect(second.port).toBe(first.port);
  });

  it("runs handlers in the context of whoever bound the socket, each in one of its own", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const later: (string | undefined)[] = [];
    const server = make(async (stream) => {
      seen.push(storage.getStore());
      storage.enterWith(`connection ${seen.length}`);
      await stream.readBytes(1);
      later.push(storage.getStore());
    });
    await storage.run("listener", () => server.listen(0, "127.0.0.1"));
    for (let i = 0; i < 3; i++) (await dial(server.port)).write("x");
    await until(() => later.length === 3);
    expect(seen).toEqual(["listener", "listener", "listener"]);
    expect(later.sort()).toEqual(["connection 1", "connection 2", "connection 3"]);
  });

  it("logs what a handler throws as an error, and a peer that went away as a detail", async () => {
    const log = new Log();
    const fail = [
      () => {
        throw new Error("sync");
      },
      async () => {
        throw new Error("async");
      },
      async (stream: IOStream) => void (await stream.readUntil("\n")),
    ];
    const server = make((stream) => fail.shift()?.(stream), { loop: new IOLoop({ logger: log }) });
    await server.listen(0, "127.0.0.1");
    for (let i = 0; i < 2; i++) {
      await dial(server.port).catch(() => {}); // the reset may come first
      await until(() => log.lines.length === i + 1);
    }
    (await dial(server.port)).destroy();
    await until(() => log.lines.length === 3);
    expect(log.lines).toEqual([
      "error Exception in handleStream",
      "error Exception in handleStream",
      "debug Connection closed in handleStream",
    ]);
  });

  it("goes on when the logger throws too", async () => {
    const throws = (): never => {
      throw new Error("no logging today");
    };
    const logger: Logger = { debug: throws, info: throws, warn: throws, error: throws };
    let calls = 0;
    const server = make(
      (stream) => {
        if (++calls === 1) throw new Error("provoked");
        stream.close();
      },
      { loop: new IOLoop({ logger }), maxConnections: 1 },
    );
    await server.listen(0, "127.0.0.1");
    for (let i = 0; i < 3; i++) (await dial(server.port).catch(() => undefined))?.end();
    await until(() => calls === 3);
  });

  it("handleStream() of a subclass is called with the stream and its peer's address", async () => {
    const seen = new Deferred<[string, boolean]>();
    class Greeter extends TCPServer {
      override async handleStream(stream: IOStream, address: { address: string; port: number }) {
        seen.resolve([address.address, address.port === stream.info.remotePort && address.port > 0]);
        await stream.close();
      }
    }
    const server = new Greeter(undefined, { engine });
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    await dial(server.port);
    expect(await seen.promise).toEqual(["127.0.0.1", true]);
  });

  it("without a handler says so in the log, and goes on", async () => {
    const log = new Log();
    const server = new TCPServer(undefined, { engine, loop: new IOLoop({ logger: log }) });
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    await dial(server.port).catch(() => {});
    await until(() => log.lines.length === 1);
    expect(log.lines).toEqual(["error Exception in handleStream"]);
  });

  it("TCPClient connects from the address and the port it is told to, again and again", async () => {
    const from: [string, number][] = [];
    const server = new TCPServer(
      async (stream, { address, port }) => {
        from.push([address, port]);
        await stream.close();
      },
      { engine },
    );
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    const client = new TCPClient({ engine });
    const [free] = await bindSockets(0, "127.0.0.2", { engine });
    const sourcePort = free?.port as number;
    await free?.close();
    const stream = await client.connect("127.0.0.1", server.port, { sourceIp: "127.0.0.2", sourcePort });
    stream.abort();
    const again = await client.connect("127.0.0.1", server.port, { sourceIp: "127.0.0.2", sourcePort });
    again.abort();
    const loopback = await client.connect("127.0.0.1", server.port, { sourcePort });
    loopback.abort();
    await until(() => from.length === 3);
    expect(from).toEqual([
      ["127.0.0.2", sourcePort],
      ["127.0.0.2", sourcePort],
      ["127.0.0.1", sourcePort],
    ]);
  });

  it("TCPClient says EADDRNOTAVAIL for an address that is not ours, and leaves nothing open", async () => {
    const before = openDescriptors();
    const client = new TCPClient({ engine });
    await expect(client.connect("127.0.0.1", 9, { sourceIp: "192.0.2.1" })).rejects.toMatchObject({
      code: "EADDRNOTAVAIL",
    });
    await descriptorsBackTo(before);
  });
});

describe("TCPClient", () => {
  it.each([
    [{ sourceIp: "localhost" }, TypeError],
    [{ sourceIp: "" }, TypeError],
    [{ sourceIp: "::1", family: 4 as const }, RangeError],
    [{ sourcePort: 65_536 }, RangeError],
    [{ timeoutMs: -1 }, RangeError],
    [{ timeoutMs: MAX_DELAY_MS + 1 }, RangeError],
    [{ timeoutMs: "1" as never }, TypeError],
    [{ family: 5 as never }, RangeError],
    [{ maxBufferSize: -1 }, RangeError],
  ])("connect() refuses %j, at once", (options, error) => {
    expect(() => new TCPClient().connect("127.0.0.1", 80, options)).toThrow(error);
  });

  it.each(["", "a\0b", 7 as never])("connect() refuses the host %j, at once", (host) => {
    expect(() => new TCPClient().connect(host, 80)).toThrow(TypeError);
  });

  it("refuses options that are none when it is made", () => {
    expect(() => new TCPClient({ maxBufferSize: -1 })).toThrow(RangeError);
    expect(() => new TCPClient({ resolver: {} as never })).toThrow(TypeError);
    expect(() => new TCPClient({ loop: {} as never })).toThrow(/^loop must be an IOLoop, got /);
    expect(() => new TCPClient({ engine: "nativ" as never })).toThrow(
      expect.objectContaining({ code: "ERR_TW_ENGINE" }),
    );
    expect(() => new TCPClient(virtualLoop({ logger: nullLogger }).loop as never)).toThrow(
      new TypeError("options must be an object, got an IOLoop: give { loop }"),
    );
  });
});
