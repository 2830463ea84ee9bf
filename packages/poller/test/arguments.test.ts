import { expect, it } from "vitest";
import { READ } from "../src/index.js";
import { EAGAIN, native, pair, Recorder } from "./helpers.js";

const badFds = [undefined, null, "0", {}, -1, 1.5, Number.NaN, Infinity, 2 ** 31, 2 ** 32, 0n, true, [0]];
const badHandles = [undefined, null, "0", {}, -1, 1.5, Number.NaN, Infinity, 2 ** 53, 0n];

native("arguments", (poller) => {
  // biome-ignore lint/suspicious/noExplicitAny: the point is to pass what the types forbid
  const any = poller as any;
  const sink = new Recorder();
  const buffer = new Uint8Array(8);

  const takesFd: Record<string, (fd: unknown) => unknown> = {
    watch: (fd) => any.watch(fd, READ, sink),
    read: (fd) => any.read(fd, buffer, 0, 8),
    writev: (fd) => any.writev(fd, ["x"], 0),
    "writev of a long list": (fd) => any.writev(fd, ["a", "b", "c", "d", "e"], 0),
    writePage: (fd) => any.writePage(fd, 0, 1),
    sendfile: (fd) => any.sendfile(fd, 0, 0, 1),
    "sendfile, of the file": (fd) => any.sendfile(1, fd, 0, 1),
    cached: (fd) => any.cached(fd, 0, 1),
    bind: (fd) => any.bind(fd, "127.0.0.1", 0),
    listen: (fd) => any.listen(fd, 1),
    accept: (fd) => any.accept(fd),
    connect: (fd) => any.connect(fd, "127.0.0.1", 1),
    socketError: (fd) => any.socketError(fd),
    shutdown: (fd) => any.shutdown(fd),
    closeFd: (fd) => any.closeFd(fd),
    getsockname: (fd) => any.getsockname(fd),
    getpeername: (fd) => any.getpeername(fd),
    setsockopt: (fd) => any.setsockopt(fd, "noDelay", 1),
    adopt: (fd) => any.adopt(fd),
  };
  for (const [name, call] of Object.entries(takesFd)) {
    it(`${name}() throws TypeError for what is not a descriptor: close(undefined) must not close stdin`, () => {
      for (const bad of badFds) expect(() => call(bad), String(bad)).toThrow(TypeError);
      expect(poller.size).toBe(0);
    });
  }

  const takesHandle: Record<string, (handle: unknown) => unknown> = {
    modify: (handle) => any.modify(handle, READ),
    unwatch: (handle) => any.unwatch(handle),
    close: (handle) => any.close(handle),
    setRef: (handle) => any.setRef(handle, true),
    wake: (handle) => any.wake(handle),
  };
  for (const [name, call] of Object.entries(takesHandle)) {
    it(`${name}() throws TypeError for what is not a handle`, () => {
      for (const bad of badHandles) expect(() => call(bad), String(bad)).toThrow(TypeError);
      for (const stale of [0, 1, 2 ** 24, 2 ** 53 - 1]) expect(() => call(stale)).not.toThrow();
    });
  }

  const wrongType: Record<string, () => unknown> = {
    "watch: no sink": () => any.watch(0, READ),
    "watch: a sink without onEvents": () => any.watch(0, READ, {}),
    "watch: a function as sink": () => any.watch(0, READ, () => {}),
    "watch: no mask": () => any.watch(0, undefined, sink),
    "watch: unknown bits": () => any.watch(0, 2, sink),
    "watch: HANGUP is not asked for": () => any.watch(0, 0x20, sink),
    "watch: a negative mask": () => any.watch(0, -1, sink),
    "watch: a large mask": () => any.watch(0, 2 ** 32 + 1, sink),
    "watch: a fraction": () => any.watch(0, 1.5, sink),
    "watch: edge is no boolean": () => any.watch(0, READ, sink, { edge: 1 }),
    "modify: unknown bits": () => any.modify(0, 2),
    "setRef: no boolean": () => any.setRef(0, 1),
    "setRef: nothing": () => any.setRef(0),
    "read: no buffer": () => any.read(0, undefined, 0, 1),
    "read: an ArrayBuffer": () => any.read(0, new ArrayBuffer(8), 0, 1),
    "read: a DataView": () => any.read(0, new DataView(new ArrayBuffer(8)), 0, 1),
    "read: another typed array": () => any.read(0, new Uint16Array(8), 0, 1),
    "read: a clamped array": () => any.read(0, new Uint8ClampedArray(8), 0, 1),
    "read: offset is no number": () => any.read(0, buffer, "0", 1),
    "read: length is missing": () => any.read(0, buffer, 0),
    "writev: no list": () => any.writev(1, "text", 0),
    "writev: a list-like object": () => any.writev(1, { length: 1, 0: "x" }, 0),
    "writev: a number as chunk": () => any.writev(1, [5], 0),
    "writev: a hole": () => any.writev(1, new Array(1), 0),
    "writev: an ArrayBuffer as chunk": () => any.writev(1, [new ArrayBuffer(8)], 0),
    "writev: another typed array as chunk": () => any.writev(1, [new Uint16Array(8)], 0),
    "writev: a bad chunk in a long list": () => any.writev(1, ["a", "b", "c", "d", {}], 0),
    "writev: skip is no number": () => any.writev(1, ["a"], "0"),
    "writev: skip is missing": () => any.writev(1, ["a"]),
    "sendfile: offset is no number": () => any.sendfile(1, 0, undefined, 1),
    "writev: more is no boolean": () => any.writev(1, ["a"], 0, 1),
    "sendfile: length is no number": () => any.sendfile(1, 0, 0, "1"),
    "cached: offset is no number": () => any.cached(0, undefined, 1),
    "cached: length is missing": () => any.cached(0, 0),
    "socket: no family": () => any.socket(),
    "bind: no address": () => any.bind(0, undefined, 0),
    "bind: port is no number": () => any.bind(0, "127.0.0.1", "80"),
    "connect: address is no string": () => any.connect(0, 127, 80),
    "connect: no port": () => any.connect(0, "127.0.0.1"),
    "listen: no backlog": () => any.listen(0),
    "setsockopt: unknown option": () => any.setsockopt(0, "toString", 1),
    "setsockopt: a number as option": () => any.setsockopt(0, 3, 1),
    "setsockopt: a boolean value": () => any.setsockopt(0, "noDelay", true),
  };
  for (const [name, call] of Object.entries(wrongType)) {
    it(`TypeError: ${name}`, () => {
      expect(call).toThrow(TypeError);
      expect(poller.size).toBe(0);
    });
  }

  const outOfRange: Record<string, () => unknown> = {
    "socket: family 5": () => any.socket(5),
    "socket: family -1": () => any.socket(-1),
    "bind: port -1": () => any.bind(0, "127.0.0.1", -1),
    "bind: port 65536": () => any.bind(0, "127.0.0.1", 65536),
    "connect: port 1.5": () => any.connect(0, "127.0.0.1", 1.5),
    "connect: port NaN": () => any.connect(0, "127.0.0.1", Number.NaN),
    "listen: backlog -1": () => any.listen(0, -1),
    "listen: backlog 2^31": () => any.listen(0, 2 ** 31),
    "sendfile: offset -1": () => any.sendfile(1, 0, -1, 1),
    "sendfile: length 0": () => any.sendfile(1, 0, 0, 0),
    "cached: offset -1": () => any.cached(0, -1, 1),
    "cached: length 0": () => any.cached(0, 0, 0),
    "setsockopt: value -1": () => any.setsockopt(0, "sendBuffer", -1),
    "setsockopt: value 1.5": () => any.setsockopt(0, "sendBuffer", 1.5),
  };
  for (const [name, call] of Object.entries(outOfRange)) {
    it(`RangeError: ${name}`, () => {
      expect(call).toThrow(RangeError);
    });
  }

  it("a call that throws leaves everything as it was", () => {
    const [a, b] = pair(poller);
    const handle = poller.watch(b, READ, sink);
    expect(() => any.modify(handle, 99)).toThrow(TypeError);
    expect(() => any.setRef(handle, "no")).toThrow(TypeError);
    expect(poller.size).toBe(1);
    expect(poller.read(b, buffer, 0, 8)).toBe(-EAGAIN);
    expect(poller.close(handle)).toBe(0);
    poller.closeFd(a);
  });
});
