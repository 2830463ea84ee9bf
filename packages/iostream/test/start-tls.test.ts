import { createSecureContext } from "node:tls";
import { MAX_DELAY_MS } from "@tw/ioloop";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { IOStream, type SSLIOStream, type TLSOptions } from "../src/index.js";
import { memoryPair, type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { Notes, text } from "./helpers.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair, settle, until } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

const identity = selfSigned();
const SERVER: TLSOptions = { ...identity, isServer: true };
const CLIENT: TLSOptions = { ca: identity.cert, servername: "localhost" };

type MakePair = () => Promise<[IOStream, IOStream]>;

const PAIRS: Record<string, MakePair> = {
  native: async () => {
    const engine = nativeEngine(loop) as NativeEngine;
    const [accepted, connected] = tcpDescriptors(engine);
    return [
      new IOStream(new NativeTransport(engine, connected, "tcp"), { loop }),
      new IOStream(new NativeTransport(engine, accepted, "tcp"), { loop }),
    ];
  },
  "native, Unix socket": async () => {
    const engine = nativeEngine(loop) as NativeEngine;
    const [a, b] = engine.poller.socketpair() as [number, number];
    return [
      new IOStream(new NativeTransport(engine, a, "unix"), { loop }),
      new IOStream(new NativeTransport(engine, b, "unix"), { loop }),
    ];
  },
  node: async () => {
    const { connected, accepted } = await nodePair("tcp");
    return [new IOStream(connected, { loop }), new IOStream(accepted, { loop })];
  },
  memory: async () => {
    const [a, b] = memoryPair(loop);
    return [new IOStream(a, { loop }), new IOStream(b, { loop })];
  },
};

async function secured(
  make: MakePair,
  client: TLSOptions = CLIENT,
  server: TLSOptions = SERVER,
): Promise<[SSLIOStream, SSLIOStream]> {
  const [near, far] = await make();
  const answering = far.startTls(server);
  return [await near.startTls(client), await answering];
}

async function closeAll(...streams: IOStream[]): Promise<void> {
  for (const stream of streams) stream.abort();
  await Promise.all(streams.map((stream) => stream.whenClosed));
}

type Answer = (error: unknown, context?: unknown) => void;

function raise(error: unknown): never {
  throw error;
}

/** How a promise rejects. */
function failure(
  promise: Promise<unknown>,
): Promise<Error & { reason?: string; code?: string; cause?: unknown }> {
  return promise.then(
    () => {
      throw new Error("It resolved");
    },
    (error) => error,
  );
}

for (const [engine, make] of Object.entries(PAIRS)) {
  describe.skipIf(engine.startsWith("native") && !nativeAvailable)(`startTls(), ${engine}`, () => {
    it("after a plaintext greeting both sides talk over TLS, in both directions and to the end (L16)", async () => {
      const [client, server] = await make();
      const served = (async () => {
        await server.write("220 ready\r\n");
        expect(text(await server.readUntil("\r\n"))).toBe("STARTTLS\r\n");
        await server.write("220 go\r\n");
        const secure = await server.startTls(SERVER);
        const asked = await secure.readUntil("\n");
        await secure.write(`echo ${text(asked)}`);
        const bulk = await secure.readUntilClose();
        await secure.write(bulk);
        await secure.close();
        await server.whenClosed;
        return secure;
      })();
      expect(text(await client.readUntil("\r\n"))).toBe("220 ready\r\n");
      await client.write("STARTTLS\r\n");
      expect(text(await client.readUntil("\r\n"))).toBe("220 go\r\n");
      const secure = await client.startTls(CLIENT);
      await secure.write("hello\n");
      expect(text(await secure.readUntil("\n"))).toBe("echo hello\n");
      const bulk = new Uint8Array(300_000).map((_, i) => i * 7);
      void secure.write(bulk);
      secure.end();
      expect(Buffer.from(await secure.readUntilClose()).equals(bulk)).toBe(true);
      await secure.close();
      const answered = await served;
      expect([secure.error, answered.error, client.error, server.error]).toEqual(Array(4).fill(undefined));
      expect([client.closed, server.closed]).toEqual([true, true]);
      await client.whenClosed;
    });

    it("tells the facts: version, protocol, certificate, name, who is verified", async () => {
      const [client, server] = await secured(
        make,
        { ...CLIENT, ALPNProtocols: ["tw/2", "tw/1"] },
        { ...SERVER, ALPNProtocols: ["tw/1"] },
      );
      expect(client).toMatchObject({ protocol: "TLSv1.3", alpnProtocol: "tw/1", authorized: true });
      expect(client.authorizationError).toBeUndefined();
      expect(client.peerCertificate()?.subject).toBe("CN=localhost");
      expect(client.info.encrypted).toBe(true);
      expect(server).toMatchObject({ servername: "localhost", alpnProtocol: "tw/1", authorized: false });
      expect(server.peerCertificate()).toBeUndefined();
      await closeAll(client, server);
    });

    it.each<[string, TLSOptions, TLSOptions, string]>([
      ["another host's certificate", { servername: "example.com" }, {}, "wrong-host"],
      [
        "an expired certificate",
        {},
        selfSigned({ notBefore: "200101000000Z", notAfter: "210101000000Z" }),
        "expired",
      ],
      ["a certificate of the future", {}, selfSigned({ notBefore: "480101000000Z" }), "not-yet-valid"],
      ["a certificate that nobody vouches for", { ca: selfSigned().cert }, {}, "unknown-ca"],
      ["no common application protocol", { ALPNProtocols: ["a"] }, { ALPNProtocols: ["b"] }, "protocol"],
      ["no common version", { maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }, "protocol"],
    ])("refuses %s, and closes both sides", async (_, client, server, reason) => {
      const [near, far] = await make();
      const answering = failure(far.startTls({ ...SERVER, ...server }).then((secure) => secure.readBytes(1)));
      const ca = (server as { cert?: string }).cert ?? identity.cert;
      const error = await failure(near.startTls({ ...CLIENT, ca, ...client }));
      expect(error).toMatchObject({ code: "ERR_TW_TLS_HANDSHAKE", reason });
      expect(error.cause).toBeInstanceOf(Error);
      await answering;
      await Promise.all([near.whenClosed, far.whenClosed]);
      expect(near.error).toBe(error);
      await expect(near.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: error });
    });

    it("talks to anybody with rejectUnauthorized false, and says so", async () => {
      const [client, server] = await secured(make, { rejectUnauthorized: false });
      expect(client).toMatchObject({ authorized: false, authorizationError: "DEPTH_ZERO_SELF_SIGNED_CERT" });
      await closeAll(client, server);
    });

    it("a server that asks for a certificate verifies it", async () => {
      const mine = selfSigned({ commonName: "client" });
      const asking = { ...SERVER, requestCert: true, ca: mine.cert };
      const [client, server] = await secured(make, { ...CLIENT, ...mine }, asking);
      expect(server.authorized).toBe(true);
      expect(server.peerCertificate()?.subject).toBe("CN=client");
      await closeAll(client, server);
      for (const [theirs, reason] of [
        [selfSigned(), "unknown-ca"],
        [{}, "certificate"],
      ] as const) {
        const [near, far] = await make();
        const refused = failure(far.startTls(asking));
        // In TLS 1.3 a client is done before the server has looked at its certificate.
        const secure = failure(near.startTls({ ...CLIENT, ...theirs }).then((stream) => stream.readBytes(1)));
        expect(await refused).toMatchObject({ reason });
        await secure;
        await Promise.all([near.whenClosed, far.whenClosed]);
      }
    });

    it("a peer that speaks no TLS is a typed error on both roles", async () => {
      for (const options of [SERVER, CLIENT]) {
        const [near, far] = await make();
        const starting = near.startTls(options);
        far.write("GET / HTTP/1.1\r\n\r\n");
        expect(await failure(starting)).toMatchObject({ code: "ERR_TW_TLS_HANDSHAKE", reason: "protocol" });
        await near.whenClosed;
        await closeAll(far);
      }
    });

    it("a peer that goes away during the handshake is a typed error", async () => {
      for (const how of ["close", "abort"] as const) {
        const [near, far] = await make();
        const starting = failure(near.startTls(SERVER));
        await settle();
        far[how]();
        expect(await starting).toMatchObject({ code: "ERR_TW_TLS_HANDSHAKE", reason: "closed" });
        await Promise.all([near.whenClosed, far.whenClosed]);
      }
    });

    it("an end of the peer that a pause held back ends a handshake that begins then, too", async () => {
      for (const options of [SERVER, CLIENT]) {
        for (const way of ["forth", "back"] as const) {
          const pair = await make();
          const [near, far] = way === "forth" ? pair : ([pair[1], pair[0]] as const);
          near.pause();
          far.end();
          for (let i = 0; i < 5; i++) await settle();
          expect(await failure(near.startTls(options))).toMatchObject({ reason: "closed" });
          await near.whenClosed;
          await closeAll(far);
        }
      }
    });

    it("gives a silent peer up after handshakeTimeoutMs, and when its signal aborts", async () => {
      const [near, far] = await make();
      const starting = near.startTls({ ...SERVER, handshakeTimeoutMs: 20 });
      expect(await failure(starting)).toMatchObject({ reason: "timeout" });
      await near.whenClosed;
      await closeAll(far);
      const [other, silent] = await make();
      const stop = new AbortController();
      const stopped = other.startTls({ ...CLIENT, signal: stop.signal });
      await settle();
      stop.abort("enough");
      await expect(stopped).rejects.toBe("enough");
      await other.whenClosed;
      await closeAll(silent);
    });

    it("closing or aborting the stream that was upgraded ends the handshake, and later the secure one", async () => {
      for (const how of ["close", "abort"] as const) {
        const [near, far] = await make();
        const starting = near.startTls(SERVER);
        near[how]();
        await expect(starting).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_TW_/) });
        await near.whenClosed;
        await closeAll(far);
        const [client, server] = await make();
        const answering = server.startTls(SERVER);
        const secure = await client.startTls(CLIENT);
        const answered = await answering;
        client[how]();
        await answered.readBytes(1).catch(() => {});
        await Promise.all([secure.whenClosed, client.whenClosed, server.whenClosed]);
        expect(secure.closed).toBe(true);
      }
    });

    it("hands a ClientHello that came early to the handshake, whole or in part", async () => {
      for (const drip of [false, true]) {
        const [near, far] = await make();
        const asking = near.startTls(CLIENT);
        // The server still reads its last command; what follows is the handshake's.
        await far.readBytes(1, { partial: true }).then((first) => far.detach(first));
        if (!drip) await settle();
        const answered = await far.startTls(SERVER);
        const secure = await asking;
        secure.send("x");
        expect(text(await answered.readBytes(1))).toBe("x");
        await closeAll(secure, answered);
      }
    });

    it("plaintext that came before the upgrade is an error on both roles, never data (STARTTLS injection)", async () => {
      for (const options of [CLIENT, SERVER]) {
        const [near, far] = await make();
        far.send("220 go\r\ninjected\r\n");
        await near.readUntil("\r\n");
        expect(await failure(near.startTls(options))).toMatchObject({ code: "ERR_TW_START_TLS" });
        // It is as it was.
        expect(near.closed).toBe(false);
        expect(text(await near.readUntil("\r\n"))).toBe("injected\r\n");
        await closeAll(near, far);
      }
    });

    it("plaintext that the transport has and the stream has not seen breaks the handshake, and is never data", async () => {
      const [near, far] = await make();
      far.send("220 go\r\n");
      await near.readUntil("\r\n");
      near.pause();
      far.send("injected\r\n");
      await settle();
      const error = await failure(near.startTls(CLIENT));
      expect(error.code).toMatch(/^ERR_TW_(START_TLS|TLS_HANDSHAKE)$/);
      await closeAll(near, far);
    });

    it("is refused while bytes are unsent, while somebody reads, and on a stream that is closed or half-closed", async () => {
      const [near, far] = await make();
      const read = near.readBytes(1);
      expect(await failure(near.startTls(CLIENT))).toMatchObject({ code: "ERR_TW_STREAM_BUSY" });
      far.send("x");
      await read;
      near.attach(new Notes());
      expect(await failure(near.startTls(CLIENT))).toMatchObject({ code: "ERR_TW_STREAM_BUSY" });
      near.detach();
      near.send(new Uint8Array(16 * 1024 * 1024));
      expect(await failure(near.startTls(CLIENT))).toMatchObject({ code: "ERR_TW_START_TLS" });
      near.abort();
      expect(await failure(near.startTls(CLIENT))).toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await closeAll(near, far);
      const [half, other] = await make();
      half.end();
      expect(await failure(half.startTls(CLIENT))).toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      other.end();
      await closeAll(half, other);
    });
  });
}

