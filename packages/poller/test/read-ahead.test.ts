import { afterEach, expect, it } from "vitest";
import {
  NOT_READ,
  type Poller,
  type PollSink,
  READ,
  type ReadAhead,
  type ReadLane,
  WRITE,
} from "../src/index.js";
import { requireAddon } from "../src/native.js";
import { createPoller } from "../src/poller.js";
import { ECONNRESET, native, pair, pipe, quiet, runChild, tcpPair, turn, until } from "./helpers.js";

const SIZE = 64;

/** As many events as are delivered together. */
const LANES = 8;

/** A sink that notes what was read ahead of each of its events. */
class Taker implements PollSink {
  readonly received: number[] = [];
  readonly texts: string[] = [];
  handle = -1;
  readonly #bench: Bench;
  told: (lane: number) => void = () => undefined;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  onEvents(_events: number, received: number, lane: number): void {
    this.received.push(received);
    if (received > 0) {
      const { at } = this.#bench.lane(lane);
      this.texts.push(Buffer.from(this.#bench.buffer(lane).subarray(at, at + received)).toString());
    }
    this.told(lane);
  }
}

/** A poller of its own, since of the thread's iostream may have the lanes. */
class Bench {
  readonly poller: Poller = createPoller(requireAddon());
  readonly fds: number[] = [];
  readonly ahead: ReadAhead;
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];

  constructor(lanes: number = LANES, room = 4 * SIZE) {
    this.ahead = this.poller.readAhead(SIZE) as ReadAhead;
    for (let lane = 0; lane < lanes; lane++) this.renew(lane, new Uint8Array(room));
  }

  lane(index = 0): ReadLane {
    return this.ahead.lanes[index] as ReadLane;
  }

  buffer(lane = 0): Uint8Array {
    return this.#buffers[lane] as Uint8Array;
  }

  /** Another buffer from now on. */
  renew(lane: number, next: Uint8Array<ArrayBuffer>): void {
    this.#buffers[lane] = next;
    this.lane(lane).into(next.buffer);
  }

  detach(lane: number): void {
    const { buffer } = this.buffer(lane);
    if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  }

  /** A watched descriptor whose events are read ahead of. */
  taker([fd, peer]: readonly [number, number], options = { allowed: true, edge: true, mask: READ }): Taker {
    const sink = new Taker(this);
    sink.handle = this.poller.watch(fd, options.mask, sink, { edge: options.edge });
    this.ahead.allow(sink.handle, options.allowed);
    this.fds.push(fd, peer);
    return sink;
  }

  /** Takers that have each been sent their number, so that all of them are told in one turn. */
  told(count: number, told: (self: Taker, index: number, lane: number) => void): Taker[] {
    const ends = Array.from({ length: count }, () => pair(this.poller));
    const sinks = ends.map((each) => this.taker(each));
    for (const [i, sink] of sinks.entries()) sink.told = (lane) => told(sink, i, lane);
    for (const [i, [, peer]] of ends.entries()) this.poller.writev(peer, [`${i}`.padStart(3)], 0);
    return sinks;
  }
}

native("reading ahead", () => {
  const made: Bench[] = [];

  afterEach(() => {
    for (const { poller, fds } of made.splice(0)) for (const fd of fds) poller.closeFd(fd);
  });

  function setup(lanes?: number, room?: number): Bench {
    const bench = new Bench(lanes, room);
    made.push(bench);
    return bench;
  }

  it("hands over what came, how much it was, the end, and errors, as read() would", async () => {
    const bench = setup();
    const [client, server] = await tcpPair(bench.poller);
    for (const ends of [pair(bench.poller), pipe(bench.poller), [server, client] as const]) {
      const sink = bench.taker(ends);
      bench.poller.writev(ends[1], ["abc"], 0);
      await until(() => sink.received.length === 1);
      bench.poller.writev(ends[1], ["defg"], 0);
      await until(() => sink.received.length === 2);
      bench.poller.closeFd(ends[1]);
      await until(() => sink.received.length === 3);
      expect([sink.received, sink.texts]).toEqual([
        [3, 4, 0],
        ["abc", "defg"],
      ]);
    }
    const [peer, fd] = await tcpPair(bench.poller);
    const sink = bench.taker([fd, peer]);
    bench.poller.setsockopt(peer, "linger0", 1);
    bench.poller.closeFd(peer);
    await until(() => sink.received.length === 1);
    expect(sink.received).toEqual([-ECONNRESET]);
  });

  it("reads no more than its size, and leaves the rest to be read", async () => {
    const bench = setup();
    const ends = pair(bench.poller);
    const sink = bench.taker(ends);
    bench.poller.writev(ends[1], ["x".repeat(SIZE + 3)], 0);
    await until(() => sink.received.length === 1);
    expect(sink.received).toEqual([SIZE]);
    expect(bench.poller.read(ends[0], bench.buffer(), 0, SIZE)).toBe(3);
  });

  it("reads only ahead of READ events of what allows it, and of no wake-up", async () => {
    const bench = setup();
    const { poller, ahead } = bench;
    const ends = pair(poller);
    const sink = bench.taker(ends, { allowed: false, edge: true, mask: READ });
    poller.writev(ends[1], ["abc"], 0);
    await until(() => sink.received.length === 1);
    expect(poller.read(ends[0], bench.buffer(), 0, SIZE)).toBe(3);

    const writable = pair(poller);
    const writer = bench.taker(writable, { allowed: true, edge: true, mask: WRITE });
    poller.writev(writable[1], ["abc"], 0);
    await until(() => writer.received.length > 0);
    poller.modify(writer.handle, 0);
    expect(poller.read(writable[0], bench.buffer(), 0, SIZE)).toBe(3);

    ahead.allow(sink.handle, true);
    poller.writev(ends[1], ["d"], 0);
    poller.wake(sink.handle);
    await until(() => sink.received.length === 3);
    expect([...sink.received, ...writer.received].sort()).toEqual([NOT_READ, NOT_READ, NOT_READ, 1]);
  });

  it("delivers a few sinks at a time, each with a lane of its own, and all of any number", async () => {
    const bench = setup();
    const lanes: number[] = [];
    const sinks = bench.told(2 * LANES + 3, (_self, _index, lane) => lanes.push(lane));
    await until(() => lanes.length === sinks.length);
    expect(sinks.map((sink) => sink.texts.join())).toEqual(sinks.map((_, i) => `${i}`.padStart(3)));
    const round = Array.from({ length: LANES }, (_, lane) => lane);
    expect(lanes).toEqual([...round, ...round, 0, 1, 2]);
  });

  it("uses as many lanes as have a buffer", async () => {
    const bench = setup(0);
    const none = bench.told(3, () => undefined);
    await until(() => none.every((sink) => sink.received.length === 1));
    expect(none.flatMap((sink) => sink.received)).toEqual([NOT_READ, NOT_READ, NOT_READ]);
    bench.renew(0, new Uint8Array(SIZE));
    bench.renew(1, new Uint8Array(SIZE));
    const lanes: number[] = [];
    const sinks = bench.told(5, (_self, _index, lane) => lanes.push(lane));
    await until(() => lanes.length === 5);
    expect(lanes).toEqual([0, 1, 0, 1, 0]);
    expect(sinks.flatMap((sink) => sink.received)).toEqual([3, 3, 3, 3, 3]);
  });

  it("ticks and promises of one sink, and what these begin, come before the next sink of the same few", async () => {
    const bench = setup();
    const log: string[] = [];
    const sinks = bench.told(LANES, (_self, index) => {
      log.push(`sink ${index}`);
      process.nextTick(() => {
        log.push(`tick ${index}`);
        void Promise.resolve().then(() => process.nextTick(() => log.push(`last ${index}`)));
      });
      void Promise.resolve().then(() => log.push(`microtask ${index}`));
    });
    await until(() => sinks.every((sink) => sink.received.length === 1));
    await turn();
    expect(log).toEqual(sinks.flatMap((_, i) => [`sink ${i}`, `tick ${i}`, `microtask ${i}`, `last ${i}`]));
  });

  it("tells who asked before the first sink, behind what each of them has begun, and behind the last", async () => {
    const bench = setup();
    const log: string[] = [];
    let left = 0;
    bench.ahead.turns = {
      begin: () => log.push("begin"),
      settled() {
        log.push("settled");
        if (left-- <= 0) return false;
        void Promise.resolve().then(() => log.push("microtask of settled"));
        return true;
      },
      end: () => log.push("end"),
    };
    const sinks = bench.told(3, (_self, index) => {
      log.push(`sink ${index}`);
      process.nextTick(() => log.push(`tick ${index}`));
      if (index === 1) left = 2;
    });
    await until(() => sinks.every((sink) => sink.received.length === 1));
    expect(log).toEqual([
      ...["begin", "sink 0", "tick 0", "settled", "sink 1", "tick 1", "settled", "microtask of settled"],
      ...["settled", "microtask of settled", "settled", "sink 2", "tick 2", "settled", "end"],
    ]);
  });

  it("reads to where `at` of the first lane is, and leaves out others where somebody holds what is before it", async () => {
    const bench = setup();
    bench.lane(0).at = SIZE;
    bench.lane(1).at = 2 * SIZE;
    bench.lane(3).at = 1;
    const lanes: number[] = [];
    const sinks = bench.told(7, (_self, _index, lane) => lanes.push(lane));
    await until(() => sinks.every((sink) => sink.received.length === 1));
    expect(Buffer.from(bench.buffer(0).subarray(SIZE, SIZE + 3)).toString()).toBe("  6");
    expect(lanes).toEqual([0, 2, 4, 5, 6, 7, 0]);
    expect(sinks.map((sink) => sink.texts.join())).toEqual(sinks.map((_, i) => `  ${i}`));
  });

  it("a sink that one of the same few took the leave from is given what was read, and one that it ended is not", async () => {
    for (const end of ["deny", "close", "unwatch"] as const) {
      const bench = setup();
      const { poller, ahead, fds } = bench;
      const sinks = bench.told(3, (self) => {
        for (const other of sinks) {
          if (other === self) continue;
          if (end === "deny") ahead.allow(other.handle, false);
          else if (end === "unwatch") poller.unwatch(other.handle);
          else poller.close(other.handle);
        }
      });
      if (end === "close") fds.length = 2; // of the first, which stays
      await quiet();
      expect(
        sinks.map((sink) => sink.received),
        end,
      ).toEqual(end === "deny" ? [[3], [3], [3]] : [[3], [], []]);
    }
  });

  it("what was read of a registration that has ended is not given to the one that has its slot now", async () => {
    const bench = setup();
    const { poller, ahead } = bench;
    const heir = new Taker(bench);
    const sinks = bench.told(2, () => {
      if (heir.handle !== -1) return;
      const [fd, peer] = pair(poller);
      bench.fds.push(fd, peer);
      const before = (sinks[1] as Taker).handle;
      poller.unwatch(before);
      heir.handle = poller.watch(fd, READ, heir, { edge: true });
      expect(heir.handle % 2 ** 24).toBe(before % 2 ** 24);
      ahead.allow(heir.handle, true);
      expect(ahead.reclaim(heir.handle)).toBe(undefined);
    });
    await quiet();
    expect((sinks[1] as Taker).received).toEqual([]);
    expect(heir.received).toEqual([]);
  });

  it("a sink is not told of what was read for a registration of its that has ended", async () => {
    const bench = setup();
    const { poller, ahead } = bench;
    const sinks = bench.told(2, () => {
      const [, second] = sinks as [Taker, Taker];
      const [fd, peer] = pair(poller);
      bench.fds.push(fd, peer);
      poller.unwatch(second.handle);
      second.handle = poller.watch(fd, READ, second, { edge: true });
      expect(ahead.reclaim(second.handle)).toBe(undefined);
    });
    await quiet();
    expect((sinks[1] as Taker).received).toEqual([]);
  });

  it("what was read and not delivered yet can be taken out, once", async () => {
    const bench = setup();
    const { ahead } = bench;
    const taken: unknown[] = [];
    const sinks = bench.told(3, (self, index) => {
      if (index > 0) return;
      const [, second] = sinks as [Taker, Taker, Taker];
      taken.push(ahead.reclaim(self.handle), ahead.reclaim(second.handle), ahead.reclaim(second.handle));
      bench.buffer(1).fill(0);
    });
    await until(() => (sinks[2] as Taker).received.length === 1);
    expect(taken).toEqual([undefined, new Uint8Array(Buffer.from("  1")), undefined]);
    expect(sinks.map((sink) => sink.texts)).toEqual([["  0"], [], ["  2"]]);
    expect(ahead.reclaim((sinks[2] as Taker).handle)).toBe(undefined);
  });

  it("does not read without room, behind it, or into what was detached, and does again with another buffer", async () => {
    const bench = setup();
    const { poller } = bench;
    const ends = pair(poller);
    const sink = bench.taker(ends);
    const scratch = new Uint8Array(SIZE);
    async function next(): Promise<number> {
      const before = sink.received.length;
      poller.writev(ends[1], ["abc"], 0);
      await until(() => sink.received.length > before);
      const received = sink.received[before] as number;
      if (received === NOT_READ) expect(poller.read(ends[0], scratch, 0, SIZE)).toBe(3);
      return received;
    }
    for (const [at, expected] of [
      [3 * SIZE, 3],
      [3 * SIZE + 1, NOT_READ],
      [4 * SIZE, NOT_READ],
      [2 ** 31 - 1, NOT_READ],
      [-1, NOT_READ],
      [-SIZE, NOT_READ],
      [0, 3],
    ] as const) {
      bench.lane().at = at;
      expect(await next(), String(at)).toBe(expected);
    }
    bench.lane().at = 0;
    bench.detach(0);
    expect(await next()).toBe(NOT_READ);
    bench.renew(0, new Uint8Array(SIZE - 1));
    expect(await next()).toBe(NOT_READ);
    bench.renew(0, new Uint8Array(SIZE));
    expect(await next()).toBe(3);
  });

  it("survives that a sink detaches its buffer, which its neighbours do not notice", async () => {
    const bench = setup();
    const first = bench.told(LANES, (_self, _index, lane) => {
      if (lane % 2 === 0) bench.detach(lane);
    });
    await until(() => first.every((sink) => sink.received.length === 1));
    expect(first.flatMap((sink) => sink.texts)).toEqual(first.map((_, i) => `  ${i}`));
    const second = bench.told(LANES, () => undefined);
    await until(() => second.every((sink) => sink.received.length === 1));
    expect(second.flatMap((sink) => sink.received)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => (i % 2 === 0 ? NOT_READ : 3)),
    );
  });

  it("a slot that is given out again is not read ahead of, and any number of slots may be", async () => {
    const bench = setup();
    const { poller, ahead, fds } = bench;
    const sinks = Array.from({ length: 300 }, () => {
      const ends = pair(poller);
      return { ends, sink: bench.taker(ends) };
    });
    for (const { ends } of sinks) poller.writev(ends[1], ["abc"], 0);
    await until(() => sinks.every(({ sink }) => sink.received.length === 1));
    expect(new Set(sinks.flatMap(({ sink }) => sink.received))).toEqual(new Set([3]));

    const { ends, sink } = sinks[299] as (typeof sinks)[0];
    poller.unwatch(sink.handle);
    const successor = new Taker(bench);
    const handle = poller.watch(ends[0], READ, successor, { edge: true });
    expect(handle % 2 ** 24).toBe(sink.handle % 2 ** 24);
    ahead.allow(sink.handle, true); // late, and for a slot that is somebody else's by now
    poller.writev(ends[1], ["abc"], 0);
    await until(() => successor.received.length === 1);
    ahead.allow(handle, true);
    ahead.allow(sink.handle, false);
    poller.writev(ends[1], ["abc"], 0);
    await until(() => successor.received.length === 2);
    expect(successor.received).toEqual([NOT_READ, 6]);
    poller.unwatch(handle);
    expect(fds.length).toBe(600);
  });

  it("has one user, and refuses what cannot be read into", () => {
    const poller = createPoller(requireAddon());
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 31])
      expect(() => poller.readAhead(size)).toThrow(RangeError);
    expect(() => poller.readAhead("1" as never)).toThrow(TypeError);
    const ahead = poller.readAhead(SIZE) as ReadAhead;
    expect(ahead.lanes.map((lane) => lane.at)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(() => ahead.lanes[0]?.into("buffer" as never)).toThrow(TypeError);
    expect(() => ahead.lanes[0]?.into(new Uint8Array(8) as never)).toThrow(TypeError);
    // A lane behind one without a buffer.
    expect(() => ahead.lanes[1]?.into(new ArrayBuffer(8))).toThrow(RangeError);
    for (const lane of ahead.lanes) lane.into(new ArrayBuffer(8));
    expect(poller.readAhead(SIZE)).toBe(undefined);
  });

