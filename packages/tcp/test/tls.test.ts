// TLS: real certificates, and everything that a client must not believe.
import { randomUUID } from "node:crypto";
import { connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { IOLoop, MAX_DELAY_MS } from "@tw/ioloop";
import { type IOStream, SSLIOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { onEveryEngine } from "@tw/tooling-testing";
import { Authority } from "@tw/tooling-testing/certificates";
import type { Logger } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import {
  TCPClient,
  type TCPConnectOptions,
  TCPServer,
  type TCPServerOptions,
  type TLSServerOptions,
  useNetwork,
} from "../src/index.js";
import { MemoryNetwork } from "../src/testing.js";
import { descriptorsBackTo, openDescriptors, settle, until } from "./helpers.js";

const authority = new Authority("Tests");
const stranger = new Authority("Somebody else");
const { cert: ca } = authority;
const here = authority.issue("localhost", { names: ["localhost", "127.0.0.1"] });

describe("new TCPServer() with tls", () => {
  it.each([
    ["no certificate", {}],
    ["a certificate without its key", { cert: here.cert }],
    ["a key that is another's", { cert: here.cert, key: stranger.issue("localhost").key }],
    ["a certificate that is none", { cert: "no", key: here.key }],
    [
      "a certificate that is none for a name",
      { ...here, hosts: { "a.test": { cert: "no", key: here.key } } },
    ],
    ["hosts and SNICallback", { ...here, hosts: {}, SNICallback: () => {} }],
    ["no object", 7 as never],
  ])("refuses %s with a TypeError", (_what, tls: TLSServerOptions) => {
    expect(() => new TCPServer(() => {}, { tls })).toThrow(TypeError);
  });

  it("refuses a handshake time that is none with a RangeError", () => {
    for (const handshakeTimeoutMs of [-1, MAX_DELAY_MS + 1])
      expect(() => new TCPServer(() => {}, { tls: { ...here, handshakeTimeoutMs } })).toThrow(RangeError);
  });

  it("setSecureContext() is for servers that were made with tls", () => {
    expect(() => new TCPServer(() => {}).setSecureContext(here)).toThrow(TypeError);
  });
});

describe("on a network in memory", () => {
  it("TLS is carried, and nothing is left", async () => {
    const loop = new IOLoop({ logger: nullLogger });
    useNetwork(loop, new MemoryNetwork(loop));
    const server = new TCPServer(
      async (stream) => {
        await stream.write(await stream.readUntil("\n", { maxBytes: 100 }));
        await stream.close();
      },
      { loop, tls: here },
    );
    await server.listen(443);
    const stream = await new TCPClient({ loop }).connect("localhost", 443, { tls: { ca } });
    await stream.write("ping\n");
    expect(Buffer.from(await stream.readUntil("\n")).toString()).toBe("ping\n");
    expect(stream.authorized).toBe(true);
    await stream.close();
    expect(await server.drain()).toMatchObject({ aborted: 0 });
  });
});

onEveryEngine((engine) => {
  const servers: TCPServer[] = [];
  const loop = new IOLoop({ logger: nullLogger });
  const client = new TCPClient({ engine, loop });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.drain({ timeoutMs: 0 });
  });

  async function serve(
    tls: TLSServerOptions,
    handler: (stream: IOStream) => void | Promise<void> = echo,
    options: TCPServerOptions = {},
  ): Promise<TCPServer> {
    const server = new TCPServer(handler, { engine, loop, ...options, tls });
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    return server;
  }

  async function echo(stream: IOStream): Promise<void> {
    for (;;) await stream.write(await stream.readUntil("\n", { maxBytes: 1000 }));
  }

  async function connect(server: TCPServer, options: TCPConnectOptions = {}): Promise<SSLIOStream> {
    return await client.connect("127.0.0.1", server.port, {
      ...options,
      tls: { ca, ...(options.tls as object) },
    });
  }

  async function roundTrip(stream: IOStream): Promise<void> {
    await stream.write("ping\n");
    expect(Buffer.from(await stream.readUntil("\n")).toString()).toBe("ping\n");
  }

  it("carries bytes both ways, and says what was agreed on", async () => {
    let theirs: IOStream | undefined;
    const server = await serve({ ...here, ALPNProtocols: ["kv/2", "kv/1"] }, (stream) => {
      theirs = stream;
      return echo(stream);
    });
    const stream = await connect(server, { tls: { ALPNProtocols: ["kv/1"] } });
    await roundTrip(stream);
    expect(stream).toBeInstanceOf(SSLIOStream);
    expect([stream.authorized, stream.alpnProtocol, stream.info.encrypted]).toEqual([true, "kv/1", true]);
    expect(stream.peerCertificate()?.subject).toBe("CN=localhost");
    expect(theirs).toBeInstanceOf(SSLIOStream);
    expect((theirs as SSLIOStream).alpnProtocol).toBe("kv/1");
    stream.abort();
  });

  it("tells the handler where the connection comes from", async () => {
    const seen: [string, number][] = [];
    const server = new TCPServer((_stream, { address, port }) => void seen.push([address, port]), {
      engine,
      loop,
      tls: here,
    });
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    const stream = await connect(server);
    await until(() => seen.length === 1);
    expect(seen).toEqual([["127.0.0.1", stream.info.localPort]]);
    stream.abort();
  });

  it.each([
    ["another host's", authority.issue("other.test"), "wrong-host", "ERR_TLS_CERT_ALTNAME_INVALID"],
    [
      "expired",
      authority.issue("localhost", { names: ["127.0.0.1"], until: 2021 }),
      "expired",
      "CERT_HAS_EXPIRED",
    ],
    [
      "not valid yet",
      authority.issue("localhost", { names: ["127.0.0.1"], from: 2048 }),
      "not-yet-valid",
      "CERT_NOT_YET_VALID",
    ],
    [
      "signed by nobody we know",
      stranger.issue("localhost", { names: ["127.0.0.1"] }),
      "unknown-ca",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
  ])(
    "TCPClient refuses a certificate that is %s, and leaves nothing open",
    async (_what, certificate, reason, code) => {
      const server = await serve(certificate);
      const before = openDescriptors();
      await expect(connect(server)).rejects.toMatchObject({
        code: "ERR_TW_TLS_HANDSHAKE",
        reason,
        cause: { code },
      });
      await until(() => server.connectionCount === 0);
      await descriptorsBackTo(before);
    },
  );

  it("TCPClient verifies by default, whatever the environment says, and not when told so", async () => {
    const server = await serve(here);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const connecting = client.connect("127.0.0.1", server.port, { tls: true });
      await expect(connecting).rejects.toMatchObject({ code: "ERR_TW_TLS_HANDSHAKE", reason: "unknown-ca" });
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
    const stream = await client.connect("127.0.0.1", server.port, { tls: { rejectUnauthorized: false } });
    expect(stream.authorized).toBe(false);
    await roundTrip(stream);
    stream.abort();
  });

  it("TCPClient gives up a handshake when time is over or it is aborted, and leaves nothing open", async () => {
    const silent = new TCPServer(() => {}, { engine, loop });
    servers.push(silent);
    await silent.listen(0, "127.0.0.1");
    const before = openDescriptors();
    await expect(connect(silent, { timeoutMs: 30 })).rejects.toMatchObject({
      code: "ERR_TW_CONNECT_TIMEOUT",
    });
    const abort = new AbortController();
    const reason = new Error("no more");
    const connecting = connect(silent, { signal: abort.signal });
    await until(() => silent.connectionCount > 0);
    abort.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await silent.drain({ timeoutMs: 0 });
    await descriptorsBackTo(before - 1);
  });

  it("a server answers each name with its own certificate", async () => {
    const hosts = {
      "a.test": authority.issue("a.test"),
      "*.b.test": authority.issue("*.b.test"),
    };
    const server = await serve({ ...here, hosts });
    const subject = async (servername: string): Promise<string | undefined> => {
      const stream = await connect(server, { tls: { servername, rejectUnauthorized: false } });
      await roundTrip(stream);
      const found = stream.peerCertificate()?.subject;
      stream.abort();
      return found;
    };
    expect(await subject("a.test")).toBe("CN=a.test");
    expect(await subject("A.TEST")).toBe("CN=a.test");
    expect(await subject("x.b.test")).toBe("CN=*.b.test");
    for (const other of ["b.test", "y.x.b.test", "c.test"]) expect(await subject(other)).toBe("CN=localhost");
  });

  it("a server asks for certificates of clients, and lets in who has one", async () => {
    const seen: (string | undefined)[] = [];
    const server = await serve({ ...here, ca, requestCert: true }, (stream) => {
      seen.push((stream as SSLIOStream).peerCertificate()?.subject);
      return echo(stream);
    });
    const stream = await connect(server, { tls: { ...authority.issue("Somebody") } });
    await roundTrip(stream);
    expect(seen).toEqual(["CN=Somebody"]);
    stream.abort();
    for (const identity of [{}, stranger.issue("Mallory")]) {
      // With TLS 1.3 the client hears of it only when it reads.
      const refused = connect(server, { tls: identity }).then((other) => other.readBytes(1));
      await expect(refused).rejects.toMatchObject({
        code: expect.stringMatching(/ERR_TW_TLS_HANDSHAKE|ERR_TW_STREAM_CLOSED/),
      });
    }
    expect(seen).toHaveLength(1);
    await until(() => server.connectionCount === 0);
  });

  it("setSecureContext() holds from the next connection on, and changes nothing when it throws", async () => {
    const server = await serve(here);
    const first = await connect(server);
    expect(() => server.setSecureContext({ cert: "no", key: "no" })).toThrow(TypeError);
    const next = authority.issue("next", { names: ["127.0.0.1"] });
    const second = await connect(server);
    expect(second.peerCertificate()?.subject).toBe("CN=localhost");
    server.setSecureContext(next);
    const third = await connect(server);
    expect(third.peerCertificate()?.subject).toBe("CN=next");
    for (const stream of [first, second, third]) {
      await roundTrip(stream);
      stream.abort();
    }
  });

  it("drops nothing when certificates are changed under load", { timeout: 60_000 }, async () => {
    const server = await serve(here);
    let reloads = 0;
    let busy = true;
    const reloading = (async () => {
      while (busy) {
        server.setSecureContext(authority.issue(`generation ${++reloads}`, { names: ["127.0.0.1"] }));
        await settle();
      }
    })();
    const subjects = new Set<string | undefined>();
    const one = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        const stream = await connect(server);
        subjects.add(stream.peerCertificate()?.subject);
        for (let round = 0; round < 3; round++) await roundTrip(stream);
        stream.abort();
      }
    };
    await Promise.all(Array.from({ length: 30 }, one));
    busy = false;
    await reloading;
    expect(reloads).toBeGreaterThan(5);
    expect(subjects.size).toBeGreaterThan(3);
    await until(() => server.connectionCount === 0);
  });

  it("contains whatever comes in place of a handshake, and goes on", async () => {
    const lines: string[] = [];
    const keep = (level: string) => (first: unknown, message?: string) =>
      void lines.push(`${level} ${message ?? first}`);
    const logger = {
      debug: keep("debug"),
      info: keep("info"),
      warn: keep("warn"),
      error: keep("error"),
    } as Logger;
    let served = 0;
    const server = await serve(
      { ...here, handshakeTimeoutMs: 1000 },
      (stream) => {
        served++;
        return echo(stream);
      },
      { loop: new IOLoop({ logger }) },
    );
    const speak = async (bytes: string | undefined): Promise<void> => {
      const socket = netConnect(server.port, "127.0.0.1");
      const closed = new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
      if (bytes === undefined) socket.on("connect", () => socket.resetAndDestroy());
      else socket.resume().write(bytes, "latin1");
      await closed;
      await until(() => server.connectionCount === 0);
    };
    await speak("GET / HTTP/1.1\r\n\r\n");
    await speak(`\x16\x03\x01\xff\xff${"\0".repeat(100)}`);
    await speak(undefined);
    await speak("\x16"); // and nothing more, until time is over
    expect(served).toBe(0);
    const told = lines.filter((line) => line.includes("TLS handshake with 127.0.0.1 failed"));
    // One warning a minute, whatever comes; and all of it is counted.
    expect(told.map((line) => line.split(" ")[0])).toEqual(["warn", ...told.slice(1).map(() => "debug")]);
    expect(server.handshakeFailures).toBe(4);
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([]);
    const stream = await connect(server);
    await roundTrip(stream);
    stream.abort();
  });

  const misfits: [string, (port: number) => Duplex, RegExp][] = [
    [
      "speaks plain HTTP",
      (port) => netConnect(port, "127.0.0.1").end("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
      /http request/,
    ],
    [
      "knows TLS 1.0 and nothing later",
      (port) =>
        tlsConnect({ port, ca, minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT:@SECLEVEL=0" }),
      /unsupported protocol/,
    ],
    [
      "speaks h2 and nothing else",
      (port) => tlsConnect({ port, ca, ALPNProtocols: ["h2"] }),
      /no application protocol/,
    ],
  ];
  it.each(misfits)(
    "warns of a peer that %s with the reason, in a line, without a stack",
    async (_what, connectTo, reason) => {
      const lines: unknown[][] = [];
      const keep = (...line: unknown[]) => void lines.push(line);
      const logger = { debug() {}, info() {}, warn: keep, error: keep } as Logger;
      const server = await serve({ ...here, ALPNProtocols: ["http/1.1"] }, echo, {
        loop: new IOLoop({ logger }),
      });
      const peer = connectTo(server.port);
      await new Promise((resolve) =>
        peer
          .on("error", () => {})
          .on("close", resolve)
          .resume(),
      );
      await until(() => server.handshakeFailures === 1);
      const [line, ...more] = lines;
      expect(more).toEqual([]);
      expect(line).toEqual([
        expect.stringMatching(/^TLS handshake with [\w.:]+ failed \(protocol\): \S.*\S$/),
      ]);
      expect(line?.[0]).toMatch(reason);
    },
  );

  it("counts handshakes as connections: at maxConnections the next one waits", async () => {
    const server = await serve(here, echo, { maxConnections: 2 });
    const silent = [0, 1].map(() => netConnect(server.port, "127.0.0.1"));
    await until(() => server.connectionCount === 2);
    const connecting = connect(server);
    for (let i = 0; i < 10; i++) await settle();
    expect(server.connectionCount).toBe(2);
    silent[0]?.destroy();
    const stream = await connecting;
    await roundTrip(stream);
    stream.abort();
    silent[1]?.destroy();
    await until(() => server.connectionCount === 0);
  });

  it("drain() aborts handshakes and secure streams at its deadline", async () => {
    const server = await serve(here);
    const silent = netConnect(server.port, "127.0.0.1").on("error", () => {});
    const stream = await connect(server);
    await until(() => server.connectionCount === 2);
    expect(await server.drain({ timeoutMs: 20 })).toEqual({ finished: 0, aborted: 2 });
    await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    silent.destroy();
  });

  it("a handler that throws loses its connection only", async () => {
    let calls = 0;
    const server = await serve(here, (stream) => {
      if (++calls === 1) throw new Error("provoked");
      return echo(stream);
    });
    const lost = connect(server).then((stream) => stream.readBytes(1));
    await expect(lost).rejects.toMatchObject({
      code: expect.stringMatching(/ERR_TW_STREAM_CLOSED|ERR_TW_TLS/),
    });
    const stream = await connect(server);
    await roundTrip(stream);
    stream.abort();
  });

  it("works over a Unix socket, with the name to verify", async () => {
    const path = join(tmpdir(), `tw-${randomUUID()}.sock`);
    const server = new TCPServer(echo, { engine, loop, tls: here });
    servers.push(server);
    await server.listenUnix(path);
    expect(() => client.connectUnix(path, { tls: { ca } })).toThrow(TypeError);
    const stream = await client.connectUnix(path, { tls: { ca, servername: "localhost" } });
    await roundTrip(stream);
    stream.abort();
    await until(() => server.connectionCount === 0);
  });

  it("speaks with Node's own client", async () => {
    const server = await serve(here);
    const socket = tlsConnect({ port: server.port, host: "127.0.0.1", ca });
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    const answered = new Promise((resolve) => socket.once("data", (data) => resolve(String(data))));
    socket.write("ping\n");
    expect(await answered).toBe("ping\n");
    socket.destroy();
    await until(() => server.connectionCount === 0);
  });

  it("a handler may start TLS itself, both ways, and is counted until its end", async () => {
    const server = new TCPServer(
      async (stream) => {
        await stream.readUntil("STARTTLS\n", { maxBytes: 100 });
        await stream.write("go ahead\n");
        await echo(await stream.startTls({ isServer: true, ...here }));
      },
      { engine, loop },
    );
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    const plain = await client.connect("127.0.0.1", server.port);
    await plain.write("STARTTLS\n");
    await plain.readUntil("\n", { maxBytes: 100 });
    const secure = await plain.startTls({ servername: "localhost", ca });
    await roundTrip(secure);
    expect(server.connectionCount).toBe(1);
    await secure.close();
    await until(() => server.connectionCount === 0);
  });

  it.each([
    [{ tls: 7 as never }, TypeError],
    [{ tls: { servername: "" } }, TypeError],
    [{ tls: { servername: 7 as never } }, TypeError],
  ])("TCPClient.connect() refuses %j at once", (options, error) => {
    expect(() => client.connect("127.0.0.1", 80, options)).toThrow(error);
  });
});
