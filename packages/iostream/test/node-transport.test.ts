import { once } from "node:events";
import {
  connect as connectHTTP2,
  createServer as createHTTP2Server,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { transportConformance } from "../src/testing.js";
import { MAX_LEASED } from "../src/transports/leases.js";
import { loopReads } from "../src/transports/node/onread.js";
import { PROBE_MS } from "../src/transports/node/probes.js";
import { acceptNodeSocket, connectNodeSocket, type NodeTransport, nodeTransport } from "../src/transports.js";
import { Notes, TestLoop, text } from "./helpers.js";
import { loop, nodePair, settle, until } from "./node-pairs.js";

for (const kind of ["tcp", "unix"] as const) {
  const resets = kind === "tcp";
  transportConformance(
    `node, ${kind}, accepted end`,
    async () => {
      const { connected, accepted } = await nodePair(kind);
      return { a: connected, b: accepted, settle, resets };
    },
    { describe: describe.concurrent, it },
  );
  transportConformance(
    `node, ${kind}, end that somebody else accepted`,
    async () => {
      const { connected, accepted } = await nodePair(kind, nodeTransport);
      return { a: connected, b: accepted, settle, resets };
    },
    { describe: describe.concurrent, it },
  );
  transportConformance(
    `node, ${kind}, connected end`,
    async () => {
      const { connected, accepted } = await nodePair(kind);
      return { a: accepted, b: connected, settle, resets };
    },
    { describe: describe.concurrent, it },
  );
}

describe("nodeTransport()", () => {
  it("sends what is sent on it from within its `_write`, too", async () => {
    const written: string[] = [];
    const stream: IOStream = new IOStream(
      nodeTransport(
        loop,
        new Duplex({
          read() {},
          write(chunk, _encoding, callback) {
            written.push(String(chunk));
            if (written.length === 1) stream.send("more;");
            callback();
          },
        }),
      ),
      { loop },
    );
    await stream.write("first;");
    await stream.write("last;");
    expect([written.join(""), stream.bufferedAmount]).toEqual(["first;more;last;", 0]);
    stream.abort();
    await stream.whenClosed;
  });

  it("lets a stream abort itself from within its `_write`", async () => {
    const logging = new TestLoop();
    const reason = new Error("mine");
    const duplex = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        stream.abort(reason);
        done();
      },
    });
    const stream = new IOStream(nodeTransport(logging, duplex), { loop: logging });
    const written = stream.write("hello");
    await expect(written).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
    await logging.settle();
    await stream.whenClosed;
    expect([stream.error, logging.logged]).toEqual([reason, []]);
  });

  it("knows both addresses, also after the close", async () => {
    const { connected, accepted } = await nodePair("tcp");
    const { info } = accepted;
    expect(info).toMatchObject({ engine: "node", remoteAddress: "127.0.0.1", encrypted: false });
    expect(info.remotePort).toBe(connected.info.localPort);
    const notes = new Notes();
    accepted.start(notes);
    accepted.abort();
    connected.abort();
    await until(() => notes.calls.length > 0);
    expect(accepted.info.remotePort).toBe(connected.info.localPort);
  });

  it("over a plain socket takes a small write at once, and needs no onDrain for it", async () => {
    const { connected, accepted } = await nodePair("tcp");
    const notes = new Notes();
    connected.start(notes);
    accepted.start(new Notes());
    for (let i = 0; i < 5; i++) expect(connected.write(["head", new Uint8Array(100)])).toBe(104);
    await settle();
    expect(notes.calls).toEqual([]);
    connected.abort();
    accepted.abort();
  });

  it("over a socket whose peer does not read tells when there is room, and loses nothing", async () => {
    const { connected, accepted } = await nodePair("tcp");
    const rest = Buffer.alloc(32 * 1024 * 1024, "0123456789");
    const notes = new Notes();
    let taken = 0;
    const offer = (): void => {
      for (let count = -1; count !== 0 && taken < rest.length; taken += count)
        count = connected.write([rest.subarray(taken)]);
    };
    notes.onDrain = offer;
    connected.start(notes);
    offer();
    expect(taken).toBeLessThan(rest.length);
    let received = 0;
    let wrong = 0;
    const reader = new Notes();
    reader.onBytes = (view) => {
      if (!rest.subarray(received, received + view.length).equals(view)) wrong++;
      received += view.length;
    };
    accepted.start(reader);
    await until(() => received === rest.length);
    expect([taken, wrong]).toEqual([rest.length, 0]);
    connected.abort();
    accepted.abort();
  });

  it("refuses streams of objects and of text", () => {
    expect(() => nodeTransport(loop, new PassThrough({ objectMode: true }))).toThrow(TypeError);
    expect(() => nodeTransport(loop, new PassThrough({ encoding: "utf8" }))).toThrow(TypeError);
  });

  it("on a stream that answers inside write() still nests no calls, and loses nothing", async () => {
    const transport = nodeTransport(loop, new PassThrough());
    const notes = new Notes();
    let inside = false;
    let rounds = 0;
    notes.onBytes = (view) => {
      expect(inside).toBe(false);
      inside = true;
      notes.calls.push(text(view));
      if (++rounds < 20) transport.write([`${rounds}`]);
      else transport.end();
      inside = false;
    };
    transport.start(notes);
    inside = true;
    transport.write(["start"]);
    inside = false;
    await until(() => notes.calls.includes("close"));
    expect(notes.calls.join(" ")).toBe(
      `start ${Array.from({ length: 19 }, (_, i) => i + 1).join(" ")} end close`,
    );
  });

  it("on a stream that failed or was destroyed before start() tells so after it", async () => {
    const failed = new PassThrough();
    const transport = nodeTransport(loop, failed);
    failed.destroy(Object.assign(new Error("early"), { code: "EARLY" }));
    await settle();
    const notes = new Notes();
    transport.start(notes);
    expect(notes.calls).toEqual([]);
    await until(() => notes.calls.length > 0);
    expect(notes.calls).toEqual(["close EARLY"]);
    const gone = new PassThrough();
    gone.destroy();
    await settle();
    const late = new Notes();
    nodeTransport(loop, gone).start(late);
    await until(() => late.calls.length > 0);
    expect(late.calls).toEqual(["close ERR_STREAM_PREMATURE_CLOSE"]);
  });

  /** A connection of which our side is paused, with bytes of the peer in the kernel behind those that were delivered. */
  async function pausedPair() {
    const { connected, accepted } = await nodePair("tcp");
    const notes = new Notes();
    notes.onBytes = () => void notes.calls.push("bytes");
    connected.start(notes);
    accepted.start(new Notes());
    accepted.write(["first"]);
    await until(() => notes.calls.length > 0);
    connected.pause();
    accepted.write(["part"]);
    await settle();
    accepted.write(["part"]);
    return { connected, accepted, notes };
  }

  it("tells the end that came before a reset, and closes cleanly for who has nothing to say", async () => {
    const { connected, accepted, notes } = await pausedPair();
    accepted.end();
    accepted.abort();
    connected.write(["nobody takes this, which is answered with a reset"]);
    await settle();
    notes.onEnd = () => {
      notes.calls.push("end");
      connected.end();
    };
    connected.resume();
    await until(() => notes.calls.some((call) => call.startsWith("close")));
    expect(notes.calls.slice(-2)).toEqual(["end", "close"]);
  });

  it("tells the end that came before a reset, and of the broken pipe to who could still have written", async () => {
    const { connected, accepted, notes } = await pausedPair();
    accepted.end();
    accepted.abort();
    connected.write(["nobody takes this, which is answered with a reset"]);
    await settle();
    connected.resume();
    await until(() => notes.calls.some((call) => call.startsWith("close")));
    expect(notes.calls.slice(-2)).toEqual(["end", "close EPIPE"]);
  });

  it("takes no reset for an end while a write waits for room", async () => {
    const { connected, accepted, notes } = await pausedPair();
    accepted.pause();
    connected.resume();
    while (connected.write([new Uint8Array(100_000)]) === 100_000);
    accepted.write(["last"]);
    accepted.abort();
    await until(() => notes.calls.some((call) => call.startsWith("close")));
    expect(notes.calls).not.toContain("end");
    expect(notes.calls.at(-1)).toBe("close ECONNRESET");
  });

  it("takes a connection that HTTP/2 has lost for no end of its streams, at either end of it", async () => {
    for (const reader of ["client", "server"] as const) {
      const server = createHTTP2Server().listen(0, "127.0.0.1");
      await once(server, "listening");
      const session = connectHTTP2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      session.on("error", () => undefined);
      const asked = Promise.all([once(server, "connection"), once(server, "stream")]);
      const request = session.request({ ":method": "POST" });
      request.write("part");
      if (reader === "client") request.end();
      const [[socket], [answer]] = (await asked) as unknown as [[Socket], [ServerHttp2Stream]];
      answer.respond();
      answer.write("part");
      for (const each of [request, answer]) each.on("error", () => undefined);
      const stream = new IOStream(nodeTransport(loop, reader === "client" ? request : answer), { loop });
      expect(text(await stream.readBytes(4))).toBe("part");
      const rest = stream.readUntilClose();
      if (reader === "client") socket.destroy();
      else session.destroy();
      await expect(rest).rejects.toMatchObject({
        code: "ERR_TW_STREAM_CLOSED",
        cause: { code: "ERR_STREAM_PREMATURE_CLOSE" },
      });
      await stream.whenClosed;
      session.destroy();
      server.close();
    }
  });

  it("destroyed by somebody else is not a clean end", async () => {
    const duplex = new PassThrough();
    const notes = new Notes();
    nodeTransport(loop, duplex).start(notes);
    duplex.destroy();
    await until(() => notes.calls.length > 0);
    expect(notes.calls).toEqual(["close ERR_STREAM_PREMATURE_CLOSE"]);
  });

  it("closes streams that do not destroy themselves when both directions have ended", async () => {
    const duplex = new Duplex({
      autoDestroy: false,
      read() {
        this.push("only");
        this.push(null);
      },
      write(_chunk, _encoding, done) {
        done();
      },
    });
    const notes = new Notes();
    const transport = nodeTransport(loop, duplex);
    transport.start(notes);
    transport.end();
    await until(() => notes.calls.includes("close"));
    expect(notes.calls).toEqual(["bytes only", "end", "close"]);
  });

  /** Takes everything at once, and notes how much came. */
  const taking = (write: (total: number, duplex: Duplex) => Error | undefined = () => undefined) => {
    let total = 0;
    return new Duplex({
      read() {},
      write(chunk: Uint8Array, _encoding, done) {
        total += chunk.length;
        done(write(total, this) ?? null);
      },
    });
  };

  it("gives Node 256 KiB in one turn, and as many of them as there are", async () => {
    for (const [length, batches] of [
      [256 * 1024, 1],
      [256 * 1024 + 1, 2],
      [700 * 1024, 3],
    ] as const) {
      const transport = nodeTransport(loop, taking());
      const notes = new Notes();
      transport.start(notes);
      const rest = Buffer.alloc(length);
      let taken = transport.write(["", rest]);
      expect(taken).toBe(Math.min(length, 256 * 1024));
      for (let drains = 1; drains < batches; drains++) {
        expect(transport.write([rest.subarray(taken)])).toBe(0);
        await until(() => notes.calls.length === drains);
        taken += transport.write([rest.subarray(taken)]);
      }
      expect(taken).toBe(length);
      await settle();
      expect(notes.calls).toEqual(Array(batches - 1).fill("drain"));
      transport.abort();
    }
  });

  it("reads what came before it writes more: of a peer that answers within an upload and closes, the answer", async () => {
    const duplex = taking((total, self) => {
      if (total > 256 * 1024) return Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
      setImmediate(() => self.push("answer"));
    });
    const transport = nodeTransport(loop, duplex);
    const rest = Buffer.alloc(1024 * 1024);
    const notes = new Notes();
    let taken = 0;
    notes.onDrain = () => {
      notes.calls.push("drain");
      taken += transport.write([rest.subarray(taken)]);
    };
    transport.start(notes);
    taken = transport.write([rest]);
    await until(() => notes.calls.some((call) => call.startsWith("close")));
    expect(notes.calls).toEqual(["bytes answer", "drain", "close EPIPE"]);
  });

  it("does not count bytes as taken that Node only holds, and skips them when they are offered again", async () => {
    const slow: { chunk: Buffer; done: () => void }[] = [];
    const duplex = new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        slow.push({ chunk, done });
      },
    });
    const notes = new Notes();
    const transport = nodeTransport(loop, duplex);
    transport.start(notes);
    expect(transport.write(["head", new Uint8Array([1, 2])])).toBe(0);
    expect(transport.write(["head", new Uint8Array([1, 2])])).toBe(0);
    slow[0]?.done();
    await settle();
    slow[1]?.done();
    await until(() => notes.calls.includes("drain"));
    expect(slow).toHaveLength(2);
    expect(transport.write(["head", new Uint8Array([1, 2]), "more"])).toBe(6);
    expect(slow.map(({ chunk }) => text(chunk))).toEqual(["head", "\u0001\u0002", "more"]);
    transport.abort();
  });
});

