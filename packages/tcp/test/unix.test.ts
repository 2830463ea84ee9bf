// Unix sockets: whose file it is, who may connect, and what is found there when a server died.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bindUnixSocket, DefaultResolver, OverrideResolver, TCPClient, TCPServer } from "../src/index.js";
import { descriptorsBackTo, openDescriptors, until } from "./helpers.js";

onEveryEngine((engine) => {
  // Node has its own way there, or none.
  const nativeOnly = (name: string, run: () => Promise<void>) => {
    if (engine === "native") it(name, run);
  };
  let folder = "";
  let path = "";
  const loop = new IOLoop({ logger: nullLogger });
  const servers: TCPServer[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tw-unix-"));
    path = join(folder, "s");
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    rmSync(folder, { recursive: true });
  });

  function echo(): TCPServer {
    const answer = async (stream: IOStream) => {
      await stream.write(await stream.readBytes(4));
      await stream.close();
    };
    const server = new TCPServer(answer, { engine, loop });
    servers.push(server);
    return server;
  }

  async function roundTrip(): Promise<void> {
    const stream = await new TCPClient({ engine, loop }).connectUnix(path);
    await stream.write("ping");
    expect(Buffer.from(await stream.readBytes(4)).toString()).toBe("ping");
    await stream.close();
  }

  /** The socket of a process that was killed. */
  function deadSocket(): void {
    const program = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", program]);
    expect(statSync(path).isSocket()).toBe(true);
  }

  it("listenUnix() and connectUnix() carry bytes; the file goes with the server", async () => {
    const server = echo();
    await server.listenUnix(path);
    expect([server.address, server.port]).toEqual([path, 0]);
    await roundTrip();
    await server.stop();
    expect(existsSync(path)).toBe(false);
    await expect(new TCPClient({ engine, loop }).connectUnix(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([undefined, 0o600, 0o660, 0o666, 0o777])("gives the file mode %s", async (mode) => {
    await echo().listenUnix(path, mode === undefined ? {} : { mode });
    expect(statSync(path).mode & 0o777).toBe(mode ?? 0o600);
  });

  it("leaves the process's umask as it was", async () => {
    const before = process.umask();
    await echo().listenUnix(path, { mode: 0o600 });
    expect(process.umask()).toBe(before);
  });

  it("replaces the socket that a dead server left", async () => {
    deadSocket();
    await echo().listenUnix(path);
    await roundTrip();
  });

  it("refuses a socket that somebody listens on with EADDRINUSE, and leaves it working", async () => {
    await echo().listenUnix(path);
    await expect(echo().listenUnix(path)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await roundTrip();
  });

  it("never replaces a file, a folder or a link", async () => {
    writeFileSync(path, "precious");
    const link = join(folder, "link");
    symlinkSync(path, link);
    for (const place of [path, folder, link]) {
      await expect(echo().listenUnix(place)).rejects.toMatchObject({ code: "ERR_TW_NOT_A_SOCKET" });
    }
    expect(statSync(path).size).toBe(8);
  });

  it("says ENOENT where there is no folder, and leaves nothing open", async () => {
    const before = openDescriptors();
    await expect(echo().listenUnix(join(folder, "no", "s"))).rejects.toMatchObject({
      code: expect.stringMatching(/ENOENT|EACCES/),
    });
    await descriptorsBackTo(before);
  });

  nativeOnly("stop() leaves alone what has taken the file's place", async () => {
    const server = echo();
    await server.listenUnix(path);
    rmSync(path);
    const successor = createServer();
    await new Promise<void>((resolve) => successor.listen(path, resolve));
    await server.stop();
    expect(existsSync(path)).toBe(true);
    successor.close();
  });

  it("names the path alone where nobody listens", async () => {
    const failed = new TCPClient({ engine, loop }).connectUnix(path);
    await expect(failed).rejects.toMatchObject({ message: `connect ENOENT ${path}`, address: path });
    await expect(failed).rejects.not.toHaveProperty("port");
  });

  it("refuses paths that do not fit an address, before anything happens", () => {
    expect(() => bindUnixSocket("")).toThrow(TypeError);
    expect(() => bindUnixSocket("/tmp/\0x")).toThrow(TypeError);
    expect(() => bindUnixSocket("x".repeat(108))).toThrow(RangeError);
    expect(() => bindUnixSocket(path, { mode: 0o1000 })).toThrow(RangeError);
    expect(() => new TCPClient({ engine, loop }).connectUnix("é".repeat(54))).toThrow(RangeError);
  });

  it("takes a path of the greatest length", async () => {
    path = join(folder, "x".repeat(107 - folder.length - 1));
    await echo().listenUnix(path);
    await roundTrip();
  });

  it("is reached by name through an OverrideResolver", async () => {
    await echo().listenUnix(path);
    const resolver = new OverrideResolver(new DefaultResolver(loop), { "db.test": `unix:${path}` });
    const stream = await new TCPClient({ engine, loop, resolver }).connect("db.test", 5432);
    await stream.write("ping");
    expect(await stream.readBytes(4)).toHaveLength(4);
    await stream.close();
  });

  nativeOnly("waits for a full queue to have room, and gives up when told to", async () => {
    const socket = await bindUnixSocket(path, { engine, loop, backlog: 1 });
    const client = new TCPClient({ engine, loop });
    const connecting = Array.from({ length: 5 }, () => client.connectUnix(path));
    await expect(client.connectUnix(path, { timeoutMs: 30 })).rejects.toMatchObject({
      code: "ERR_TW_CONNECT_TIMEOUT",
    });
    let served = 0;
    socket.accept((transport) => {
      served++;
      transport.abort();
    });
    for (const stream of await Promise.all(connecting)) stream.abort();
    await until(() => served === 5);
    await socket.close();
  });

  nativeOnly("takes an abstract name, which has no file", async () => {
    path = `\0tw-${process.pid}-${Math.random()}`;
    await echo().listenUnix(path);
    await roundTrip();
  });
});
