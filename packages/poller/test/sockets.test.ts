import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { constants, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hostText, READ, type SocketOption, WRITE } from "../src/index.js";
import {
  EAGAIN,
  EBADF,
  EINVAL,
  listener,
  native,
  pair,
  pipe,
  Recorder,
  run,
  runChild,
  tcpPair,
  turns,
  until,
} from "./helpers.js";

const { EADDRINUSE, ECONNREFUSED, ECONNRESET, EINPROGRESS, ENAMETOOLONG, ENOENT, ENOTCONN, ENOTSOCK } =
  constants.errno;

native("sockets", (poller) => {
  const room = new Uint8Array(64);

  async function connected(fd: number): Promise<void> {
    const sink = new Recorder((_, self) => poller.unwatch(self.handle));
    sink.handle = poller.watch(fd, WRITE, sink);
    await until(() => sink.seen.length > 0);
  }

  const loopbacks = [
    [4, "127.0.0.1"],
    ...(networkInterfaces().lo?.some((one) => one.family === "IPv6") ? [[6, "::1"]] : []),
  ] as const;
  for (const [family, address] of loopbacks as readonly (readonly [4 | 6, string])[]) {
    it(`connects, accepts and talks over ${address}, and each end knows both names`, async () => {
      const server = poller.socket(family);
      expect(poller.setsockopt(server, "reuseAddr", 1)).toBe(0);
      expect(poller.bind(server, address, 0)).toBe(0);
      expect(poller.listen(server, 16)).toBe(0);
      expect(poller.accept(server)).toBe(-EAGAIN);
      const name = poller.getsockname(server);
      expect(name).toMatchObject({ address, family });
      const port = (name as { port: number }).port;
      const client = poller.socket(family);
      expect([0, -EINPROGRESS]).toContain(poller.connect(client, address, port));
      await connected(client);
      expect(poller.socketError(client)).toBe(0);
      const accepted = poller.accept(server);
      if (typeof accepted === "number") throw new Error(poller.errnoName(accepted));
      expect(pick(accepted)).toEqual(pick(poller.getsockname(client)));
      expect(hostText(accepted.host)).toBe(address);
      expect(typeof accepted.host).toBe(family === 4 ? "number" : "string");
      expect(poller.getpeername(client)).toEqual(name);
      expect(poller.getpeername(accepted.fd)).toEqual(poller.getsockname(client));
      expect(poller.writev(accepted.fd, ["hi"], 0)).toBe(2);
      await turns();
      expect(poller.read(client, room, 0, 64)).toBe(2);
      for (const fd of [client, accepted.fd, server]) expect(poller.closeFd(fd)).toBe(0);
    });
  }

  it("connects and accepts over a Unix path and an abstract name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tw-poller-"));
    for (const path of [join(folder, "s\u00f6cket"), `\0tw-poller-test-${process.pid}`]) {
      const server = poller.socket(0);
      expect(poller.bind(server, path, 0)).toBe(0);
      expect(poller.listen(server, 16)).toBe(0);
      expect(poller.getsockname(server)).toEqual({ address: path, port: 0, family: 0 });
      const client = poller.socket(0);
      expect(poller.connect(client, path, 0)).toBe(0);
      const accepted = poller.accept(server) as { fd: number };
      expect(accepted).toMatchObject({ address: "", port: 0 });
      expect(poller.getpeername(client)).toEqual({ address: path, port: 0, family: 0 });
      expect(poller.getsockname(client)).toEqual({ address: "", port: 0, family: 0 });
      expect(existsSync(path.replace("\0", "/nowhere"))).toBe(!path.startsWith("\0"));
      for (const fd of [client, accepted.fd, server]) poller.closeFd(fd);
    }
    rmSync(folder, { recursive: true });
  });

  it("addresses that are none are -EINVAL, paths that are too long -ENAMETOOLONG", () => {
    const [four, six, unix] = [poller.socket(4), poller.socket(6), poller.socket(0)];
    for (const text of ["", "localhost", "127.0.0.1 ", "127.0.0.1\0.example", "::1", "1.2.3", "256.0.0.1"]) {
      expect(poller.connect(four, text, 80)).toBe(-EINVAL);
      expect(poller.bind(four, text, 0)).toBe(-EINVAL);
    }
    for (const text of ["", "127.0.0.1", "::g", "::1\0", "fe80::1%", "fe80::1%nosuchinterface", "::1%1x"]) {
      expect(poller.connect(six, text, 80)).toBe(-EINVAL);
    }
    expect(poller.connect(unix, "", 0)).toBe(-EINVAL);
    expect(poller.connect(unix, "/tmp/a\0b", 0)).toBe(-EINVAL);
    expect(poller.connect(unix, "/tmp/tw-poller-not-there", 0)).toBe(-ENOENT);
    expect(poller.bind(unix, `/tmp/${"x".repeat(103)}`, 0)).toBe(-ENAMETOOLONG);
    expect(poller.bind(unix, "x".repeat(300), 0)).toBe(-ENAMETOOLONG);
    expect(poller.bind(unix, `\0${"x".repeat(107)}`, 0)).toBe(-ENAMETOOLONG);
    expect(poller.bind(unix, `\0${"x".repeat(106)}`, 0)).toBe(0);
    for (const fd of [four, six, unix]) poller.closeFd(fd);
  });

  it("what the kernel says comes back as -errno", async () => {
    const { fd, port } = listener(poller);
    const second = poller.socket(4);
    expect(poller.bind(second, "127.0.0.1", port)).toBe(-EADDRINUSE);
    expect(poller.getpeername(second)).toBe(-ENOTCONN);
    expect(poller.shutdown(second)).toBe(-ENOTCONN);
    poller.closeFd(fd);
    const refused = poller.connect(second, "127.0.0.1", port);
    if (refused === -EINPROGRESS) {
      await connected(second);
      expect(poller.socketError(second)).toBe(ECONNREFUSED);
      expect(poller.socketError(second)).toBe(0);
    } else expect(refused).toBe(-ECONNREFUSED);
    poller.closeFd(second);
    expect(poller.closeFd(second)).toBe(-EBADF);
    for (const call of [
      "accept",
      "socketError",
      "shutdown",
      "getsockname",
      "getpeername",
      "adopt",
    ] as const) {
      expect(poller[call](second)).toBe(-EBADF);
    }
    expect(poller.listen(second, 1)).toBe(-EBADF);
    expect(poller.connect(second, "127.0.0.1", 1)).toBe(-EBADF);
    expect(poller.setsockopt(second, "noDelay", 1)).toBe(-EBADF);
    const [reader, writer] = pipe(poller);
    expect(poller.listen(reader, 1)).toBe(-ENOTSOCK);
    for (const one of [reader, writer]) poller.closeFd(one);
  });

  it("every socket option is accepted on TCP", async () => {
    const [a, b] = await tcpPair(poller);
    const options: SocketOption[] = [
      "reuseAddr",
      "reusePort",
      "noDelay",
      "keepAlive",
      "linger0",
      "sendBuffer",
      "receiveBuffer",
    ];
    for (const option of options)
      for (const value of [60, 1, 0])
        expect([option, poller.setsockopt(a, option, value)]).toEqual([option, 0]);
    const six = poller.socket(6);
    for (const value of [1, 0]) expect(poller.setsockopt(six, "v6Only", value)).toBe(0);
    expect(() => poller.setsockopt(a, "nagle" as SocketOption, 1)).toThrow(TypeError);
    for (const fd of [a, b, six]) poller.closeFd(fd);
  });

  it("linger0 makes close() send a reset", async () => {
    const [a, b] = await tcpPair(poller);
    poller.setsockopt(a, "linger0", 1);
    poller.closeFd(a);
    await turns();
    expect(poller.read(b, room, 0, 1)).toBe(-ECONNRESET);
    poller.closeFd(b);
  });

  it("shutdown() ends one direction only", async () => {
    const [a, b] = await tcpPair(poller);
    expect(poller.shutdown(a)).toBe(0);
    await turns();
    expect(poller.read(b, room, 0, 1)).toBe(0);
    expect(poller.writev(b, ["late"], 0)).toBe(4);
    await turns();
    expect(poller.read(a, room, 0, 64)).toBe(4);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("everything made here is close-on-exec: a child inherits none of it", async () => {
    const { fd, port } = listener(poller);
    const client = poller.socket(4);
    poller.connect(client, "127.0.0.1", port);
    await connected(client);
    const accepted = poller.accept(fd) as { fd: number };
    const made = [fd, client, accepted.fd, ...pair(poller), ...pipe(poller)];
    const given = openSync("/dev/zero", "r");
    expect(poller.adopt(given)).toBe(0);
    const { out } = await run("ls", ["/proc/self/fd"]);
    const inherited = out.split(/\s+/).map(Number);
    // The child's own few numbers are low ones; sockets and pipes are told apart by what they lead to.
    const { out: links } = await run("sh", ["-c", "readlink /proc/self/fd/*"]);
    expect(inherited.filter((one) => made.includes(one) && one > 20)).toEqual([]);
    expect(links).not.toContain("/dev/zero");
    for (const one of made) poller.closeFd(one);
    closeSync(given);
  });

  it("adopt() makes a blocking descriptor non-blocking", async () => {
    const { code, out } = await runChild("adopt");
    expect({ code, out }).toEqual({ code: 0, out: "0 EAGAIN" });
  });

  it("out of descriptors: every maker answers -EMFILE, and a waiting connection survives it", async () => {
    const { code, out, err } = await runChild("emfile");
    expect({ code, out, err }).toEqual({ code: 0, out: "EMFILE EMFILE EMFILE EMFILE accepted", err: "" });
  });

  it("errnoName() names either sign", () => {
    expect(poller.errnoName(ECONNREFUSED)).toBe("ECONNREFUSED");
    expect(poller.errnoName(-EAGAIN)).toBe("EAGAIN");
    expect(poller.errnoName(constants.errno.EIDRM)).toBe("EIDRM");
    expect(poller.errnoName(4711)).toBe("errno 4711");
    expect(() => poller.errnoName(1.5)).toThrow(TypeError);
  });

  it("a listener is level-triggered: one accept per event still accepts everybody", async () => {
    const { fd, port } = listener(poller);
    const peers: number[] = [];
    const sink = new Recorder(() => {
      const accepted = poller.accept(fd);
      if (typeof accepted !== "number") peers.push(accepted.fd);
    });
    const handle = poller.watch(fd, READ, sink);
    const clients = Array.from({ length: 20 }, () => {
      const client = poller.socket(4);
      poller.connect(client, "127.0.0.1", port);
      return client;
    });
    await until(() => peers.length === 20);
    poller.close(handle);
    for (const one of [...clients, ...peers]) poller.closeFd(one);
  });
});

function pick(name: unknown): { address: string; port: number } {
  const { address, port } = name as { address: string; port: number };
  return { address, port };
}
