import { hasSubscribers, subscribe, unsubscribe } from "node:diagnostics_channel";
import { unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOLoop, observe } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { nativeAvailable } from "@tw/tooling-testing";
import { Deferred } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import { type ListeningMessage, ListeningSocket, TCPClient, TCPServer, useNetwork } from "../src/index.js";
import { MemoryNetwork } from "../src/testing.js";

type Name = `tw:tcp:${string}`;

const NAMES: readonly Name[] = ["tw:tcp:listening", "tw:tcp:stopped", "tw:tcp:accepted", "tw:tcp:connected"];

const stops: (() => unknown)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  expect(NAMES.filter((name) => hasSubscribers(name))).toEqual([]);
});

/** The messages of this package until the test ends. */
function heard(): [Name, unknown][] {
  const messages: [Name, unknown][] = [];
  for (const name of NAMES) {
    const listener = (message: unknown): void => void messages.push([name, message]);
    subscribe(name, listener);
    stops.push(() => unsubscribe(name, listener));
  }
  return messages;
}

for (const carrier of ["memory", "native", "node"] as const) {
  describe.skipIf(carrier === "native" && !nativeAvailable)(carrier, () => {
    function setUp() {
      const loop = new IOLoop({ logger: nullLogger });
      if (carrier === "memory") useNetwork(loop, new MemoryNetwork(loop));
      const options = carrier === "memory" ? { loop } : { loop, engine: carrier };
      const served = new Deferred<IOStream>();
      const server = new TCPServer((stream) => served.resolve(stream), options);
      const client = new TCPClient(options);
      return { server, client, served: served.promise };
    }

    /** Listening, connecting, and the end of it, by one of two ways. */
    async function life(
      listen: (server: TCPServer) => Promise<void>,
      connect: (client: TCPClient, server: TCPServer) => Promise<IOStream>,
    ) {
      const { server, client, served } = setUp();
      const messages = heard();
      await listen(server);
      const { port } = server;
      const near = await connect(client, server);
      const far = await served;
      await server.stop();
      await server.stop();
      for (const stream of [near, far]) stream.abort();
      await Promise.all([near.whenClosed, far.whenClosed]);
      return { messages, server, port, near, far };
    }

    it("a TCP port: listening, accepted by the server and connected by the client, stopped once", async () => {
      const { messages, server, port, near, far } = await life(
        (server) => server.listen(0, "127.0.0.1"),
        (client, server) => client.connect("127.0.0.1", server.port),
      );
      const [[name, first]] = messages as [[Name, unknown]];
      const { socket } = first as ListeningMessage;
      expect([name, first]).toEqual(["tw:tcp:listening", { socket: expect.any(ListeningSocket) }]);
      expect(messages).toHaveLength(4);
      const between = messages.slice(1, 3).sort(([a], [b]) => (a < b ? -1 : 1));
      expect(between).toEqual([
        ["tw:tcp:accepted", { server, stream: far }],
        ["tw:tcp:connected", { host: "127.0.0.1", port, stream: near }],
      ]);
      expect(messages[3]).toEqual(["tw:tcp:stopped", { socket }]);
    });

    it("a failed attempt publishes nothing", async () => {
      const { server, client } = setUp();
      await server.listen(0, "127.0.0.1");
      const { port } = server;
      await server.stop();
      const messages = heard();
      await expect(client.connect("127.0.0.1", port)).rejects.toThrow();
      expect(messages).toEqual([]);
    });

    it("an observer that throws is logged, and the connection is served", async () => {
      const { server, client, served } = setUp();
      const logged: unknown[] = [];
      const error = (fields: { err: unknown }): void => void logged.push((fields.err as Error).message);
      using _ = observe("tw:tcp:accepted", () => expect.fail("observer"), {
        logger: { ...nullLogger, error } as never,
      });
      await server.listen(0, "127.0.0.1");
      const near = await client.connect("127.0.0.1", server.port);
      const far = await served;
      expect(logged).toEqual(["observer"]);
      for (const stream of [near, far]) stream.abort();
      await Promise.all([near.whenClosed, far.whenClosed, server.stop()]);
    });

    it("an observer that aborts a connection before its TLS handshake leaves none behind", async () => {
      const { server, client, served } = setUp();
      const cancel = new AbortController();
      const reason = new Error("not this one");
      const abort = (): void => cancel.abort(reason);
      subscribe("tw:tcp:connected", abort);
      stops.push(() => unsubscribe("tw:tcp:connected", abort));
      await server.listen(0, "127.0.0.1");
      const options = { tls: { servername: "localhost" }, signal: cancel.signal };
      await expect(client.connect("127.0.0.1", server.port, options)).rejects.toBe(reason);
      const far = await served;
      await expect(far.readBytes(1)).rejects.toThrow();
      await Promise.all([far.whenClosed, server.stop()]);
    });

    if (carrier !== "memory")
      it("a Unix socket is named by its path, and has port 0", async () => {
        const path = join(tmpdir(), `tw-channels-${process.pid}-${carrier}.sock`);
        const { messages, near } = await life(
          (server) => server.listenUnix(path),
          (client) => client.connectUnix(path),
        );
        expect(messages.find(([name]) => name === "tw:tcp:connected")?.[1]).toEqual({
          host: path,
          port: 0,
          stream: near,
        });
        try {
          unlinkSync(path);
        } catch {
          // Closing has removed it.
        }
      });
  });
}