describe("connectNodeSocket()", () => {
  it("rejects with Node's error when nobody listens", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    await expect(connectNodeSocket(loop, { host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
    await expect(connectNodeSocket(loop, { path: "/nonexistent/tw.sock" })).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  it("rejects with the signal's reason, before and while connecting, and ignores it afterwards", async () => {
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    await expect(connectNodeSocket(loop, { host: "127.0.0.1", port: 1, signal })).rejects.toBe(reason);
    const during = new AbortController();
    const pending = connectNodeSocket(loop, { host: "127.0.0.1", port: 1, signal: during.signal });
    during.abort(reason);
    await expect(pending).rejects.toBe(reason);
    const server = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const after = new AbortController();
    const stream = new IOStream(
      await connectNodeSocket(loop, { host: "127.0.0.1", port, signal: after.signal }),
      { loop },
    );
    after.abort(reason);
    await settle();
    expect(stream.closed).toBe(false);
    stream.abort();
    await stream.whenClosed;
    server.close();
  });

  it("keeps views of sockets that share the read buffer apart, under leases too", async () => {
    const pairs = await Promise.all([nodePair("tcp"), nodePair("tcp"), nodePair("tcp")]);
    const held: string[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    pairs.forEach(({ connected, accepted }, i) => {
      const notes = new Notes();
      notes.onBytes = async (view) => {
        await gate;
        held[i] = text(view);
      };
      connected.start(notes);
      accepted.start(new Notes());
      accepted.write([`${i}`.repeat(1000)]);
    });
    for (let i = 0; i < 10; i++) await settle();
    release();
    await until(() => held.filter(Boolean).length === 3);
    expect(held).toEqual([0, 1, 2].map((i) => `${i}`.repeat(1000)));
    for (const { connected, accepted } of pairs) {
      connected.abort();
      accepted.abort();
    }
  });
});

describe("acceptNodeSocket()", () => {
  /** What is received by an accepted socket that was `changed` before, and how many pieces of it Node had to allocate. */
  async function receive(changed: (socket: Socket) => void): Promise<[string, number]> {
    let allocated = 0;
    const { connected, accepted } = await nodePair("tcp", (loop, socket) => {
      changed(socket);
      socket.on("data", () => allocated++);
      socket.pause();
      return acceptNodeSocket(loop, socket);
    });
    const notes = new Notes();
    accepted.start(notes);
    connected.start(new Notes());
    connected.write(["hello"]);
    await until(() => notes.calls.length > 0);
    connected.end();
    await until(() => notes.calls.includes("end"));
    accepted.abort();
    connected.abort();
    return [notes.calls.join(), allocated];
  }

  it("reads into memory of ours", async () => {
    expect(await receive(() => {})).toEqual(["bytes hello,end", 0]);
  });

  it("reads as Node does where that cannot be had: of a handle that has another way, or reads already", async () => {
    const handle = (socket: Socket) => (socket as unknown as { _handle: Record<string, unknown> })._handle;
    const received = ["bytes hello,end", 1];
    expect(await receive((socket) => Object.assign(handle(socket), { useUserBuffer: undefined }))).toEqual(
      received,
    );
    expect(await receive((socket) => socket.read(0))).toEqual(received);
  });

  it("leaves an idle socket no memory of its own, unless its last read filled what it had", async () => {
    const { connected, accepted, socket } = await nodePair("tcp");
    const fields = socket as unknown as Record<symbol, unknown>;
    const buffer = Object.getOwnPropertySymbols(socket).find(({ description }) => description === "kBuffer");
    const { shared } = loopReads(loop);
    let received = 0;
    const notes = new Notes();
    notes.onBytes = (view) => {
      received += view.length;
    };
    accepted.start(notes);
    const stream = new IOStream(connected, { loop });
    for (const size of [10, 40_000, 70_000, 16_384, 1]) {
      received = 0;
      stream.write(new Uint8Array(size));
      await until(() => received === size);
      expect([size, fields[buffer as symbol] === shared]).toEqual([size, size !== 16_384]);
    }
    stream.abort();
    accepted.abort();
  });

  it("detached in the call that started it, leaves what comes before there is a next owner in the stream, in order", async () => {
    for (const held of [false, true]) {
      const { connected, accepted } = await nodePair("tcp");
      connected.start(new Notes());
      const transport = accepted as NodeTransport;
      transport.start(new Notes());
      if (held) transport.pause();
      const duplex = transport.detach();
      duplex.unshift(Buffer.from("came before, "));
      for (const piece of ["and came ", "behind"]) {
        const before = duplex.readableLength;
        connected.write([piece]);
        await until(() => duplex.readableLength === before + piece.length);
      }
      expect(String(duplex.read())).toBe("came before, and came behind");
      duplex.destroy();
      connected.abort();
    }
  });

  it("detached in a call that leases, is not held: the stream is its next owner's", async () => {
    for (const make of [acceptNodeSocket, nodeTransport]) {
      const { connected, accepted } = await nodePair("tcp", make);
      const transport = accepted as NodeTransport;
      const notes = new Notes();
      const next = new Notes();
      notes.onBytes = () => {
        notes.calls.push("leased");
        nodeTransport(loop, transport.detach()).start(next);
        return new Promise<void>(() => {});
      };
      transport.start(notes);
      connected.start(new Notes());
      connected.write(["first"]);
      await until(() => notes.calls.includes("leased"));
      connected.write(["second"]);
      await until(() => next.calls.length > 0);
      expect(next.calls).toEqual(["bytes second"]);
      connected.abort();
      await until(() => next.calls.length > 1);
    }
  });

  it("counts no bytes for a connection that is gone, though the promise that leased them is settled later or never", async () => {
    const { leases } = loopReads(loop);
    // All of the limit is there for others, to the last byte, and no more.
    const expectFree = (): void => {
      const found = [leases.begin(MAX_LEASED), leases.begin(1)];
      leases.end(MAX_LEASED + 1);
      expect(found).toMatchObject([undefined, { code: "ERR_TW_LEASE_LIMIT" }]);
    };
    for (const size of [4, 200_000]) {
      for (const end of ["abort", "detach", "within the call"] as const) {
        const { connected, accepted } = await nodePair("tcp");
        const transport = accepted as NodeTransport;
        const notes = new Notes();
        let left = size - 64;
        let release = (): void => {};
        notes.onBytes = (view) => {
          left -= view.length;
          if (left > 0) return;
          notes.calls.push("leased");
          if (end === "within the call") transport.abort();
          return new Promise<void>((resolve) => {
            release = resolve;
          });
        };
        transport.start(notes);
        const stream = new IOStream(connected, { loop });
        stream.write(new Uint8Array(size));
        await until(() => notes.calls.includes("leased"));
        if (end === "abort") transport.abort();
        if (end === "detach") transport.detach().destroy();
        else await until(() => notes.calls.includes("close"));
        expectFree();
        release();
        await settle();
        expectFree();
        stream.abort();
      }
    }
  });

  it("aborts whoever would lease more than the limit, whose memory ever it is, and reads on for the others", async () => {
    const { leases } = loopReads(loop);
    leases.begin(MAX_LEASED);
    try {
      for (const size of [4, 200_000]) {
        const { connected, accepted } = await nodePair("tcp");
        const notes = new Notes();
        let left = size - 64;
        notes.onBytes = (view) => {
          left -= view.length;
          return left > 0 ? undefined : new Promise<void>(() => {});
        };
        const closed = new Promise<unknown>((resolve) => {
          notes.onClose = resolve;
        });
        accepted.start(notes);
        const stream = new IOStream(connected, { loop });
        stream.write(new Uint8Array(size));
        expect(await closed).toMatchObject({ code: "ERR_TW_LEASE_LIMIT" });
        stream.abort();
      }
    } finally {
      leases.end(MAX_LEASED);
    }
  });

  it("delivers what fills the shared buffer and more, in order, to one that pauses now and then", async () => {
    const { connected, accepted } = await nodePair("tcp");
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 8));
    const got: Uint8Array[] = [];
    let pieces = 0;
    const notes = new Notes();
    notes.onBytes = (view) => {
      got.push(new Uint8Array(view));
      if (++pieces % 5 !== 0) return;
      accepted.pause();
      setTimeout(() => accepted.resume(), 1);
    };
    accepted.start(notes);
    const stream = new IOStream(connected, { loop, maxWriteBufferSize: sent.length });
    await stream.write(sent);
    await stream.end();
    await until(() => notes.calls.includes("end"));
    stream.abort();
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    accepted.abort();
  });
});

describe.each([
  ["nodeTransport", nodeTransport],
  ["acceptNodeSocket", acceptNodeSocket],
])("%s() whose socket nobody reads", (_, make) => {
  it.each(["paused", "half-closed"])("hears of a reset while it is %s, at the next probe", async (how) => {
    const probing = new TestLoop();
    const raw = await socketPair();
    const transport = make(probing, raw.accepted);
    const notes = new Notes();
    transport.start(notes);
    if (how === "paused") {
      // More than Node reads all the same, until its buffer is full.
      transport.pause();
      raw.connected.write(new Uint8Array(16 * 1024 * 1024));
      await settle();
      await settle();
    } else {
      raw.connected.end();
      await until(() => notes.calls.includes("end"));
    }
    raw.connected.resetAndDestroy();
    await settle();
    await settle();
    expect(notes.calls.filter((call) => call.startsWith("close"))).toEqual([]);
    await probing.settle(PROBE_MS);
    await until(() => notes.calls.some((call) => call.startsWith("close")));
    expect(notes.calls.at(-1)).toMatch(/^close (ECONNRESET|EPIPE)$/);
    expect(probing.timers.size).toBe(0);
  });

  it("keeps what a Unix socket has of a peer that is gone, however long it is held", async () => {
    const probing = new TestLoop();
    const pair = await nodePair("unix", (_loop, socket) => make(probing, socket));
    const { connected, accepted: transport } = pair;
    const notes = new Notes();
    transport.pause();
    transport.start(notes);
    connected.start(new Notes());
    connected.write(["last words"]);
    connected.end();
    connected.abort();
    for (let i = 0; i < 3; i++) {
      await settle();
      await probing.settle(PROBE_MS);
    }
    expect(notes.calls).toEqual([]);
    transport.resume();
    await until(() => notes.calls.includes("end"));
    transport.end();
    await until(() => notes.calls.length > 2);
    expect(notes.calls).toEqual(["bytes last words", "end", "close"]);
  });
});

async function socketPair(): Promise<{ connected: Socket; accepted: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepting = once(server, "connection");
  const connected = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = await accepting;
  server.close();
  return { connected, accepted };
}

describe("who is given a socket by detach()", () => {
  for (const kind of ["tcp", "unix"] as const)
    it(`may let all that comes go by: ${kind}`, async () => {
      const { connected, accepted, socket } = await nodePair(kind);
      (accepted as NodeTransport).detach();
      let ended = false;
      socket.on("end", () => {
        ended = true;
      });
      socket.resume();
      const bytes = new Uint8Array(1_000_000);
      let left = bytes.length;
      const write = (): void => {
        while (left > 0) {
          const taken = connected.write([bytes.subarray(-left)]);
          if (taken === 0) return;
          left -= taken;
        }
        connected.end();
      };
      connected.start({ onBytes() {}, onEnd() {}, onDrain: write, onClose() {} });
      write();
      await until(() => ended);
      expect(socket.bytesRead).toBe(bytes.length);
      socket.destroy();
    });
});
