// Descriptors that somebody else opened: a service manager's protocol, and whatever a parent hands down.
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { openSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Transport } from "@tw/iostream";
import { loadPoller, type Poller } from "@tw/poller";
import { nativeAvailable, onEveryEngine } from "@tw/tooling-testing";
import { afterEach, describe, expect, it } from "vitest";
import { adoptSocket, listenFds } from "../src/index.js";

const PID = String(process.pid);

describe("listenFds()", () => {
  it("finds descriptors from 3 on with their names, and takes the variables away", () => {
    const environment = { LISTEN_PID: PID, LISTEN_FDS: "2", LISTEN_FDNAMES: "http:admin", PATH: "/bin" };
    expect(listenFds(environment)).toEqual([
      { fd: 3, name: "http" },
      { fd: 4, name: "admin" },
    ]);
    expect(environment).toEqual({ PATH: "/bin" });
    expect(listenFds(environment)).toEqual([]);
  });

  it("calls them unknown where nobody names them", () => {
    expect(listenFds({ LISTEN_PID: PID, LISTEN_FDS: "1" })).toEqual([{ fd: 3, name: "unknown" }]);
  });

  it.each([
    ["nothing is set", {}],
    ["they are another process's", { LISTEN_PID: String(process.pid + 1), LISTEN_FDS: "1" }],
    ["there are none", { LISTEN_PID: PID, LISTEN_FDS: "0" }],
    ["there are none, and no names", { LISTEN_PID: PID, LISTEN_FDS: "0", LISTEN_FDNAMES: "" }],
    ["nobody says whose they are", { LISTEN_FDS: "1" }],
  ])("finds nothing when %s", (_why, environment) => {
    expect(listenFds(environment)).toEqual([]);
  });

  it.each([
    { LISTEN_PID: "me", LISTEN_FDS: "1" },
    { LISTEN_PID: PID, LISTEN_FDS: "-1" },
    { LISTEN_PID: PID, LISTEN_FDS: "" },
    { LISTEN_PID: PID, LISTEN_FDS: "1e3" },
    { LISTEN_PID: PID, LISTEN_FDS: "4097" },
    { LISTEN_PID: PID, LISTEN_FDS: "2", LISTEN_FDNAMES: "one" },
    { LISTEN_PID: PID, LISTEN_FDS: "1", LISTEN_FDNAMES: "one:two" },
  ])("refuses %j", (environment) => {
    expect(() => listenFds(environment)).toThrow(expect.objectContaining({ code: "ERR_TW_LISTEN_FDS" }));
  });

  it("takes as many as there may be", () => {
    expect(listenFds({ LISTEN_PID: PID, LISTEN_FDS: "4096" })).toHaveLength(4096);
  });
});

/** Serves on what it inherited, and says what it got. */
const program = (engine: string) => `
  import { TCPServer, inheritedSockets } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
  const sockets = await inheritedSockets({ engine: "${engine}" });
  const server = new TCPServer(async (stream) => {
    await stream.write("inherited");
    await stream.close();
  }, { engine: "${engine}" });
  server.addSockets(sockets);
  console.log(JSON.stringify({ count: sockets.length, left: process.env.LISTEN_FDS, port: server.port }));`;

onEveryEngine((engine) => {
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const descriptors: number[] = [];
  // Makes the descriptors that are handed over, on the node engine too.
  const poller = loadPoller() as Poller;
  const withPoller = it.skipIf(!nativeAvailable);

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) server.close();
    for (const fd of descriptors.splice(0)) poller.closeFd(fd);
  });

  function listening(): { fd: number; port: number } {
    const fd = poller.socket(4);
    descriptors.push(fd);
    poller.bind(fd, "127.0.0.1", 0);
    poller.listen(fd, 16);
    return { fd, port: (poller.getsockname(fd) as { port: number }).port };
  }

  withPoller("inheritedSockets() serves on the service manager's descriptors", async () => {
    const { fd, port } = listening();
    const script = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec "$0" --input-type=module -e "$1"';
    const child = spawn("/bin/sh", ["-c", script, process.execPath, program(engine)], {
      stdio: ["ignore", "pipe", "inherit", fd],
    });
    children.push(child);
    const [line] = await once(child.stdout as NodeJS.ReadableStream, "data");
    expect(JSON.parse(String(line))).toEqual({ count: 1, port });
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    const [data] = await once(socket, "data");
    expect(String(data)).toBe("inherited");
  });

  withPoller("adoptSocket() refuses what is no listening stream socket, and leaves it open", async () => {
    const { port } = listening();
    const connected = poller.socket(4);
    poller.connect(connected, "127.0.0.1", port);
    const bound = poller.socket(4);
    poller.bind(bound, "127.0.0.1", 0);
    const named = poller.socket(0);
    poller.bind(named, `\0tw-${randomUUID()}`, 0);
    const pipe = poller.pipe() as readonly [number, number];
    const file = openSync(process.execPath, "r");
    descriptors.push(connected, bound, named, ...pipe, file);
    for (const fd of [connected, bound, named, ...pipe, file, 0x7fff_0000]) {
      await expect(adoptSocket(fd, { engine })).rejects.toMatchObject({ code: "ERR_TW_NOT_LISTENING" });
    }
    const where = poller.getsockname(bound) as { port: number };
    const refused = once(connect(where.port, "127.0.0.1"), "connect");
    await expect(refused).rejects.toMatchObject({ code: "ECONNREFUSED" });
    const rest = descriptors.splice(0);
    expect(rest.map((fd) => poller.closeFd(fd))).toEqual(rest.map(() => 0));
  });

  it("adoptSocket() refuses what is no descriptor, at once", () => {
    for (const fd of [-1, 1.5, Number.NaN, 2 ** 31])
      expect(() => adoptSocket(fd, { engine })).toThrow(RangeError);
    expect(() => adoptSocket("3" as never, { engine })).toThrow(TypeError);
  });

  withPoller("adoptSocket() takes a socket over with who waits in its queue", async () => {
    const { fd, port } = listening();
    const early = connect(port, "127.0.0.1");
    sockets.push(early);
    await once(early, "connect");
    descriptors.pop();
    const socket = await adoptSocket(fd, { engine });
    const come = new Promise<Transport>((resolve) => socket.accept(resolve));
    (await come).abort();
    await socket.close();
  });

  withPoller("adoptSocket() knows the path of a Unix socket", async () => {
    const path = `\0tw-${randomUUID()}`;
    const fd = poller.socket(0);
    poller.bind(fd, path, 0);
    poller.listen(fd, 16);
    const socket = await adoptSocket(fd, { engine });
    expect([socket.address, socket.port]).toEqual([path, 0]);
    await socket.close();
  });

  withPoller("adoptSocket() owns the descriptor: closing the socket closes it", async () => {
    const { fd, port } = listening();
    descriptors.pop();
    const socket = await adoptSocket(fd, { engine });
    expect([socket.address, socket.port]).toEqual(["127.0.0.1", port]);
    await socket.close();
    const again = createServer();
    servers.push(again);
    await new Promise<void>((resolve, reject) =>
      again.once("error", reject).listen(port, "127.0.0.1", resolve),
    );
  });
});
