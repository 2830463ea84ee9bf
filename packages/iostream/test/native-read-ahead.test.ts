// The poller reads for whoever would read first. What makes a transport not read any more may come from anywhere: its own
// receiver, another one's in the same batch of events, a promise.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { seededRandom } from "../src/testing/garbage.js";
import type { TransportReceiver } from "../src/transport.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";

describe.skipIf(!nativeAvailable)("NativeTransport, read ahead of", () => {
  const loop = new IOLoop({ logger: nullLogger });
  const engine = (): NativeEngine => nativeEngine(loop) as NativeEngine;

  /** A transport over TCP or a Unix socket, and what its peer has sent and its receiver got. */
  class Line {
    readonly transport: NativeTransport;
    readonly receiver: TransportReceiver;
    readonly peer: number;
    sent = 0;
    got = 0;
    paused = false;
    /** Whether its receiver was called when it must not be, or given what was not next. */
    wrong = "";
    leases: { view: Uint8Array; settle: () => void; resolve: () => void }[] = [];

    constructor(tcp: boolean, onBytes: (line: Line, view: Uint8Array) => void | Promise<void>) {
      const [fd, peer] = tcp
        ? tcpDescriptors(engine())
        : (engine().poller.socketpair() as readonly [number, number]);
      this.peer = peer;
      this.transport = new NativeTransport(engine(), fd, tcp ? "tcp" : "unix");
      this.receiver = {
        onBytes: (view) => {
          if (this.paused) this.wrong ||= "called while paused";
          if (this.leases.length > 0) this.wrong ||= "called while its bytes are leased";
          for (const byte of view) if (byte !== this.got++ % 251) this.wrong ||= `byte ${this.got - 1}`;
          return onBytes(this, view);
        },
        onEnd() {},
        onDrain() {},
        onClose() {},
      };
      this.transport.start(this.receiver);
    }

    send(length: number): void {
      const bytes = Uint8Array.from({ length }, () => this.sent++ % 251);
      expect(engine().poller.writev(this.peer, [bytes], 0)).toBe(length);
    }

    pause(): void {
      this.paused = true;
      this.transport.pause();
    }

    resume(): void {
      this.paused = false;
      this.transport.resume();
    }

    lease(view: Uint8Array): Promise<void> {
      const first = view[0] as number;
      return new Promise((resolve) => {
        const settle = (): void => {
          if (view.some((byte, i) => byte !== (first + i) % 251)) this.wrong ||= "leased bytes have changed";
          this.leases = [];
          resolve();
        };
        this.leases.push({ view, settle, resolve });
      });
    }

    /** Of a lease whose bytes are gone. */
    settleDetached(): void {
      const [lease] = this.leases;
      this.leases = [];
      lease?.resolve();
    }

    close(): void {
      this.transport.abort();
      engine().poller.closeFd(this.peer);
    }
  }

  it("gets nothing once another receiver of the same batch has paused it, and everything when it is resumed", async () => {
    const lines: Line[] = [];
    let winner: Line | undefined;
    for (let i = 0; i < 8; i++) {
      const line = new Line(i % 2 === 0, (self) => {
        if (winner !== undefined) return;
        winner = self;
        for (const other of lines) if (other !== self) other.pause();
      });
      lines.push(line);
    }
    for (const line of lines) line.send(100);
    await turns(5);
    expect(lines.filter((line) => line.got > 0)).toEqual([winner]);
    for (const line of lines) if (line !== winner) line.resume();
    await until(() => lines.every((line) => line.got === 100));
    expect(lines.map((line) => line.wrong).join("")).toBe("");
    for (const line of lines) line.close();
  });

  it("told by a neighbour to pause, delivers what was read before what came later, and then the end", async () => {
    for (const tcp of [true, false]) {
      const lines: Line[] = [];
      let ended = 0;
      for (let i = 0; i < 4; i++) {
        const line = new Line(tcp, (self) => {
          if (self === lines[0]) for (const other of lines.slice(1)) other.pause();
        });
        line.receiver.onEnd = () => ended++;
        lines.push(line);
      }
      for (const line of lines) line.send(100);
      await turns(2);
      const paused = lines.slice(1);
      expect(paused.map((line) => line.got)).toEqual([0, 0, 0]);
      for (const line of paused) {
        line.send(200);
        engine().poller.shutdown(line.peer);
      }
      await turns(2);
      expect(ended).toBe(0);
      for (const line of paused) line.resume();
      await until(() => ended === 3);
      expect(paused.map((line) => [line.got, line.wrong])).toEqual([
        [300, ""],
        [300, ""],
        [300, ""],
      ]);
      for (const line of lines) line.close();
    }
  });

  it("told by a neighbour to pause, may pause again and lease what it was given then", async () => {
    const lines: Line[] = [];
    for (let i = 0; i < 2; i++) {
      const line = new Line(true, (self, view) => {
        if (self === lines[0]) return (lines[1] as Line).pause();
        if (self.got === 100) {
          self.pause();
          return self.lease(view);
        }
      });
      lines.push(line);
    }
    const [, line] = lines as [Line, Line];
    for (const each of lines) each.send(100);
    await turns(2);
    expect(line.got).toBe(0);
    line.resume();
    await until(() => line.leases.length === 1);
    line.send(50);
    await turns(2);
    line.leases[0]?.settle();
    await turns(2);
    expect(line.got).toBe(100);
    line.resume();
    await until(() => line.got === 150);
    expect(line.wrong).toBe("");
    for (const each of lines) each.close();
  });

  it("told by a neighbour to pause, closes at once when its read has found a reset", async () => {
    const lines: Line[] = [];
    const closed: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const line = new Line(true, (self) => {
        if (self === lines[0]) for (const other of lines.slice(1)) other.pause();
      });
      line.receiver.onClose = (error) => closed.push((error as { code?: unknown })?.code);
      lines.push(line);
    }
    const { poller } = engine();
    (lines[0] as Line).send(1);
    for (const { peer } of lines.slice(1)) {
      poller.setsockopt(peer, "linger0", 1);
      poller.closeFd(peer);
    }
    await until(() => closed.length === 2);
    expect(closed).toEqual(["ECONNRESET", "ECONNRESET"]);
    (lines[0] as Line).close();
  });

  it("released or aborted by a neighbour, has handed over what was read, or dropped it", async () => {
    for (const end of ["release", "abort"] as const) {
      const lines: Line[] = [];
      const rest: number[][] = [];
      const fds: number[] = [];
      for (let i = 0; i < 3; i++) {
        const line = new Line(true, (self) => {
          if (self !== lines[0]) return;
          for (const { transport } of lines.slice(1)) {
            if (end === "abort") transport.abort();
            else {
              const { fd, unread } = transport.release();
              fds.push(fd);
              rest.push([...unread]);
            }
          }
        });
        lines.push(line);
      }
      for (const line of lines) line.send(3);
      await turns(3);
      expect(lines.map((line) => line.got)).toEqual([3, 0, 0]);
      if (end === "release") {
        expect(rest).toEqual([
          [0, 1, 2],
          [0, 1, 2],
        ]);
      }
      for (const line of lines) line.close();
      for (const fd of fds) engine().poller.closeFd(fd);
    }
  });

  it("released while paused by a neighbour, hands over what was read", async () => {
    const lines: Line[] = [];
    for (let i = 0; i < 2; i++) {
      const line = new Line(true, (self) => {
        if (self === lines[0]) (lines[1] as Line).pause();
      });
      lines.push(line);
    }
    const [first, second] = lines as [Line, Line];
    for (const line of lines) line.send(3);
    await turns(3);
    const { fd, unread } = second.transport.release();
    expect([...unread]).toEqual([0, 1, 2]);
    engine().poller.closeFd(fd);
    engine().poller.closeFd(second.peer);
    first.close();
  });

  it("gets its own bytes when what a lane-mate holds of the buffer is given back before its turn", async () => {
    for (const give of ["at once", "by a microtask", "by a transfer"] as const) {
      const lines: Line[] = [];
      let holder: Line | undefined;
      const letGo = (): void => {
        const lease = holder?.leases[0];
        if (give === "by a transfer" && lease !== undefined) {
          const { buffer } = lease.view;
          structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
          holder?.settleDetached();
        } else lease?.settle();
      };
      for (let i = 0; i < 3; i++) {
        const line = new Line(true, (self, view) => {
          if (i === 1 && self.got === 11) {
            holder = self;
            return self.lease(view);
          }
          if (i === 0 && self.got === 8) {
            if (give === "by a microtask") queueMicrotask(letGo);
            else letGo();
          }
        });
        lines.push(line);
      }
      const [first, second, third] = lines as [Line, Line, Line];
      first.send(4);
      second.send(11);
      await turns(3);
      expect(second.leases).toHaveLength(1);
      first.send(4);
      third.send(20);
      await turns(5);
      expect(lines.map((line) => [line.got, line.wrong])).toEqual([
        [8, ""],
        [11, ""],
        [20, ""],
      ]);
      for (const line of lines) line.close();
    }
  });

  it("is aborted, and given no zeros, when a view that a lane-mate kept too long is transferred away", async () => {
    for (const how of ["flowing", "paused", "released"] as const) {
      const lines: Line[] = [];
      let kept: Uint8Array | undefined;
      let error: unknown;
      for (let i = 0; i < 2; i++) {
        const line = new Line(true, (self, view) => {
          if (i === 1) kept = view;
          if (i === 0 && self.got === 2) {
            const buffer = kept?.buffer as ArrayBuffer;
            structuredClone(buffer, { transfer: [buffer] });
            if (how === "paused") (lines[1] as Line).pause();
            if (how === "released") {
              const release = (): unknown => (lines[1] as Line).transport.release();
              expect(release).toThrow("Received bytes are gone");
            }
          }
        });
        line.receiver.onClose = (reason) => {
          error = reason;
        };
        lines.push(line);
      }
      for (const line of lines) line.send(1);
      await turns(3);
      for (const line of lines) line.send(1);
      await turns(5);
      expect(error).toMatchObject({ code: "ERR_TW_READ_DETACHED" });
      expect(lines.map((line) => [line.got, line.wrong])).toEqual([
        [2, ""],
        [1, ""],
      ]);
      for (const line of lines) line.close();
    }
  });

  it("released by its own onDrain, because a neighbour filled it after its read, hands over what was read", async () => {
    const room = new Uint8Array(1 << 20);
    const { poller } = engine();
    let rest: { fd: number; unread: Uint8Array } | undefined;
    const filler = new Line(true, (self) => {
      if (self.got < 2) return;
      while (line.transport.write([room]) === room.length);
      while (poller.read(line.peer, room, 0, room.length) > 0);
    });
    const line = new Line(true, () => undefined);
    line.receiver.onDrain = () => {
      rest = line.transport.release();
    };
    // Together once, so that what tests before this one detached is replaced.
    for (const each of [filler, line]) each.send(1);
    await until(() => line.got === 1);
    filler.send(1);
    line.send(9);
    await until(() => rest !== undefined);
    expect([line.got, [...(rest?.unread ?? [])]]).toEqual([1, [1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    poller.closeFd(rest?.fd as number);
    poller.closeFd(line.peer);
    filler.close();
  });

  it("is read ahead of again once its lease has ended, it was resumed, or its blocked write went on", async () => {
    const reads: number[] = [];
    const line = new Line(true, (self, view) => {
      if (self.got === 1) return self.lease(view);
      if (self.got === 2) self.pause();
    });
    const { onEvents } = line.transport;
    line.transport.onEvents = function (this: NativeTransport, events, received, lane) {
      reads.push(received);
      onEvents.call(this, events, received, lane);
    };
    const next = async (count: number): Promise<void> => {
      line.send(1);
      await until(() => line.got === count);
    };
    await next(1);
    line.leases[0]?.settle();
    await turns(1);
    await next(2);
    line.resume();
    await turns(2);
    await next(3);
    expect(reads.filter((received) => received === 1)).toHaveLength(3);
    line.close();
  });

  it("what a continuation sends leaves before the next transport is called", async () => {
    const log: string[] = [];
    const streams: IOStream[] = [];
    const peers: number[] = [];
    const note = (message: unknown): void => {
      log.push(`sent ${streams.indexOf((message as { stream: IOStream }).stream)}`);
    };
    for (let i = 0; i < 4; i++) {
      const [fd, peer] = tcpDescriptors(engine());
      peers.push(peer);
      const stream = new IOStream(new NativeTransport(engine(), fd, "tcp"), { loop });
      streams.push(stream);
      stream.attach({
        async onBytes() {
          log.push(`bytes ${i}`);
          await null;
          const written = stream.write("one");
          await null;
          stream.send("two");
          await written;
          log.push(`went ${i}`);
        },
        onEnd() {},
        onDrain() {},
        onClose() {},
      });
    }
    subscribe("tw:iostream:sent", note);
    for (const peer of peers) engine().poller.writev(peer, ["x"], 0);
    await until(() => log.length >= 12);
    unsubscribe("tw:iostream:sent", note);
    expect(log).toEqual([0, 1, 2, 3].flatMap((i) => [`bytes ${i}`, `sent ${i}`, `went ${i}`]));
    for (const stream of streams) stream.abort();
    for (const peer of peers) engine().poller.closeFd(peer);
  });

  it("what was sent behind a throwing tick, or by nobody's continuation, leaves too", async () => {
    const got = (peer: number): number => engine().poller.read(peer, new Uint8Array(64), 0, 64);
    const [fd, peer] = tcpDescriptors(engine());
    const [other, otherPeer] = tcpDescriptors(engine());
    const stream = new IOStream(new NativeTransport(engine(), fd, "tcp"), { loop });
    const failures: unknown[] = [];
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => failures.push(error.message));
    const transport = new NativeTransport(engine(), other, "tcp");
    transport.start({
      onBytes() {
        stream.send("from a neighbour");
        process.nextTick(() => {
          throw new Error("a tick");
        });
      },
      onEnd() {},
      onDrain() {},
      onClose() {},
    });
    engine().poller.writev(otherPeer, ["x"], 0);
    await until(() => got(peer) === 16);
    expect(failures).toEqual(["a tick"]);
    for (const listener of before) process.on("uncaughtException", listener);
    stream.abort();
    transport.abort();
    for (const each of [peer, otherPeer]) engine().poller.closeFd(each);
  });

  it("loses nothing when a neighbour transfers its view away", async () => {
    for (let round = 0; round < 3; round++) {
      const lines: Line[] = [];
      for (let i = 0; i < 12; i++) {
        const line = new Line(true, (_self, view) => {
          if (i % 2 === 0) structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
        });
        lines.push(line);
      }
      for (const line of lines) line.send(100);
      await until(() => lines.every((line) => line.got === 100));
      for (const line of lines) line.send(100);
      await until(() => lines.every((line) => line.got === 200));
      expect(lines.map((line) => line.wrong).join("")).toBe("");
      for (const line of lines) line.close();
    }
  });

  it("loses nothing of what came together with room to write, when onDrain, which comes first, pauses or resumes", async () => {
    for (const tcp of [true, false]) {
      const line = new Line(tcp, () => undefined);
      const { transport, peer } = line;
      let drained = 0;
      transport.start({
        ...line.receiver,
        onDrain() {
          drained++;
          line.pause();
        },
      });
      const room = new Uint8Array(1 << 20);
      while (transport.write([room]) === room.length) await turns(1);
      // With nothing in between, so that one event tells of both.
      while (engine().poller.read(peer, room, 0, room.length) > 0);
      line.send(100);
      while (drained === 0) {
        await turns(1);
        engine().poller.read(peer, room, 0, room.length);
      }
      line.resume();
      await until(() => line.got === 100);
      expect(line.wrong).toBe("");
      line.close();
    }
  });

  it("loses, repeats and mixes up nothing, whoever pauses, resumes and leases whom at random", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const random = seededRandom(seed);
      const pick = (): Line => lines[random(lines.length)] as Line;
      const meddle = (): void => {
        const other = pick();
        const how = random(4);
        if (how === 0) other.pause();
        else if (how === 1) other.resume();
        else other.leases[0]?.settle();
      };
      for (const slabs of engine().slabs) slabs.poison = true;
      const lines: Line[] = [];
      for (let i = 0; i < 40; i++) {
        const line = new Line(i % 3 !== 0, (self, view) => {
          const what = random(6);
          if (what === 0) meddle();
          if (what === 1) self.pause();
          if (what === 2) queueMicrotask(meddle);
          if (what === 4) process.nextTick(meddle);
          if (what === 3) return self.lease(view);
        });
        lines.push(line);
      }
      for (let round = 0; round < 60; round++) {
        for (let i = 0; i < 20; i++) pick().send(1 + random(3000));
        for (let i = 0; i < 4; i++) pick().resume();
        for (let i = 0; i < 4; i++) pick().leases[0]?.settle();
        await turns(random(3));
      }
      await until(() => {
        for (const line of lines) {
          line.leases[0]?.settle();
          if (line.paused) line.resume();
        }
        return lines.every((line) => line.got === line.sent || line.wrong !== "");
      });
      expect(lines.map((line) => line.wrong).join(""), `seed ${seed}`).toBe("");
      for (const line of lines) line.close();
      await turns(2);
      for (const slabs of engine().slabs) slabs.poison = false;
    }
  });
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("Timed out");
    await turns(1);
  }
}
