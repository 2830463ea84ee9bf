import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type ConnectionOptions, createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { describe, expect, it } from "vitest";
import { IOStream, type Transport } from "../src/index.js";
import { transportConformance } from "../src/testing.js";
import { nodeTransport } from "../src/transports.js";
import { Notes, text } from "./helpers.js";
import { loop, settle, until } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

const identity = selfSigned();

interface TlsPair {
  readonly client: Transport;
  readonly server: Transport;
}

/** Both ends of one TLS connection over loopback TCP, or over `through`, which gets the server's port. */
async function tlsPair(
  options: ConnectionOptions = {},
  through: (port: number) => Promise<Socket> = async (port) => connect(port, "127.0.0.1"),
): Promise<TlsPair> {
  const listener = createTlsServer({ ...identity, allowHalfOpen: true, noDelay: true });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const accepting = once(listener, "secureConnection");
  const socket = await through((listener.address() as AddressInfo).port);
  socket.setNoDelay(true);
  socket.allowHalfOpen = true;
  const secure = tlsConnect({ socket, servername: "localhost", ca: identity.cert, ...options });
  const [[accepted]] = await Promise.all([accepting, once(secure, "secureConnect")]);
  listener.close();
  return { client: nodeTransport(loop, secure), server: nodeTransport(loop, accepted) };
}

transportConformance(
  "node, TLS, accepted end",
  async () => {
    const { client, server } = await tlsPair();
    return { a: client, b: server, settle };
  },
  { describe: describe.concurrent, it },
);

transportConformance(
  "node, TLS, connected end",
  async () => {
    const { client, server } = await tlsPair();
    return { a: server, b: client, settle };
  },
  { describe: describe.concurrent, it },
);

describe("nodeTransport() over TLS", () => {
  it("says that it is encrypted, and who is who", async () => {
    const { client, server } = await tlsPair();
    expect(client.info).toMatchObject({ engine: "node", encrypted: true, remoteAddress: "127.0.0.1" });
    expect(server.info).toMatchObject({ encrypted: true, remotePort: client.info.localPort });
    client.start(new Notes());
    server.start(new Notes());
    client.abort();
    server.abort();
  });

  it("a stream half-closes: the peer reads to the end, its answer still comes, then both close cleanly", async () => {
    const { client, server } = await tlsPair();
    const [asking, answering] = [new IOStream(client, { loop }), new IOStream(server, { loop })];
    const question = new Uint8Array(1_000_000).fill(7);
    await asking.write(question);
    asking.end();
    expect((await answering.readBytes(1_000_000)).every((byte) => byte === 7)).toBe(true);
    await settle();
    expect([asking.closed, answering.closed]).toEqual([false, false]);
    const closed = answering.write("answer\n").then(() => answering.close());
    expect(text(await asking.readUntil("\n"))).toBe("answer\n");
    await Promise.all([closed, asking.whenClosed, answering.whenClosed]);
    expect([asking.error, answering.error]).toEqual([undefined, undefined]);
  });

  it("end() sends close_notify behind the bytes and before FIN; abort() sends none", async () => {
    for (const [how, alerts] of [
      ["end", 1],
      ["abort", 0],
    ] as const) {
      const wire = new Wire();
      // In TLS 1.2 the type of a record can be seen from outside.
      const { client, server } = await tlsPair({ maxVersion: "TLSv1.2" }, (port) => wire.between(port));
      const notes = new Notes();
      server.start(notes);
      const sender = new IOStream(client, { loop });
      await sender.write("all of it");
      sender[how]();
      await until(() => notes.calls.some((call) => call !== "bytes all of it"));
      expect(notes.calls.slice(0, 2)).toEqual(["bytes all of it", "end"]);
      expect(wire.ended).toBe(true);
      const types = recordTypes(Buffer.concat(wire.sent));
      expect(types.filter((type) => type === ALERT)).toHaveLength(alerts);
      if (how === "end") expect(types.at(-1)).toBe(ALERT);
      sender.abort();
      server.abort();
      await until(() => notes.calls.at(-1)?.startsWith("close") === true);
      wire.close();
    }
  });

  it("a reset of the connection below is onClose with ECONNRESET, for a read that waits too", async () => {
    const wire = new Wire();
    const { client, server } = await tlsPair({}, (port) => wire.between(port));
    const notes = new Notes();
    server.start(notes);
    const stream = new IOStream(client, { loop });
    // A round trip: the handshake is over in both directions.
    server.write(["hello"]);
    await stream.readBytes(5);
    await stream.write("hello");
    await until(() => notes.calls.includes("bytes hello") && notes.calls.includes("drain"));
    notes.calls.length = 0;
    const read = stream.readBytes(1);
    wire.reset();
    await expect(read).rejects.toMatchObject({
      code: "ERR_TW_STREAM_CLOSED",
      cause: { code: "ECONNRESET" },
    });
    await until(() => notes.calls.length > 0);
    expect(notes.calls).toEqual(["close ECONNRESET"]);
  });

  it("bytes that are no TLS end the connection with an error, and deliver nothing", async () => {
    const wire = new Wire();
    const { client, server } = await tlsPair({}, (port) => wire.between(port));
    const [near, far] = [new Notes(), new Notes()];
    client.start(near);
    server.start(far);
    wire.inject("GET / HTTP/1.1\r\n\r\n");
    await until(() => far.calls.length > 0 && near.calls.length > 0);
    expect(far.calls).toEqual([expect.stringMatching(/^close ERR_SSL_/)]);
    client.abort();
    wire.close();
  });
});

/** Record type of RFC 5246 §6.2.1 that carries close_notify. */
const ALERT = 21;

/** Types of the TLS records in `bytes`: type, version, length, fragment. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at] as number);
  return types;
}

/** A TCP connection with somebody in the middle who keeps what the client sends, and may interfere. */
class Wire {
  readonly sent: Buffer[] = [];
  ended = false;
  readonly #ends: Socket[] = [];

  /** The client's socket of a connection that leads to `port`. */
  async between(port: number): Promise<Socket> {
    const listener = createServer({ allowHalfOpen: true }, (near) => {
      listener.close();
      const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      this.#ends.push(near, far);
      near.on("data", (chunk: Buffer) => this.sent.push(chunk));
      near.on("end", () => {
        this.ended = true;
      });
      for (const end of this.#ends) end.on("error", () => {});
      near.pipe(far).pipe(near);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return connect((listener.address() as AddressInfo).port, "127.0.0.1");
  }

  /** Sends the server what the client did not. */
  inject(bytes: string): void {
    this.#ends[1]?.write(bytes);
  }

  reset(): void {
    for (const end of this.#ends) end.resetAndDestroy();
  }

  close(): void {
    for (const end of this.#ends) end.destroy();
  }
}
