// Streams that outlive their loop: they can still be closed, and everybody learns of it.
import { createServer, connect as netConnect, type Socket } from "node:net";
import { IOLoop } from "@tw/ioloop";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import {
  memoryPair,
  type NativeEngine,
  NativeTransport,
  nativeEngine,
  nodeTransport,
} from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { until } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";
import { pattern, TemporaryFiles } from "./temporary-files.js";

const files = new TemporaryFiles();
const content = pattern(1000);
const small = files.make(content);
const large = files.sparse(200_000_000);

const logger = { debug() {}, info() {}, warn() {}, error() {} };

type MakeEnds = (loop: IOLoop) => Promise<[IOStream, IOStream]>;

const ENDS: Readonly<Record<string, MakeEnds | undefined>> = {
  native: nativeAvailable
    ? async (loop) => {
        const engine = nativeEngine(loop) as NativeEngine;
        const [a, b] = tcpDescriptors(engine).map(
          (fd) => new IOStream(new NativeTransport(engine, fd, "tcp"), { loop }),
        );
        return [a as IOStream, b as IOStream];
      }
    : undefined,
  node: async (loop) => {
    let accepted: Socket | undefined;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      accepted = socket;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const connected = netConnect({ port, host: "127.0.0.1", allowHalfOpen: true });
    await until(() => accepted !== undefined && !connected.connecting);
    server.close();
    return [connected, accepted as Socket].map(
      (socket) => new IOStream(nodeTransport(loop, socket), { loop }),
    ) as [IOStream, IOStream];
  },
  memory: async (loop) => memoryPair(loop).map((end) => new IOStream(end, { loop })) as [IOStream, IOStream],
};

