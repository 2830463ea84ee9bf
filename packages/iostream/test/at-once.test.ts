// Writes to a socket's handle without Node's stream around them: that it is done, when it may not be, and what becomes of
// what the kernel does not take.
import { connect, createServer, Socket } from "node:net";
import { constants } from "node:os";
import { afterEach, expect, it, vi } from "vitest";
import { canWriteAtOnce, writeAtOnce } from "../src/transports/node/at-once.js";
import { nodeTransport } from "../src/transports.js";
import { testLoop } from "./helpers.js";
import { loop, settle, until } from "./node-pairs.js";

type Handle = Record<
  "writeBuffer" | "writeLatin1String",
  (request: object, piece: Uint8Array | string) => number
>;

const open: Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** A connected socket, and its peer, which does not read yet. */
async function pair(): Promise<{ socket: Socket; peer: Socket; received: () => string }> {
  let accept: (socket: Socket) => void = () => {};
  const accepting = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const server = createServer({ pauseOnConnect: true }, (peer) => accept(peer)).listen(0, "127.0.0.1");
  await until(() => server.listening);
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  const peer = await accepting;
  server.close();
  await until(() => !socket.connecting);
  open.push(socket, peer);
  let text = "";
  peer.setEncoding("latin1").on("data", (more) => {
    text += more;
  });
  peer.pause();
  return { socket, peer, received: () => text };
}

function socketHandle(socket: Socket): Handle {
  return (socket as unknown as { _handle: Handle })._handle;
}

/** A socket, never connected, that writes to `handle`. */
function withHandle(handle: object | null, socket = new Socket()): Socket {
  return Object.assign(socket, { _handle: handle });
}

/** Writes until the kernel takes no more; returns what was written. */
function fill(socket: Socket): string {
  let all = "";
  for (let i = 0; ; i++) {
    const piece = `${i}:`.padEnd(60_000, ".");
    all += piece;
    if (writeAtOnce(socket, i % 2 === 0 ? piece : Buffer.from(piece)) === false) return all;
  }
}

it("goes to the kernel without a write of the stream", async () => {
  const { socket, peer, received } = await pair();
  expect(canWriteAtOnce(socket)).toBe(true);
  const transport = nodeTransport(testLoop(), socket);
  expect(transport.write([""])).toBe(0); // now it knows how to write
  socket._write = socket._writev = () => expect.unreachable();
  expect(transport.write(["caf\xe9 "])).toBe(5);
  expect(transport.write([Buffer.from("bytes ")])).toBe(6);
  expect(writeAtOnce(socket, "text")).toBe(true);
  expect(socket.bytesWritten).toBe(15);
  peer.resume();
  await until(() => received() === "caf\xe9 bytes text");
});

it("what the kernel did not take leaves before what the stream is given then, and before its end", async () => {
  const { socket, peer, received } = await pair();
  const all = fill(socket);
  expect(socket.destroyed).toBe(false);
  socket.write("then, ");
  socket.end("and last");
  let ended = false;
  peer.on("end", () => {
    ended = true;
  });
  peer.resume();
  await until(() => ended);
  expect(received() === `${all}then, and last`).toBe(true);
});

it("a write after one that is under way has an object of its own", async () => {
  const [one, two] = [await pair(), await pair()];
  const first = fill(one.socket);
  const second = fill(two.socket);
  two.peer.resume();
  await until(() => two.received().length === second.length);
  one.peer.resume();
  await until(() => one.received().length === first.length);
  expect([one.received() === first, two.received() === second]).toEqual([true, true]);
});

it("a write that went at the second try has an object of its own", async () => {
  const { socket } = await pair();
  fill(socket);
  // Node takes the object of each write to a full socket, and here says that all has gone.
  const full = socketHandle(socket);
  const handle = {
    writeBuffer: (request: object, bytes: Uint8Array) => full.writeBuffer(request, bytes),
    writeLatin1String: (request: object, text: string) => full.writeLatin1String(request, text),
    writeQueueSize: 0,
    close: () => {},
  };
  const quick = withHandle(handle).on("error", () => {});
  expect(canWriteAtOnce(quick)).toBe(true);
  expect(writeAtOnce(quick, "text")).toBe(false);
  expect(writeAtOnce(quick, Buffer.from("bytes"))).toBe(false);
});

it("an error at once destroys the socket with it", async () => {
  const { socket } = await pair();
  const errors: unknown[] = [];
  socket.on("error", (error) => errors.push(error));
  socket.end();
  await settle();
  expect(writeAtOnce(socket, "-")).toBe(false);
  expect(socket.destroyed).toBe(true);
  await until(() => errors.length > 0);
  expect(errors).toMatchObject([{ code: "EPIPE", errno: expect.any(Number), syscall: "write" }]);
});

it("nothing goes after a write of the stream that has failed", async () => {
  const { socket, peer, received } = await pair();
  const transport = nodeTransport(testLoop(), socket);
  const closed = new Promise((resolve) => {
    transport.start({ onBytes() {}, onEnd() {}, onDrain() {}, onClose: resolve });
  });
  Object.assign(socketHandle(socket), { writev: () => -constants.errno.ENETDOWN });
  expect(transport.write(["one", "two"])).toBe(0);
  expect(transport.write(["one"])).toBe(0);
  expect(await closed).toMatchObject({ code: "ENETDOWN" });
  peer.on("error", () => {}).resume();
  await until(() => peer.closed);
  expect(received()).toBe("");
});

