// Servers and clients that outlive their loop: they begin nothing any more, and can be ended all the same.
import { randomUUID } from "node:crypto";
import { createServer, connect as netConnect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { onEveryEngine } from "@tw/tooling-testing";
import { Authority } from "@tw/tooling-testing/certificates";
import { afterEach, describe, expect, it } from "vitest";
import {
  adoptSocket,
  bindSockets,
  bindUnixSocket,
  TCPClient,
  TCPServer,
  type TCPServerOptions,
} from "../src/index.js";
import { descriptorsBackTo, openDescriptors, settle, until } from "./helpers.js";

const CLOSED = { code: "ERR_TW_LOOP_CLOSED" };
const here = new Authority("Tests").issue("localhost", { names: ["localhost", "127.0.0.1"] });

onEveryEngine((engine) => {
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function dial(port: number): Promise<Socket> {
    const socket = netConnect({ port, host: "127.0.0.1" });
    sockets.push(socket);
    socket.on("error", () => {});
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return socket;
  }

  async function serve(options: TCPServerOptions = {}, bound?: "bound") {
    const streams: IOStream[] = [];
    const loop = new IOLoop({ logger: nullLogger });
    const server = new TCPServer((stream) => void streams.push(stream), { engine, loop, ...options });
    await (bound ? server.bind(0, "127.0.0.1") : server.listen(0, "127.0.0.1"));
    return { loop, server, streams, port: server.port };
  }

  const refused = (port: number) => expect(dial(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });

  describe("on a closed loop", () => {
    it("listening and connecting reject, and leave nothing behind", async () => {
      const loop = new IOLoop({ logger: nullLogger });
      await loop.close();
      const options = { engine, loop };
      const path = join(tmpdir(), `tw-${randomUUID()}.sock`);
      const somebody = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => somebody.once("listening", resolve));
      const { port } = somebody.address() as { port: number };
      const before = openDescriptors();
      const server = new TCPServer(() => {}, options);
      const client = new TCPClient(options);
      await expect(server.listen(0, "127.0.0.1")).rejects.toMatchObject(CLOSED);
      await expect(server.bind(0, "127.0.0.1")).rejects.toMatchObject(CLOSED);
      await expect(server.listenUnix(path)).rejects.toMatchObject(CLOSED);
      await expect(bindSockets(0, "127.0.0.1", options)).rejects.toMatchObject(CLOSED);
      await expect(bindUnixSocket(path, options)).rejects.toMatchObject(CLOSED);
      await expect(adoptSocket(1000, options)).rejects.toMatchObject(CLOSED);
      await expect(client.connect("127.0.0.1", port)).rejects.toMatchObject(CLOSED);
      await expect(client.connect("127.0.0.1", port, { timeoutMs: 0 })).rejects.toMatchObject(CLOSED);
      await expect(client.connectUnix(path, { timeoutMs: 0 })).rejects.toMatchObject(CLOSED);
      expect([server.port, openDescriptors()]).toEqual([0, before]);
      somebody.close();
    });

    it("drain() frees the port, and aborts who is there at once", async () => {
      const { loop, server, streams, port } = await serve();
      await dial(port);
      await until(() => streams.length === 1);
      await loop.close();
      expect(await server.drain()).toEqual({ finished: 0, aborted: 1 });
      expect(streams[0]).toMatchObject({ closed: true, error: { code: "ERR_TW_DRAINING" } });
      await refused(port);
      expect(await server.drain()).toEqual({ finished: 0, aborted: 0 });
    });

    it.each(["bound", undefined] as const)("stop() and disposing free the port (%s)", async (bound) => {
      for (const end of ["stop", Symbol.asyncDispose] as const) {
        const { loop, server, port } = await serve({}, bound);
        await loop.close();
        await server[end]();
        await refused(port);
      }
    });

    it("a drain that its loop left alone is ended by stop()", async () => {
      const { loop, server, port } = await serve();
      void server.drain();
      await loop.close();
      await server.stop();
      await refused(port);
    });

    it.each(["drain", "stop"] as const)("a handshake under way ends with its server, by %s", async (end) => {
      const before = openDescriptors();
      const { loop, server, port } = await serve({ tls: here });
      const peer = await dial(port);
      await until(() => server.connectionCount === 1);
      await (end === "drain" ? server.drain({ timeoutMs: 0 }) : server.stop());
      await loop.close();
      peer.destroy();
      await until(() => server.connectionCount === 0);
      expect(server.handshakeFailures).toBe(1);
      await descriptorsBackTo(before);
    });

    it("who waited for room is let in when there is", async () => {
      const { loop, server, streams, port } = await serve({ maxConnections: 1 });
      await dial(port);
      await until(() => streams.length === 1);
      await dial(port);
      for (let i = 0; i < 10; i++) await settle();
      await loop.close();
      streams[0]?.abort();
      await until(() => streams.length === 2);
      await server.drain();
      expect(server.connectionCount).toBe(0);
    });
  });
});