for (const [name, make] of Object.entries(ENDS)) {
  describe.skipIf(make === undefined)(`on a closed loop, ${name}`, () => {
    const made = async () => {
      const loop = new IOLoop({ logger });
      const [stream, peer] = await (make as MakeEnds)(loop);
      return { loop, stream, peer };
    };

    it("close() sends what the kernel takes, and resolves; the peer sees the end", async () => {
      const { loop, stream, peer } = await made();
      const read = peer.readUntilClose();
      stream.send("goodbye");
      await loop.close();
      await stream.close();
      expect(stream.closed).toBe(true);
      if (name === "memory") return peer.abort(); // nothing arrives where the loop has no turns
      expect(new TextDecoder().decode(await read)).toBe("goodbye");
      await peer.close();
    });

    it("abort() tells whoever waits for the end, also where a turn was on its way", async () => {
      const { loop, stream, peer } = await made();
      stream.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} });
      peer.send("on its way");
      await new Promise((resolve) => process.nextTick(process.nextTick, resolve)); // it has left, and not arrived
      await loop.close();
      stream.abort();
      await stream.whenClosed;
      peer.abort();
      await peer.whenClosed;
    });

    it("close() rejects when something was left, and the stream is gone all the same", async () => {
      const { loop, stream, peer } = await made();
      stream.send(new Uint8Array(50_000_000));
      await loop.close();
      await expect(stream.close()).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await stream.whenClosed;
      expect([stream.closed, stream.writing]).toEqual([true, false]);
      peer.abort();
      await peer.whenClosed;
    });

    it("sendFile() sends what the kernel takes: to read a file takes no turn", async () => {
      const { loop, stream, peer } = await made();
      const read = peer.readUntilClose();
      await loop.close();
      await stream.sendFile({ fd: small.fd, offset: 0, length: content.length });
      await stream.close();
      expect(stream.closed).toBe(true);
      if (name === "memory") return peer.abort(); // nothing arrives where the loop has no turns
      expect(content.equals(await read)).toBe(true);
      await peer.close();
    });

    it("sendFile() rejects with the rest of a file that is not taken, begun before or behind the end", async () => {
      for (const begun of ["before", "behind"]) {
        const { loop, stream, peer } = await made();
        const file = { fd: large.fd, offset: 0, length: 200_000_000 };
        const before = begun === "before" ? stream.sendFile(file) : undefined;
        await loop.close();
        const sent = before ?? stream.sendFile(file);
        await expect(stream.close()).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
        await expect(sent).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
        await stream.whenClosed;
        expect([stream.closed, stream.writing]).toEqual([true, false]);
        peer.abort();
        await peer.whenClosed;
      }
    });

    it("abort() ends sendFile() with its reason", async () => {
      const { loop, stream, peer } = await made();
      const reason = new Error("enough");
      await loop.close();
      const sent = stream.sendFile({ fd: large.fd, offset: 0, length: 200_000_000 });
      stream.abort(reason);
      await expect(sent).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
      await expect(stream.sendFile({ fd: small.fd, offset: 0, length: 1 })).rejects.toMatchObject({
        code: "ERR_TW_STREAM_CLOSED",
      });
      await stream.whenClosed;
      peer.abort();
      await peer.whenClosed;
    });

    it("abort() tells a read, a write and a receiver, throws nothing and may be repeated", async () => {
      const { loop, stream, peer } = await made();
      const reason = new Error("enough");
      const read = stream.readBytes(1);
      const write = stream.write(new Uint8Array(50_000_000));
      let told: unknown = "nothing";
      peer.attach({
        onBytes() {},
        onEnd() {},
        onDrain() {},
        onClose(error) {
          told = error;
        },
      });
      await loop.close();
      stream.abort(reason);
      stream.abort();
      peer.abort(reason);
      await expect(read).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
      await expect(write).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
      await Promise.all([stream.whenClosed, peer.whenClosed]);
      expect(told).toBe(reason);
    });

    it("resume() delivers what was kept, as on a loop that has turns", async () => {
      const { loop, stream, peer } = await made();
      peer.send("kept");
      await stream.readBytes(1);
      await loop.close();
      let got = "";
      stream.pause();
      stream.attach({
        onBytes(view) {
          got += new TextDecoder().decode(view);
        },
        onEnd() {},
        onDrain() {},
        onClose() {},
      });
      stream.resume();
      expect(got).toBe("");
      await until(() => got === "ept");
      stream.abort();
      peer.abort();
      await Promise.all([stream.whenClosed, peer.whenClosed]);
    });

    it.each([
      ["ends", (peer: IOStream) => peer.end()],
      ["breaks it off", (peer: IOStream) => peer.abort()],
    ])("a TLS handshake under way fails when the peer %s", async (_how, leave) => {
      const { loop, stream, peer } = await made();
      const handshake = stream.startTls({ ...selfSigned(), isServer: true });
      await loop.close();
      leave(peer);
      if (name === "memory") stream.abort(); // nothing arrives where the loop has no turns
      await expect(handshake).rejects.toMatchObject({
        code: name === "memory" ? "ERR_TW_STREAM_CLOSED" : "ERR_TW_TLS_HANDSHAKE",
      });
      await stream.whenClosed;
      peer.abort();
      await peer.whenClosed;
    });

    it.each([true, false])(
      "startTls() rejects and leaves the stream as it was (server: %s)",
      async (isServer) => {
        const { loop, stream, peer } = await made();
        await loop.close();
        const options = isServer ? { ...selfSigned(), isServer } : { servername: "localhost" };
        await expect(stream.startTls(options)).rejects.toMatchObject({ code: "ERR_TW_LOOP_CLOSED" });
        expect(stream.closed).toBe(false);
        const reason = new Error("enough");
        stream.abort(reason);
        peer.abort();
        await Promise.all([stream.whenClosed, peer.whenClosed]);
        expect(stream.error).toBe(reason);
      },
    );

    it("a TLS handshake that was given up is over, and its connection may close later", async () => {
      const { loop, stream, peer } = await made();
      const handshake = stream.startTls({ ...selfSigned(), isServer: true });
      stream.abort();
      void loop.close();
      await expect(handshake).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      peer.abort();
      await Promise.all([stream.whenClosed, peer.whenClosed]);
      for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
    });
  });
}