it("startTls() sends what was written in the same turn first", async () => {
  const { connected, accepted } = await nodePair("tcp");
  const [near, far] = [new IOStream(connected, { loop }), new IOStream(accepted, { loop })];
  near.send("220 go\r\n");
  const answering = near.startTls(SERVER);
  expect(text(await far.readUntil("\r\n"))).toBe("220 go\r\n");
  const secure = await far.startTls(CLIENT);
  await closeAll(await answering, secure);
});

it("startTls() refuses options that cannot work before anything changes", async () => {
  const [a] = memoryPair(loop);
  const stream = new IOStream(a, { loop });
  expect(() => stream.startTls()).toThrow(/servername/);
  expect(() => stream.startTls({ servername: "" })).toThrow(TypeError);
  expect(() => stream.startTls({ servername: 7 as never })).toThrow(TypeError);
  expect(() => stream.startTls({ isServer: true })).toThrow(/cert/);
  for (const handshakeTimeoutMs of [-1, MAX_DELAY_MS + 1])
    expect(() => stream.startTls({ ...CLIENT, handshakeTimeoutMs })).toThrow(RangeError);
  expect(stream.closed).toBe(false);
  stream.abort();
});

it("startTls() with a signal that is aborted already rejects with its reason and leaves the stream as it was", async () => {
  const [a, b] = memoryPair(loop);
  const [stream, peer] = [new IOStream(a, { loop }), new IOStream(b, { loop })];
  await expect(stream.startTls({ ...CLIENT, signal: AbortSignal.abort("no") })).rejects.toBe("no");
  expect(stream.closed).toBe(false);
  await stream.write("still plain");
  expect(text(await peer.readBytes(11))).toBe("still plain");
  await Promise.all([stream.close(), peer.close()]);
});

