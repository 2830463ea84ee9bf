import { AsyncLocalStorage } from "node:async_hooks";
import { Socket } from "node:net";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import type { Poller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { Deferred, fromLatin1, latin1 } from "@tw/util";
import { afterEach, describe, expect, it } from "vitest";
import type { TransportReceiver } from "../src/transport.js";
import { MAX_LEASED } from "../src/transports/leases.js";
import type { NativeEngine } from "../src/transports.js";
import { type DescriptorKind, NativeTransport, nativeEngine } from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";

describe.skipIf(!nativeAvailable)("NativeTransport", () => {
  const loop = new IOLoop({ logger: nullLogger });
  const engine = (): NativeEngine => nativeEngine(loop) as NativeEngine;
  const open: NativeTransport[] = [];
  const fds: number[] = [];

  afterEach(async () => {
    for (const transport of open.splice(0)) transport.abort();
    await turn();
    for (const fd of fds.splice(0)) engine().poller.closeFd(fd);
  });

  function transportOn(
    fd: number,
    kind: DescriptorKind,
    receiver: Partial<TransportReceiver>,
    on = engine(),
  ): NativeTransport {
    const transport = new NativeTransport(on, fd, kind);
    open.push(transport);
    transport.start({ onBytes() {}, onEnd() {}, onDrain() {}, onClose() {}, ...receiver });
    return transport;
  }

  /** A connected pair of TCP sockets; the second is a plain descriptor, closed after the test. */
  function tcpPair(): [number, number] {
    const [accepted, connected] = tcpDescriptors(engine());
    fds.push(connected);
    return [accepted, connected];
  }

  function closeEarly(fd: number): void {
    fds.splice(fds.indexOf(fd), 1);
    engine().poller.closeFd(fd);
  }

  it("delivers a FIN that was queued behind bytes while the receiver was paused (no further edge comes)", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const ended = new Deferred();
    const got: string[] = [];
    const transport = transportOn(fd, "tcp", {
      onBytes(view) {
        got.push(fromLatin1(view));
        transport.pause();
      },
      onEnd: () => ended.resolve(),
    });
    poller.writev(peer, ["one"], 0);
    await until(() => got.length === 1);
    poller.writev(peer, ["two"], 0);
    poller.shutdown(peer);
    await turns(5);
    expect(got).toEqual(["one"]);
    transport.resume();
    await until(() => got.length === 2);
    await turns(5);
    transport.resume();
    await ended.promise;
    expect(got).toEqual(["one", "two"]);
  });

  it("counts no bytes for a connection that is closed, though the promise that leased them is never settled", async () => {
    const { poller, leases } = engine();
    for (const end of ["abort", "release", "within the call"] as const) {
      const [fd, peer] = tcpPair();
      const got = new Deferred();
      const transport = transportOn(fd, "tcp", {
        onBytes() {
          got.resolve();
          if (end === "within the call") transport.abort();
          return new Promise<void>(() => {});
        },
      });
      poller.writev(peer, ["held"], 0);
      await got.promise;
      if (end === "abort") transport.abort();
      if (end === "release") fds.push(transport.release().fd);
      // All of the limit is there for others, to the last byte.
      expect(leases.begin(MAX_LEASED)).toBe(undefined);
      leases.end(MAX_LEASED);
    }
  });

  it("aborts whoever would lease more than the limit, and reads on for those who lease nothing", async () => {
    const { poller, leases } = engine();
    leases.begin(MAX_LEASED);
    try {
      const [holder, holderPeer] = tcpPair();
      const [reader, readerPeer] = tcpPair();
      const closed = new Deferred<unknown>();
      let read = "";
      transportOn(holder, "tcp", { onBytes: () => new Promise<void>(() => {}), onClose: closed.resolve });
      transportOn(reader, "tcp", {
        onBytes(view) {
          read += fromLatin1(view);
        },
      });
      poller.writev(holderPeer, ["held"], 0);
      expect(await closed.promise).toMatchObject({ code: "ERR_TW_LEASE_LIMIT" });
      // More than a slab has room for, so that a fresh one is needed.
      const piece = "x".repeat(60_000);
      for (let i = 1; i <= 6; i++) {
        expect(poller.writev(readerPeer, [piece], 0)).toBe(piece.length);
        await until(() => read.length === i * piece.length);
      }
      expect(leases.begin(1)).toMatchObject({ code: "ERR_TW_LEASE_LIMIT" });
      leases.end(1);
    } finally {
      leases.end(MAX_LEASED);
    }
  });

  it("hears of a reset while the receiver holds a lease, paused or not", async () => {
    const { poller } = engine();
    for (const paused of [false, true]) {
      const [fd, peer] = tcpPair();
      const closed = new Deferred<unknown>();
      const lease = new Deferred();
      let got = 0;
      const transport = transportOn(fd, "tcp", {
        onBytes() {
          got++;
          if (paused) transport.pause();
          return lease.promise;
        },
        onClose: closed.resolve,
      });
      poller.writev(peer, ["one"], 0);
      await until(() => got === 1);
      poller.setsockopt(peer, "linger0", 1);
      closeEarly(peer);
      expect(await closed.promise).toMatchObject({ code: "ECONNRESET" });
      lease.resolve();
      await turns(2);
    }
  });

  it("closes when a write found the peer gone, though the lease waits for what was written", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const closed = new Deferred<unknown>();
    poller.writev(peer, ["one"], 0);
    poller.setsockopt(peer, "linger0", 1);
    closeEarly(peer);
    const transport = transportOn(fd, "tcp", {
      onBytes() {
        expect(transport.write(["echo"])).toBe(0); // and the kernel tells of the reset but once
        return closed.promise.then(() => undefined);
      },
      onClose: closed.resolve,
    });
    expect(await closed.promise).toMatchObject({ code: "ECONNRESET" });
  });

  it("sees a FIN that arrives together with a short read", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const ended = new Deferred();
    poller.writev(peer, ["short"], 0);
    poller.shutdown(peer);
    let bytes = 0;
    transportOn(fd, "tcp", {
      onBytes(view) {
        bytes += view.length;
      },
      onEnd: () => ended.resolve(),
    });
    await ended.promise;
    expect(bytes).toBe(5);
  });

  it("registers TCP once: no epoll_ctl while bytes, pauses and full buffers come and go", async () => {
    const counts = { modify: 0, watch: 0 };
    const counting: NativeEngine = { ...engine(), poller: counted(engine().poller, counts) };
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const drained = new Deferred();
    let got = 0;
    const transport = transportOn(
      fd,
      "tcp",
      { onBytes: () => void got++, onDrain: () => drained.resolve() },
      counting,
    );
    poller.writev(peer, ["a"], 0);
    await until(() => got === 1);
    transport.pause();
    transport.resume();
    const big = new Uint8Array(16 * 1024 * 1024);
    expect(transport.write([big])).toBeLessThan(big.length);
    const sink = new Uint8Array(1024 * 1024);
    let stop = false;
    drained.promise.then(() => {
      stop = true;
    });
    while (!stop) {
      poller.read(peer, sink, 0, sink.length);
      await turn();
    }
    expect(counts).toEqual({ modify: 0, watch: 1 });
  });

  it("a Unix socket that only receives is not woken for each message its peer reads", async () => {
    const { poller } = engine();
    const [fd, peer] = poller.socketpair() as [number, number];
    fds.push(peer);
    let events = 0;
    const transport = new NativeTransport(engine(), fd, "unix");
    open.push(transport);
    const original = transport.onEvents.bind(transport);
    transport.onEvents = (mask, received, lane) => {
      events++;
      original(mask, received, lane);
    };
    transport.start({ onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} });
    const sink = new Uint8Array(64);
    for (let i = 0; i < 20; i++) {
      transport.write(["message"]);
      poller.read(peer, sink, 0, sink.length);
      await turn();
    }
    expect(events).toBe(0);
  });

  it("a Unix socket drains after it was full", async () => {
    const { poller } = engine();
    const [fd, peer] = poller.socketpair() as [number, number];
    fds.push(peer);
    let drains = 0;
    const transport = transportOn(fd, "unix", { onDrain: () => void drains++ });
    const big = new Uint8Array(4 * 1024 * 1024);
    let sent = transport.write([big]);
    expect(sent).toBeLessThan(big.length);
    const sink = new Uint8Array(256 * 1024);
    let read = 0;
    while (read < big.length) {
      const count = poller.read(peer, sink, 0, sink.length);
      if (count > 0) read += count;
      else await turn();
      if (drains > 0 && sent < big.length) {
        drains = 0;
        sent += transport.write([big.subarray(sent)]);
      }
    }
    expect(sent).toBe(big.length);
  });

  it("survives a receiver that transfers the slab away, and so do its neighbours", async () => {
    const { poller } = engine();
    const [a, peerA] = tcpPair();
    const [b, peerB] = tcpPair();
    const got: string[] = [];
    transportOn(a, "tcp", {
      onBytes(view) {
        got.push(`a:${fromLatin1(view)}`);
        structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
      },
    });
    transportOn(b, "tcp", { onBytes: (view) => void got.push(`b:${fromLatin1(view)}`) });
    for (const text of ["1", "2", "3"]) {
      const before = got.length;
      poller.writev(peerA, [text], 0);
      poller.writev(peerB, [text], 0);
      await until(() => got.length === before + 2);
    }
    expect(got.sort()).toEqual(["a:1", "a:2", "a:3", "b:1", "b:2", "b:3"]);
  });

  it("keeps leased bytes as they are while neighbours read megabytes, and holds back more until the lease ends", async () => {
    const { poller } = engine();
    for (const slabs of engine().slabs) slabs.poison = true;
    const [a, peerA] = tcpPair();
    const [b, peerB] = tcpPair();
    const lease = new Deferred();
    const views: Uint8Array[] = [];
    transportOn(a, "tcp", {
      onBytes(view) {
        views.push(view);
        if (views.length === 1) return lease.promise;
      },
    });
    let received = 0;
    transportOn(b, "tcp", {
      onBytes(view) {
        received += view.length;
      },
    });
    poller.writev(peerA, ["leased bytes"], 0);
    await until(() => views.length === 1);
    poller.writev(peerA, ["held back"], 0);
    const chunk = new Uint8Array(128 * 1024).fill(0x78);
    let sent = 0;
    while (sent < 4 * 1024 * 1024) {
      const count = poller.writev(peerB, [chunk], 0);
      if (count > 0) sent += count;
      await turn();
    }
    await until(() => received === sent);
    expect(views).toHaveLength(1);
    expect(fromLatin1(views[0] as Uint8Array)).toBe("leased bytes");
    lease.resolve();
    await until(() => views.length === 2);
    expect(fromLatin1(views[0] as Uint8Array)).not.toBe("leased bytes");
    for (const slabs of engine().slabs) slabs.poison = false;
  });

  it("gives its neighbours a turn after sixteen reads of a peer that never stops", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const neighbour = tcpPair();
    const order: string[] = [];
    poller.setsockopt(peer, "sendBuffer", 8 * 1024 * 1024);
    const big = new Uint8Array(8 * 1024 * 1024);
    const transport = transportOn(fd, "tcp", { onBytes: () => void order.push("flood") });
    transport.pause();
    await turns(2);
    let queued = 0;
    for (let i = 0; i < 50; i++) {
      const count = poller.writev(peer, [big], 0);
      if (count > 0) queued += count;
      await turn();
    }
    expect(queued).toBeGreaterThan(17 * 64 * 1024);
    transportOn(neighbour[0], "tcp", { onBytes: () => void order.push("neighbour") });
    poller.writev(neighbour[1], ["x"], 0);
    transport.resume();
    await until(() => order.includes("neighbour") && order.length > 17);
    expect(order.indexOf("neighbour")).toBeLessThanOrEqual(16);
  });

  it("runs its receiver in the async context it was made in, never in another one's", async () => {
    const { poller } = engine();
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const pairs = [tcpPair(), tcpPair(), tcpPair()];
    const receiver = (name: string) => ({
      onBytes() {
        seen.push(store.getStore());
        store.enterWith(`entered by ${name}`);
      },
    });
    store.run("a", () => transportOn((pairs[0] as [number, number])[0], "tcp", receiver("a")));
    transportOn((pairs[1] as [number, number])[0], "tcp", receiver("b"));
    store.run("c", () => transportOn((pairs[2] as [number, number])[0], "tcp", receiver("c")));
    for (const [, peer] of pairs) poller.writev(peer, ["x"], 0);
    await until(() => seen.length === 3);
    expect(new Set(seen)).toEqual(new Set(["a", undefined, "c"]));
  });

  it("runs promise continuations between the events of two transports", async () => {
    const { poller } = engine();
    const order: string[] = [];
    const peers = Array.from({ length: 3 }, (_, i) => {
      const [fd, peer] = tcpPair();
      transportOn(fd, "tcp", {
        onBytes() {
          order.push(`bytes ${i}`);
          Promise.resolve().then(() => order.push(`continuation ${i}`));
        },
      });
      return peer;
    });
    await turns(3);
    for (const peer of peers) poller.writev(peer, ["x"], 0);
    await until(() => order.length === 6);
    for (let at = 0; at < 6; at += 2) {
      expect(order[at + 1]).toBe((order[at] as string).replace("bytes", "continuation"));
    }
  });

  it("reports a reset to a paused receiver without waiting for it to resume", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const closed = new Deferred<unknown>();
    const transport = transportOn(fd, "tcp", { onClose: (error) => closed.resolve(error) });
    transport.pause();
    poller.setsockopt(peer, "linger0", 1);
    closeEarly(peer);
    expect(await closed.promise).toMatchObject({ code: "ECONNRESET" });
  });

  it("delivers what the peer sent before it refused our bytes", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const got: string[] = [];
    const closed = new Deferred<unknown>();
    const transport = transportOn(fd, "tcp", {
      onBytes: (view) => void got.push(fromLatin1(view)),
      onClose: (error) => closed.resolve(error),
    });
    transport.write(["ignored"]);
    poller.writev(peer, ["last words"], 0);
    await turns(3);
    closeEarly(peer); // with unread bytes: a reset
    for (let i = 0; i < 5; i++) {
      transport.write(["more"]);
      await turn();
    }
    expect(await closed.promise).toMatchObject({ code: expect.stringMatching(/ECONNRESET|EPIPE/) });
    expect(got).toEqual(["last words"]);
  });

  it("closes the descriptor once, and never a successor of the same number", async () => {
    const { poller } = engine();
    const [fd] = tcpPair();
    const closed = new Deferred();
    const transport = transportOn(fd, "tcp", { onClose: () => closed.resolve() });
    transport.abort();
    const [successor, peer] = poller.socketpair() as [number, number];
    fds.push(successor, peer);
    transport.abort();
    transport.end();
    await closed.promise;
    transport.abort();
    expect(poller.writev(successor, ["alive"], 0)).toBe(5);
  });

  it("does not take the address of a successor of the same number for its own", () => {
    const { poller } = engine();
    const asked = transportOn(tcpPair()[0], "tcp", {});
    const unasked = transportOn(tcpPair()[0], "tcp", {});
    const { localPort } = asked.info;
    expect(localPort).toBeGreaterThan(0);
    asked.abort();
    unasked.abort();
    const successors = [tcpPair(), tcpPair()];
    expect(asked.info.localPort).toBe(localPort);
    expect(unasked.info.localPort).toBe(0);
    for (const [fd] of successors) poller.closeFd(fd);
  });

  it("release() hands the descriptor to a net.Socket, and is deaf and dumb afterwards", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    const calls: string[] = [];
    const first = new Deferred();
    const transport = transportOn(fd, "tcp", {
      onBytes(view) {
        calls.push(fromLatin1(view));
        first.resolve();
      },
      onClose: () => calls.push("close"),
    });
    poller.writev(peer, ["before"], 0);
    await first.promise;
    const size = poller.size;
    const released = transport.release();
    open.splice(open.indexOf(transport), 1);
    expect(released.fd).toBe(fd);
    expect(poller.size).toBe(size - 1);
    const socket = new Socket({ fd: released.fd });
    socket.unshift(released.unread);
    const received = new Deferred<string>();
    socket.on("data", (data) => received.resolve(data.toString()));
    poller.writev(peer, ["after"], 0);
    expect(await received.promise).toBe("after");
    expect(transport.write(["x"])).toBe(0);
    transport.end();
    transport.abort();
    socket.write("still open");
    const sink = new Uint8Array(64);
    await until(() => poller.read(peer, sink, 0, sink.length) === 10);
    expect(calls).toEqual(["before"]);
    socket.destroy();
  });

  it("an onClose that throws when both directions have ended is logged, once, and ends nothing else", async () => {
    const logged = new Deferred<unknown>();
    let count = 0;
    const error = (entry: { err: unknown }): void => {
      count++;
      logged.resolve(entry.err);
    };
    const owner = new IOLoop({ logger: { ...nullLogger, error: error as never } });
    const [fd, peer] = tcpPair();
    const fault = new Error("in onClose");
    let closes = 0;
    const transport = transportOn(
      fd,
      "tcp",
      {
        onClose() {
          closes++;
          throw fault;
        },
      },
      { ...engine(), loop: owner },
    );
    transport.end();
    closeEarly(peer);
    expect(await logged.promise).toBe(fault);
    await turn();
    expect([closes, count]).toEqual([1, 1]);
  });

  it("aborting one that was never started closes its descriptor and tells nobody", async () => {
    const { poller } = engine();
    const [fd] = tcpPair();
    const size = poller.size;
    new NativeTransport(engine(), fd, "tcp").abort();
    await turn();
    expect(poller.size).toBe(size);
    expect(poller.writev(fd, [latin1("x")], 0)).toBeLessThan(0);
  });

  it("writes strings as latin1 and arrays in order, whatever the kernel takes at a time", async () => {
    const { poller } = engine();
    const [fd, peer] = tcpPair();
    let pieces: (Uint8Array | string)[] = Array.from({ length: 200 }, (_, i) =>
      i % 2 ? "é".repeat(50_000) : new Uint8Array(50_000).fill(i),
    );
    const whole = Buffer.concat(pieces.map((piece) => Buffer.from(piece as string, "latin1")));
    const received: Buffer[] = [];
    let size = 0;
    const sink = new Uint8Array(300_000);
    let waiting = false;
    const transport = transportOn(fd, "tcp", {
      onDrain: () => {
        waiting = false;
      },
    });
    while (size < whole.length) {
      if (!waiting && pieces.length > 0) {
        let taken = transport.write(pieces);
        while (pieces.length > 0 && taken >= (pieces[0] as string).length)
          taken -= (pieces.shift() as string).length;
        if (pieces.length > 0) {
          waiting = true;
          pieces = [(pieces[0] as string).slice(taken), ...pieces.slice(1)];
        }
      }
      const count = poller.read(peer, sink, 0, sink.length);
      if (count > 0) {
        received.push(Buffer.from(sink.subarray(0, count)));
        size += count;
      } else await turn();
    }
    expect(Buffer.concat(received).equals(whole)).toBe(true);
  });
});

function counted(poller: Poller, counts: { modify: number; watch: number }): Poller {
  return new Proxy(poller, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (name === "modify" || name === "watch") counts[name]++;
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Waits for something that real descriptors bring about. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await turn();
}