  it("reads ahead of one sink at a time where it cannot run ticks between them", async () => {
    const log = ["lanes 1", "sink 0", "tick 0", "sink 1", "tick 1", "sink 2", "tick 2"];
    const { out, err } = await runChild("read-ahead-alone", [], ["--pending-deprecation"]);
    expect([out, err]).toEqual([log.join(), ""]);
  });

  it("what one sink, tick or promise fails with reaches uncaughtException, and loses nothing of the others", async () => {
    for (const how of ["caught", "rejections", "hooked", "turns"]) {
      const { code, out } = await runChild("read-ahead-throws", [how]);
      expect(code, how).toBe(0);
      expect(out.split(","), how).toEqual(
        [0, 1, 2, 3, 4, 5].flatMap((i) => [
          `sink ${i} 3`,
          ...(i % 3 === 0 ? [`caught sink ${i}`] : []),
          `tick ${i}`,
          ...(i % 3 === 1 ? [`caught tick ${i}`] : []),
          `microtask ${i}`,
          ...(i % 3 === 2 ? [`${how === "rejections" ? "unhandled" : "caught"} promise ${i}`] : []),
        ]),
      );
    }
  });

  it("what a tick throws ends the process, or the worker, when nobody catches it", async () => {
    const alone = await runChild("read-ahead-throws", ["uncaught"]);
    expect([alone.code, alone.out]).toEqual([1, "sink 0 3,tick 0,microtask 0,sink 1 3,tick 1"]);
    expect(alone.err).toContain("Error: tick 1");
    const { code, out } = await runChild("read-ahead-throws", ["worker"]);
    expect([code, out]).toEqual([0, "sink 0 3,tick 0,microtask 0,sink 1 3,tick 1\nworker failed: tick 1"]);
  });

  it("ends with its worker, and leaves the main thread alone", async () => {
    expect(await runChild("read-ahead-worker")).toMatchObject({
      code: 0,
      out: "worker read 3, exit 0, main read 3",
    });
  });
});