it("a key that is none rejects, and closes the stream", async () => {
  const [a, b] = memoryPair(loop);
  const [stream, peer] = [new IOStream(a, { loop }), new IOStream(b, { loop })];
  const error = await failure(stream.startTls({ isServer: true, cert: "none", key: "none" }));
  expect(error.code).toBe("ERR_TW_TLS_HANDSHAKE");
  await closeAll(stream, peer);
});

describe("startTls() as a server with an SNICallback", () => {
  const choose = (callback: (name: string, done: (error: unknown, context?: unknown) => void) => unknown) =>
    ({ ...SERVER, SNICallback: callback }) as TLSOptions;

  it.each([
    ["throws", () => raise(new Error("no such name"))],
    ["throws nothing", () => raise(undefined)],
    ["rejects", async () => raise(new Error("no such name"))],
    ["gives an error", (_name: string, done: (error: unknown) => void) => done(new Error("no such name"))],
    ["gives an error that is none", (_name: string, done: (error: unknown) => void) => done("no such name")],
    // Which would end the process.
    ["gives certificate and key", (_name: string, done: Answer) => done(null, identity)],
    ["gives an empty object", (_name: string, done: Answer) => done(null, { context: {} })],
    ["gives a number", (_name: string, done: Answer) => done(null, 7)],
  ])("that %s refuses this client, and nobody else notices", async (_what, callback) => {
    const [a, b] = memoryPair(loop);
    const [near, far] = [new IOStream(a, { loop }), new IOStream(b, { loop })];
    const answering = failure(far.startTls(choose(callback)));
    expect((await failure(near.startTls(CLIENT))).code).toBe("ERR_TW_TLS_HANDSHAKE");
    expect((await answering).code).toBe("ERR_TW_TLS_HANDSHAKE");
    await closeAll(near, far);
  });

  it("takes what createSecureContext() returns, or nothing, and its first answer", async () => {
    const memory = PAIRS.memory as MakePair;
    for (const context of [createSecureContext(identity), undefined, null]) {
      const callback = (_name: string, done: Answer) => {
        done(null, context);
        done(new Error("too late"));
      };
      await closeAll(...(await secured(memory, CLIENT, choose(callback))));
    }
  });
});

