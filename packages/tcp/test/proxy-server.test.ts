// Servers behind something that speaks the PROXY protocol: who is believed, what handlers see, and what TLS gets.
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { connect as netConnect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { IOLoop, MAX_DELAY_MS } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import type { IOStream, StreamOpenedMessage } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { onEveryEngine } from "@tw/tooling-testing";
import { Authority } from "@tw/tooling-testing/certificates";
import type { Logger } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import {
  type ProxyProtocolOptions,
  proxyHeaderOf,
  TCPClient,
  TCPServer,
  type TCPServerOptions,
  useNetwork,
} from "../src/index.js";
import { MemoryNetwork } from "../src/testing.js";
import { descriptorsBackTo, openDescriptors, settle, until } from "./helpers.js";
import { random, version2 } from "./proxy-support.js";

const LINE = "PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n";
const LOOPBACK = { trusted: ["loopback"] } as const;
const authority = new Authority("Tests");
const here = authority.issue("localhost", { names: ["localhost", "127.0.0.1"] });

describe("new TCPServer() with proxyProtocol", () => {
  it.each([
    ["no object", 7 as never],
    ["no list of whom to trust", {} as never],
    ["a text in place of a list", { trusted: "loopback" } as never],
    ["a network that is no text", { trusted: [7] } as never],
    ["another word for others", { ...LOOPBACK, others: "accept" } as never],
    ["a requirement that is none", { ...LOOPBACK, required: 1 } as never],
    ["a time that is none", { ...LOOPBACK, headerTimeoutMs: "5" } as never],
  ])("refuses %s with a TypeError", (_what, proxyProtocol: ProxyProtocolOptions) => {
    expect(() => new TCPServer(() => {}, { proxyProtocol })).toThrow(TypeError);
  });

  it.each([
    ["a network that is none", { trusted: ["10.0.0.0/33"] }],
    ["a word that names none", { trusted: ["toString"] }],
    ["a network with bits behind its prefix", { trusted: ["10.0.0.1/8"] }],
    ["a negative time", { ...LOOPBACK, headerTimeoutMs: -1 }],
    ["a time that no timer takes", { ...LOOPBACK, headerTimeoutMs: MAX_DELAY_MS + 1 }],
    ["a header of 231 bytes", { ...LOOPBACK, maxHeaderSize: 231 }],
    ["a header of 65552 bytes", { ...LOOPBACK, maxHeaderSize: 65_552 }],
  ])("refuses %s with a RangeError", (_what, proxyProtocol: ProxyProtocolOptions) => {
    expect(() => new TCPServer(() => {}, { proxyProtocol })).toThrow(RangeError);
  });
});

describe("in virtual time", () => {
  async function serve(proxyProtocol: ProxyProtocolOptions, logger: Logger = nullLogger) {
    const { loop, host } = virtualLoop({ logger });
    useNetwork(loop, new MemoryNetwork(loop));
    const served: string[] = [];
    const server = new TCPServer((stream) => void served.push(stream.info.remoteAddress), {
      loop,
      proxyProtocol,
    });
    const listening = server.listen(80, "127.0.0.1");
    await host.advance(10);
    await listening;
    const connecting = new TCPClient({ loop }).connect("127.0.0.1", 80);
    await host.advance(10);
    return { host, served, client: await connecting };
  }

  it.each([
    ["nothing", ""],
    ["a part of a header", LINE.slice(0, 20)],
  ])("a proxy that sends %s is given up after 5 s, and not before", async (_what, sent) => {
    const { host, served, client } = await serve(LOOPBACK);
    if (sent !== "") client.write(sent);
    await host.advance(4970);
    expect(client.closed).toBe(false);
    await host.advance(30);
    await host.advance(10);
    expect(client.closed).toBe(true);
    expect(served).toEqual([]);
  });

  it("a drip of bytes does not put that off, and headerTimeoutMs 0 waits for ever", async () => {
    const dripping = await serve({ ...LOOPBACK, headerTimeoutMs: 100 });
    for (let i = 0; i < 10; i++) {
      dripping.client.send(LINE[i] as string);
      await dripping.host.advance(10);
    }
    await dripping.host.advance(10);
    expect(dripping.client.closed).toBe(true);
    const patient = await serve({ ...LOOPBACK, headerTimeoutMs: 0 });
    await patient.host.advance(1e8);
    await patient.client.write(LINE);
    await patient.host.advance(10);
    expect(patient.served).toEqual(["192.0.2.1"]);
  });

  it("a header that came in time ends the wait", async () => {
    const { host, served, client } = await serve(LOOPBACK);
    await client.write(LINE);
    await host.advance(10);
    expect(served).toEqual(["192.0.2.1"]);
    await host.advance(60_000);
    expect(client.closed).toBe(false);
  });
});

onEveryEngine((engine) => {
  const loop = new IOLoop({ logger: nullLogger });
  const servers: TCPServer[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) await server.drain({ timeoutMs: 0 });
  });

  /** Says where each connection comes from, and repeats a line. */
  async function tell(stream: IOStream, address: { address: string; port: number }): Promise<void> {
    const { remoteAddress, remotePort, localAddress, localPort, encrypted } = stream.info;
    const line = await stream.readUntil("\n", { maxBytes: 1000 });
    const ends = `${remoteAddress}:${remotePort}>${localAddress}:${localPort}`;
    const same = address.address === remoteAddress && address.port === remotePort;
    await stream.write(`${ends} ${encrypted ? "tls" : "plain"} ${same} ${Buffer.from(line)}`);
    await stream.close();
  }

  async function serve(
    proxyProtocol: ProxyProtocolOptions = LOOPBACK,
    options: TCPServerOptions = {},
    handler: (stream: IOStream, address: { address: string; port: number }) => void | Promise<void> = tell,
  ): Promise<TCPServer> {
    const server = new TCPServer(handler, { engine, loop, ...options, proxyProtocol });
    servers.push(server);
    await server.listen(0, "127.0.0.1");
    return server;
  }

  function connect(where: TCPServer | string): Socket {
    const socket =
      typeof where === "string" ? netConnect(where) : netConnect({ port: where.port, host: "127.0.0.1" });
    socket.setNoDelay(true);
    socket.on("error", () => {});
    sockets.push(socket);
    return socket;
  }

  /** Sends the pieces one after the other and gives what comes back until the end. */
  async function exchange(
    where: TCPServer | string,
    pieces: readonly (string | Uint8Array)[],
  ): Promise<string> {
    const socket = connect(where);
    let text = "";
    socket.setEncoding("latin1").on("data", (part: string) => {
      text += part;
    });
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    for (const piece of pieces) {
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
      if (pieces.length > 1) await settle();
    }
    await closed;
    return text;
  }

  it("handlers know the client by version 1 and by version 2, and see the bytes behind the header", async () => {
    const server = await serve();
    const expected = "192.0.2.1:4711>198.51.100.7:443 plain true hello\n";
    expect(await exchange(server, [`${LINE}hello\n`])).toBe(expected);
    expect(await exchange(server, [Buffer.concat([version2(), Buffer.from("hello\n")])])).toBe(expected);
    expect(await exchange(server, [LINE, "hello\n"])).toBe(expected);
  });

  it("the same whatever the pieces", async () => {
    const server = await serve();
    const wires = [
      Buffer.from(`${LINE}hello\n`),
      Buffer.concat([version2({ checksum: true }), Buffer.from("hello\n")]),
    ];
    for (const wire of wires) {
      const expected = await exchange(server, [wire]);
      expect(expected).toContain("192.0.2.1:4711");
      const splits = Array.from(wire, (_byte, i) =>
        exchange(
          server,
          [wire.subarray(0, i), wire.subarray(i)].filter((piece) => piece.length > 0),
        ),
      );
      expect(new Set(await Promise.all(splits))).toEqual(new Set([expected]));
      expect(
        await exchange(
          server,
          Array.from(wire, (byte) => Uint8Array.of(byte)),
        ),
      ).toBe(expected);
    }
  });

  it("LOCAL and UNKNOWN leave the addresses as they are", async () => {
    const server = await serve();
    const direct = new RegExp(`^127\\.0\\.0\\.1:\\d+>127\\.0\\.0\\.1:${server.port} plain true a\n$`);
    expect(await exchange(server, ["PROXY UNKNOWN\r\na\n"])).toMatch(direct);
    expect(
      await exchange(server, [Buffer.concat([version2({ command: 0x20 }), Buffer.from("a\n")])]),
    ).toMatch(direct);
  });

  it("a connection of a client that came over TLS to the proxy counts as encrypted", async () => {
    const server = await serve();
    const header = version2({ tlvs: [[0x20, Buffer.from([1, 0, 0, 0, 0])]] });
    expect(await exchange(server, [Buffer.concat([header, Buffer.from("a\n")])])).toContain(" tls true a");
  });

  it("proxyHeaderOf() has all that the proxy said; without one there is none", async () => {
    const seen: unknown[] = [];
    const server = await serve({ ...LOOPBACK, required: false }, {}, (stream) => {
      const header = proxyHeaderOf(stream);
      seen.push(
        header && [
          header.version,
          header.tlvs.map(({ type, value }) => [type, Buffer.from(value).toString()]),
        ],
      );
      stream.abort();
    });
    await exchange(server, [version2({ tlvs: [[2, Buffer.from("a.test")]] })]);
    await exchange(server, ["hello\n"]);
    expect(seen).toEqual([[2, [[2, "a.test"]]], undefined]);
  });

  it.each([
    ["no header", "GET / HTTP/1.1\r\n\r\n"],
    ["a malformed header", "PROXY TCP4 1.2.3.4\r\nhello\n"],
    ["two headers, of which the second is data", `${LINE}${LINE}`],
    ["a header that is too large", version2({ tlvs: [[4, Buffer.alloc(5000)]] })],
    ["a wrong checksum", version2({ tlvs: [[3, Buffer.alloc(4)]] })],
  ])("a trusted proxy that sends %s: the connection ends, the server lives", async (_what, wire) => {
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
    const server = await serve(LOOPBACK, { loop: new IOLoop({ logger }) }, (stream, address) => {
      served++;
      return tell(stream, address);
    });
    const text = await exchange(server, [wire]);
    if (wire === `${LINE}${LINE}`) expect(text).toBe(`192.0.2.1:4711>198.51.100.7:443 plain true ${LINE}`);
    else {
      expect([text, served]).toEqual(["", 0]);
      expect(lines).toEqual(["debug Connection without a PROXY header that can be believed"]);
    }
    expect(await exchange(server, [`${LINE}hello\n`])).toContain("192.0.2.1");
  });

  it('a peer that is not trusted is refused, or with others: "plain" served with its header as data', async () => {
    const strict = await serve({ trusted: ["10.0.0.0/8", "unix"] });
    expect(await exchange(strict, [`${LINE}hello\n`])).toBe("");
    const plain = await serve({ trusted: [], others: "plain" });
    expect(await exchange(plain, [`${LINE}hello\n`])).toMatch(
      /^127\.0\.0\.1:\d+>127\.0\.0\.1:\d+ plain true PROXY TCP4 /,
    );
  });

  it("required: false serves what begins with anything else, whole, also when it begins alike or ends", async () => {
    const server = await serve({ ...LOOPBACK, required: false });
    for (const text of ["hello\n", "PROXIMATE\n", "P\n"]) {
      expect(await exchange(server, [text])).toMatch(/^127\.0\.0\.1:/);
      expect((await exchange(server, [...text])).endsWith(` plain true ${text}`)).toBe(true);
    }
    const seen: string[] = [];
    const short = await serve({ ...LOOPBACK, required: false }, {}, async (stream) => {
      seen.push(Buffer.from(await stream.readUntilClose()).toString());
    });
    const socket = connect(short);
    socket.end("PRO");
    await until(() => seen.length === 1);
    expect(seen).toEqual(["PRO"]);
    expect(await exchange(server, [`${LINE}hello\n`])).toContain("192.0.2.1");
  });

  it('over a Unix socket the proxy is known as "unix", and only as that', async () => {
    for (const [trusted, expected] of [
      ["unix", "192.0.2.1:4711>198.51.100.7:443 plain true a\n"],
      ["loopback", ""],
    ] as const) {
      const server = new TCPServer(tell, { engine, loop, proxyProtocol: { trusted: [trusted] } });
      servers.push(server);
      const path = join(tmpdir(), `tw-proxy-${randomUUID()}`);
      await server.listenUnix(path);
      expect(await exchange(path, [`${LINE}a\n`])).toBe(expected);
    }
  });

  it("TLS begins behind the header, whole or in the same packet, and knows the client as well", async () => {
    const server = await serve(LOOPBACK, { tls: here });
    for (const header of [LINE, version2()]) {
      const socket = connect(server);
      socket.write(header);
      const secure = tlsConnect({ socket, ca: authority.cert, servername: "localhost" });
      secure.on("error", () => {});
      secure.write("hello\n");
      let text = "";
      for await (const part of secure.setEncoding("latin1")) text += part;
      expect(text).toBe("192.0.2.1:4711>198.51.100.7:443 tls true hello\n");
    }
  });

  it("observers of opened streams may ask for their ends: the proxy's, and behind TLS the client's", async () => {
    const seen: unknown[] = [];
    const note = (message: unknown): void => {
      const { stream } = message as StreamOpenedMessage;
      if (stream.loop !== loop) return;
      const { remoteAddress, encrypted } = stream.info;
      seen.push([remoteAddress, encrypted, proxyHeaderOf(stream)?.source?.address]);
    };
    subscribe("tw:iostream:opened", note);
    try {
      const server = await serve(LOOPBACK, { tls: here });
      const socket = connect(server);
      socket.write(LINE);
      const secure = tlsConnect({ socket, ca: authority.cert, servername: "localhost" });
      secure.on("error", () => {});
      secure.write("hello\n");
      for await (const _ of secure);
    } finally {
      unsubscribe("tw:iostream:opened", note);
    }
    expect(seen).toEqual([
      ["127.0.0.1", false, undefined],
      ["192.0.2.1", true, "192.0.2.1"],
    ]);
  });

  it("the header in one packet with the ClientHello, and cut anywhere in it", async () => {
    const server = await serve(LOOPBACK, { tls: here });
    const hello = await clientHello();
    for (const at of [0, 1, LINE.length - 1, LINE.length, LINE.length + 1, LINE.length + 40]) {
      const wire = Buffer.concat([Buffer.from(LINE), hello]);
      const socket = connect(server);
      const answered = new Promise<number>((resolve) =>
        socket.once("data", (part) => resolve(part[0] as number)),
      );
      socket.write(wire.subarray(0, at));
      await settle();
      socket.write(wire.subarray(at));
      expect(await answered).toBe(0x16); // a ServerHello, and no alert
      socket.destroy();
    }
  });

  it("plaintext behind the header, where TLS is spoken, is nobody's", async () => {
    let served = 0;
    const server = await serve(LOOPBACK, { tls: here }, () => void served++);
    expect(await exchange(server, [`${LINE}hello\n`])).toBe("");
    expect(served).toBe(0);
  });

  it("proxies that go away while their header is awaited leave nothing behind", async () => {
    const before = openDescriptors();
    const server = await serve();
    const pick = random(3);
    for (let i = 0; i < 50; i++) {
      const socket = connect(server);
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
      const wire = LINE.slice(0, pick(LINE.length));
      if (i % 3 === 0) socket.end(wire);
      else if (i % 3 === 1) socket.write(wire, () => socket.resetAndDestroy());
      else socket.destroy();
    }
    await until(() => server.connectionCount === 0);
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const each of servers.splice(0)) await each.stop();
    await descriptorsBackTo(before);
  });

  it("counts connections whose header is awaited, and drain() ends them", async () => {
    const server = await serve();
    const socket = connect(server);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    await until(() => server.connectionCount === 1);
    expect(await server.drain({ timeoutMs: 5 })).toEqual({ finished: 0, aborted: 1 });
    await closed;
  });

  it("a handler that throws loses its connection, and each has a context of its own", async () => {
    const storage = new AsyncLocalStorage<number>();
    const seen: (number | undefined)[] = [];
    let count = 0;
    const server = await storage.run(0, () =>
      serve(LOOPBACK, {}, () => {
        seen.push(storage.getStore());
        storage.enterWith(++count);
        throw new Error("a handler's own");
      }),
    );
    for (let i = 0; i < 3; i++) expect(await exchange(server, [LINE])).toBe("");
    expect(seen).toEqual([0, 0, 0]);
  });
});

/** What a TLS client says first. */
async function clientHello(): Promise<Buffer> {
  const { Duplex } = await import("node:stream");
  return await new Promise((resolve) => {
    const duplex = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    tlsConnect({ socket: duplex, servername: "localhost" }).on("error", () => {});
  });
}
