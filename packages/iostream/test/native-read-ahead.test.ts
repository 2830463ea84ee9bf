// The poller reads for whoever would read first. What makes a transport not read any more may come from anywhere: its own
// receiver, another one's in the same batch of events, a promise.

import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
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
    leases: { view: Uint8Array; first: number; settle: () => void }[] = [];

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
        this.leases.push({ view, first, settle });
      });
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
        if (random(2) === 0) other.pause();
        else other.resume();
      };
      engine().slabs.poison = true;
      const lines: Line[] = [];
      for (let i = 0; i < 40; i++) {
        const line = new Line(i % 3 !== 0, (self, view) => {
          const what = random(6);
          if (what === 0) meddle();
          if (what === 1) self.pause();
          if (what === 2) queueMicrotask(meddle);
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
      engine().slabs.poison = false;
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