it.each([
  ["throws", () => raise(new Error("not him"))],
  ["returns an error", () => new Error("not him")],
  ["returns a text", () => "not him" as never],
  ["returns a promise", (async () => raise(new Error("not him"))) as never],
])("startTls() as a client refuses a server for which checkServerIdentity %s", async (_what, check) => {
  const [near, far] = await (PAIRS.memory as MakePair)();
  const answering = far.startTls(SERVER).catch(() => undefined);
  const error = await failure(near.startTls({ ...CLIENT, checkServerIdentity: check }));
  expect(error.code).toBe("ERR_TW_TLS_HANDSHAKE");
  expect(String(error.cause)).toMatch(/not him|no promise/);
  await answering;
  await closeAll(near, far);
});

it("many handshakes at a time with one options object end up at their own streams, and resume sessions", async () => {
  const pairs = await Promise.all(Array.from({ length: 40 }, () => secured(PAIRS.node as MakePair)));
  await Promise.all(
    pairs.map(async ([client, server], i) => {
      client.send(`from ${i}\n`);
      expect(text(await server.readUntil("\n"))).toBe(`from ${i}\n`);
    }),
  );
  await closeAll(...pairs.flat());
});

it("a secure stream that is paused holds its peer back, and loses nothing", async () => {
  const [client, server] = await secured(PAIRS.node as MakePair);
  const sent = new Uint8Array(8 * 1024 * 1024).map((_, i) => i ^ (i >> 8));
  const written = client.write(sent);
  await settle();
  await settle();
  expect(client.bufferedAmount).toBeGreaterThan(0);
  const target = new Uint8Array(sent.length);
  await server.readInto(target);
  await written;
  expect(Buffer.compare(target, sent)).toBe(0);
  await closeAll(client, server);
  await until(() => client.closed);
});
