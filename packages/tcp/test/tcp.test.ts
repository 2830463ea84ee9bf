import { spawn } from "node:child_process";
import { connect as netConnect } from "node:net";
import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { nativeAvailable } from "@tw/tooling-testing";
import { Deferred, fromUtf8, utf8 } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import { TCPClient, TCPServer, type TCPServerOptions, useNetwork } from "../src/index.js";
import { MemoryNetwork } from "../src/testing.js";
import { until } from "./helpers.js";

for (const carrier of ["memory", "native", "node"] as const) {
  describe.skipIf(carrier === "native" && !nativeAvailable)(carrier, () => {
    const engine = carrier === "memory" ? {} : { engine: carrier };
    const servers: TCPServer[] = [];
    const streams: IOStream[] = [];

    afterEach(async () => {
      for (const stream of streams.splice(0)) stream.abort();
      for (const server of servers.splice(0)) await server.stop();
    });

    async function serve(
      handler: (stream: IOStream) => void | Promise<void>,
      options: TCPServerOptions = {},
    ): Promise<TCPServer> {
      const loop = new IOLoop({ logger: nullLogger });
      if (carrier === "memory") useNetwork(loop, new MemoryNetwork(loop));
      const keep = (stream: IOStream) => {
        streams.push(stream);
        return handler(stream);
      };
      const server = new TCPServer(keep, { ...engine, ...options, loop });
      servers.push(server);
      await server.listen(0, "127.0.0.1");
      return server;
    }

    async function connect(server: TCPServer): Promise<IOStream> {
      const client = new TCPClient({ ...engine, loop: server.loop });
      const stream = await client.connect("127.0.0.1", server.port);
      streams.push(stream);
      return stream;
    }

    const echoLine = async (stream: IOStream) => {
      await stream.write(await stream.readUntil("\n", { maxBytes: 1000 }));
    };

    it("carries a line there and back", async () => {
      const server = await serve(echoLine);
      const stream = await connect(server);
      await stream.write(utf8("ping\n"));
      expect(fromUtf8(await stream.readUntil("\n", { maxBytes: 1000 }))).toBe("ping\n");
      expect(stream.info.remotePort === server.port || carrier === "memory").toBe(true);
    });

    it("answers 500 clients that connect at once", async () => {
      const server = await serve(echoLine);
      const answers = await Promise.all(
        Array.from({ length: 500 }, async (_, i) => {
          const stream = await connect(server);
          await stream.write(utf8(`${i}\n`));
          return fromUtf8(await stream.readUntil("\n", { maxBytes: 1000 }));
        }),
      );
      expect(answers).toEqual(Array.from({ length: 500 }, (_, i) => `${i}\n`));
    });

    it("contains a handler that throws or rejects: its stream is aborted, the server goes on", async () => {
      let calls = 0;
      const server = await serve((stream) => {
        calls++;
        if (calls === 1) throw new Error("sync");
        if (calls === 2) return Promise.reject(new Error("async"));
        return echoLine(stream);
      });
      for (let i = 0; i < 2; i++) {
        // The reset may come before the client's own connect has returned.
        const reading = connect(server).then((stream) => stream.readBytes(1));
        await expect(reading).rejects.toMatchObject({
          code: expect.stringMatching(/ECONNRESET|ERR_TW_STREAM_CLOSED/),
        });
      }
      expect(calls).toBe(2);
      const stream = await connect(server);
      await stream.write(utf8("fine\n"));
      expect(fromUtf8(await stream.readUntil("\n", { maxBytes: 1000 }))).toBe("fine\n");
    });

    it("stop() refuses new connections, twice over, and leaves the old ones alone", async () => {
      const gate = new Deferred();
      const server = await serve(async (stream) => {
        await gate.promise;
        await echoLine(stream);
      });
      const { port } = server;
      const stream = await connect(server);
      await stream.write(utf8("x\n"));
      await until(() => server.connectionCount === 1);
      await server.stop();
      await server.stop();
      const client = new TCPClient({ ...engine, loop: server.loop });
      await expect(client.connect("127.0.0.1", port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      gate.resolve();
      expect(fromUtf8(await stream.readUntil("\n", { maxBytes: 1000 }))).toBe("x\n");
    });

    it("says EADDRINUSE for a taken port", async () => {
      const server = await serve(echoLine);
      const second = new TCPServer(echoLine, { ...engine, loop: server.loop });
      await expect(second.listen(server.port, "127.0.0.1")).rejects.toMatchObject({
        code: "EADDRINUSE",
        message: expect.stringContaining(`127.0.0.1:${server.port}`),
      });
    });

    it("says ECONNREFUSED where nobody listens", async () => {
      const server = await serve(echoLine);
      const { port } = server;
      await server.stop();
      const client = new TCPClient({ ...engine, loop: server.loop });
      await expect(client.connect("127.0.0.1", port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });

    it("rejects with the signal's reason when it was aborted before", async () => {
      const server = await serve(echoLine);
      const client = new TCPClient({ ...engine, loop: server.loop });
      const reason = new Error("no more");
      await expect(
        client.connect("127.0.0.1", server.port, { signal: AbortSignal.abort(reason) }),
      ).rejects.toBe(reason);
    });

    it("throws RangeError for what is no port, before anything happens", async () => {
      const server = await serve(echoLine);
      const client = new TCPClient({ ...engine, loop: server.loop });
      for (const port of [-1, 65_536, 1.5, Number.NaN]) {
        expect(() => server.listen(port)).toThrow(RangeError);
        expect(() => client.connect("127.0.0.1", port)).toThrow(RangeError);
      }
      for (const signal of [null, {}, new AbortController()] as never[])
        expect(() => client.connect("127.0.0.1", 1, { signal })).toThrow(TypeError);
    });
  });
}

for (const engine of ["native", "node"] as const) {
  describe.skipIf(engine === "native" && !nativeAvailable)(`${engine} engine, real addresses`, () => {
    it("serves IPv4 and IPv6 when it listens on every address", async () => {
      const server = new TCPServer((stream) => void stream.close(), { engine });
      await server.listen(0);
      for (const host of ["127.0.0.1", "::1"]) {
        const stream = await new TCPClient({ engine }).connect(host, server.port);
        await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      }
      await server.stop();
    });

    it("says who answered, however its address was spelled", async () => {
      const server = new TCPServer((stream) => void stream.close(), { engine });
      await server.listen(0);
      const { port } = server;
      for (const [host, peer] of [
        ["127.0.0.1", "127.0.0.1"],
        ["0.0.0.0", "127.0.0.1"],
        ["::1", "::1"],
        ["::", "::1"],
        ["0:0:0:0:0:0:0:1", "::1"],
        ["::ffff:127.0.0.1", "::ffff:127.0.0.1"],
        ["::FFFF:7F00:1", "::ffff:127.0.0.1"],
      ] as const) {
        const stream = await new TCPClient({ engine }).connect(host, port);
        expect([host, stream.info.remoteAddress, stream.info.remotePort]).toEqual([host, peer, port]);
        await stream.close();
      }
      await server.stop();
    });

    it("gives up connecting when aborted or when time runs out, and leaves nothing open", async () => {
      const { port, release } = await deafListener();
      const client = new TCPClient({ engine });
      const abort = new AbortController();
      const reason = new Error("stop");
      const connecting = client.connect("127.0.0.1", port, { signal: abort.signal });
      setImmediate(() => abort.abort(reason));
      await expect(connecting).rejects.toBe(reason);
      await expect(client.connect("127.0.0.1", port, { timeoutMs: 30 })).rejects.toMatchObject({
        code: "ERR_TW_CONNECT_TIMEOUT",
      });
      release();
    });
  });
}

/** A listener in a stopped process, its queue full: it answers no further SYN, so connecting hangs. */
async function deafListener(): Promise<{ port: number; release: () => void }> {
  const script = `
    const { writeSync } = require("node:fs");
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const port = Number(await new Promise((resolve) => child.stdout.once("data", resolve)));
  const fillers = Array.from({ length: 8 }, () => netConnect(port, "127.0.0.1").on("error", () => {}));
  // A backlog of one holds two.
  await until(() => fillers.filter(({ connecting }) => !connecting).length === 2);
  const release = () => {
    for (const filler of fillers) filler.destroy();
    child.kill("SIGKILL");
  };
  return { port, release };
}