it("an error while it is under way destroys the socket", async () => {
  const { socket, peer } = await pair();
  const errors: unknown[] = [];
  socket.on("error", (error) => errors.push(error));
  fill(socket);
  peer.resetAndDestroy();
  await until(() => errors.length > 0);
  expect(errors).toMatchObject([{ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) }]);
});

it("destroyed while it is under way, the bytes are kept as long as the kernel may read them", async () => {
  const { socket, peer } = await pair();
  fill(socket);
  socket.destroy();
  await until(() => socket.closed);
  expect(socket.errored).toBe(null);
  peer.destroy();
});

it("the peer's end is told to the next owner while what the last one wrote is under way", async () => {
  const { socket, peer } = await pair();
  const first = nodeTransport(loop, socket);
  const piece = new Uint8Array(100_000);
  while (first.write([piece]) > 0);
  const next = nodeTransport(loop, first.detach());
  let ended = false;
  next.start({
    onBytes() {},
    onEnd() {
      ended = true;
    },
    onDrain() {},
    onClose() {},
  });
  peer.end();
  await until(() => ended);
  expect(peer.readableFlowing).toBe(false);
});

it("leaves it to Node while the stream has something to send, has a timeout, is not connected yet, or not any more", async () => {
  const { socket, peer } = await pair();
  socket.setTimeout(60_000);
  expect(writeAtOnce(socket, "-")).toBe(undefined);
  socket.setTimeout(0);
  fill(socket);
  socket.write("x");
  expect(socket.writableLength).toBe(1);
  expect(writeAtOnce(socket, "-")).toBe(undefined);
  const { remotePort, remoteAddress } = peer;
  const connecting = connect(remotePort as number, remoteAddress);
  connecting.on("error", () => {});
  open.push(connecting);
  expect(writeAtOnce(connecting, "-")).toBe(undefined);
  socket.destroy();
  expect(writeAtOnce(socket, "-")).toBe(undefined);
});

it("leaves to Node what only looks like bytes: its handles may end the process over that", async () => {
  const { socket } = await pair();
  const get = (target: Uint8Array, key: string | symbol): unknown => Reflect.get(target, key);
  for (const piece of [
    new Proxy(new Uint8Array(4), { get }),
    Object.setPrototypeOf(new Uint16Array(4), Uint8Array.prototype) as Uint8Array,
  ]) {
    expect(piece instanceof Uint8Array && piece.length === 4).toBe(true);
    expect(writeAtOnce(socket, piece)).toBe(undefined);
  }
  expect(socket.bytesWritten).toBe(0);
});

it("a timeout that somebody set is put off by each write", async () => {
  const { socket } = await pair();
  const putOff = vi.spyOn(socket as Socket & { _unrefTimer(): void }, "_unrefTimer");
  const transport = nodeTransport(testLoop(), socket);
  transport.write(["-"]);
  expect(putOff).toHaveBeenCalledTimes(0);
  socket.setTimeout(60_000);
  putOff.mockClear();
  for (const chunk of ["-", Buffer.from("-")]) transport.write([chunk]);
  expect(putOff).toHaveBeenCalledTimes(2);
});

it("a socket of a Node that does it in another way is left to it", () => {
  const methods = { writeLatin1String: () => 0, writeBuffer: () => 0 };
  expect(canWriteAtOnce(withHandle({ ...methods, writeQueueSize: 0 }))).toBe(true);
  expect(canWriteAtOnce(withHandle(methods))).toBe(false);
  expect(canWriteAtOnce(withHandle({ ...methods, writeQueueSize: 0, writeBuffer: undefined }))).toBe(false);
  expect(canWriteAtOnce(withHandle(null))).toBe(false);
});

it("an object that could not tell whether it was taken is not used", async () => {
  const { socket } = await pair();
  const write = vi.spyOn(Socket.prototype, "write").mockImplementation(function (this: Socket) {
    socketHandle(this).writeLatin1String({}, "-");
    return true;
  });
  vi.resetModules();
  const other = await import("../src/transports/node/at-once.js");
  write.mockRestore();
  expect(canWriteAtOnce(socket)).toBe(true);
  expect(other.canWriteAtOnce(socket)).toBe(false);
});

it("a socket that writes in its own way goes on doing so", async () => {
  const { socket, peer, received } = await pair();
  const write = socket._write;
  socket._write = function (chunk, encoding, done) {
    write.call(this, String(chunk).toUpperCase(), encoding, done);
  };
  expect(nodeTransport(testLoop(), socket).write(["secret "])).toBe(7);
  const other = await pair();
  const written: unknown[] = [];
  other.socket.write = (chunk: unknown) => written.push(chunk) > 0;
  nodeTransport(testLoop(), other.socket).write(["counted"]);
  expect(written).toEqual(["counted"]);
  class Wrapped extends Socket {
    override _writev(): void {}
  }
  expect(canWriteAtOnce(withHandle(socketHandle(socket), new Wrapped()))).toBe(false);
  peer.resume();
  await until(() => received() === "SECRET ");
});
