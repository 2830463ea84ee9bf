import { afterEach, expect, it } from "vitest";
import { NOT_READ, type Poller, type PollSink, READ, type ReadAhead, WRITE } from "../src/index.js";
import { requireAddon } from "../src/native.js";
import { createPoller } from "../src/poller.js";
import { ECONNRESET, native, pair, pipe, quiet, runChild, tcpPair, until } from "./helpers.js";

const SIZE = 64;

/** A sink that notes what was read ahead of each of its events. */
class Taker implements PollSink {
  readonly received: number[] = [];
  readonly texts: string[] = [];
  handle = -1;
  readonly #buffer: () => Uint8Array;
  readonly #place: ReadAhead;
  told: () => void = () => undefined;

  constructor(buffer: () => Uint8Array, place: ReadAhead) {
    this.#buffer = buffer;
    this.#place = place;
  }

  onEvents(_events: number, received: number): void {
    this.received.push(received);
    const { at } = this.#place;
    if (received > 0) this.texts.push(Buffer.from(this.#buffer().subarray(at, at + received)).toString());
    this.told();
  }
}

native("reading ahead", () => {
  // Of the thread's own poller, iostream may have the buffer: each test makes one.
  const made: { poller: Poller; fds: number[] }[] = [];

  afterEach(() => {
    for (const { poller, fds } of made.splice(0)) for (const fd of fds) poller.closeFd(fd);
  });

  function setup(room = 4 * SIZE) {
    const poller = createPoller(requireAddon());
    const fds: number[] = [];
    made.push({ poller, fds });
    let buffer = new Uint8Array(room);
    const ahead = poller.readAhead(buffer.buffer, SIZE) as ReadAhead;
    return {
      poller,
      ahead,
      fds,
      buffer: () => buffer,
      /** Another buffer from now on. */
      renew(next: Uint8Array<ArrayBuffer>) {
        buffer = next;
        ahead.into(next.buffer);
      },
      /** A watched descriptor whose events are read ahead of. */
      taker([fd, peer]: readonly [number, number], options = { allowed: true, edge: true, mask: READ }) {
        const sink = new Taker(() => buffer, ahead);
        sink.handle = poller.watch(fd, options.mask, sink, { edge: options.edge });
        ahead.allow(sink.handle, options.allowed);
        fds.push(fd, peer);
        return sink;
      },
    };
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
    const { poller, taker, buffer } = setup();
    const ends = pair(poller);
    const sink = taker(ends);
    poller.writev(ends[1], ["x".repeat(SIZE + 3)], 0);
    await until(() => sink.received.length === 1);
    expect(sink.received).toEqual([SIZE]);
    expect(poller.read(ends[0], buffer(), 0, SIZE)).toBe(3);
  });

  it("reads only ahead of READ events of what allows it, and of no wake-up", async () => {
    const { poller, ahead, taker, buffer } = setup();
    const ends = pair(poller);
    const sink = taker(ends, { allowed: false, edge: true, mask: READ });
    poller.writev(ends[1], ["abc"], 0);
    await until(() => sink.received.length === 1);
    expect(poller.read(ends[0], buffer(), 0, SIZE)).toBe(3);

    const writable = pair(poller);
    const writer = taker(writable, { allowed: true, edge: true, mask: WRITE });
    poller.writev(writable[1], ["abc"], 0);
    await until(() => writer.received.length > 0);
    poller.modify(writer.handle, 0);
    expect(poller.read(writable[0], buffer(), 0, SIZE)).toBe(3);

    ahead.allow(sink.handle, true);
    poller.writev(ends[1], ["d"], 0);
    poller.wake(sink.handle);
    await until(() => sink.received.length === 3);
    expect([...sink.received, ...writer.received].sort()).toEqual([NOT_READ, NOT_READ, NOT_READ, 1]);
  });

  it("reads to where `at` is at that moment, also when a sink of the same batch moved it", async () => {
    const { poller, ahead, taker, buffer } = setup();
    const first = pair(poller);
    const second = pair(poller);
    const one = taker(first);
    const two = taker(second);
    const move = () => {
      ahead.at += SIZE;
    };
    one.told = move;
    two.told = move;
    for (const [, peer] of [first, second]) poller.writev(peer, [peer === first[1] ? "one" : "two"], 0);
    await until(() => one.received.length + two.received.length === 2);
    expect([...one.texts, ...two.texts]).toEqual(["one", "two"]);
    const halves = [buffer().subarray(0, 3), buffer().subarray(SIZE, SIZE + 3)].map((b) =>
      Buffer.from(b).toString(),
    );
    expect(halves.sort()).toEqual(["one", "two"]);
    expect(ahead.at).toBe(2 * SIZE);
  });

  it("does not read for a sink that another one of the same batch took the leave from, closed or unwatched", async () => {
    for (const end of ["deny", "close", "unwatch"] as const) {
      const { poller, ahead, taker, buffer, fds } = setup();
      const ends = [pair(poller), pair(poller)];
      const sinks = ends.map((each) => taker(each));
      for (const [i, sink] of sinks.entries()) {
        const other = sinks[1 - i] as Taker;
        sink.told = () => {
          if (end === "deny") ahead.allow(other.handle, false);
          else if (end === "unwatch") poller.unwatch(other.handle);
          else {
            fds.splice(fds.indexOf((ends[1 - i] as readonly [number, number])[0]), 1);
            poller.close(other.handle);
          }
          sink.told = () => undefined;
          other.told = () => undefined;
        };
      }
      for (const [, peer] of ends) poller.writev(peer, ["abc"], 0);
      await quiet();
      const reads = sinks.flatMap((sink) => sink.received);
      expect(reads, end).toEqual(end === "deny" ? [3, NOT_READ] : [3]);
      const loser = ends[(sinks[0] as Taker).received[0] === 3 ? 1 : 0] as readonly [number, number];
      if (end !== "close") expect(poller.read(loser[0], buffer(), 0, SIZE), end).toBe(3);
    }
  });

  it("does not read without room, behind it, or into what was detached, and does again with another buffer", async () => {
    const bench = setup();
    const { poller, ahead, taker } = bench;
    const ends = pair(poller);
    const sink = taker(ends);
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
      ahead.at = at;
      expect(await next(), String(at)).toBe(expected);
    }
    ahead.at = 0;
    const gone = bench.buffer().buffer as ArrayBuffer;
    structuredClone(gone, { transfer: [gone] });
    expect(await next()).toBe(NOT_READ);
    bench.renew(new Uint8Array(SIZE - 1));
    expect(await next()).toBe(NOT_READ);
    bench.renew(new Uint8Array(SIZE));
    expect(await next()).toBe(3);
  });

  it("survives that a sink detaches the buffer in the middle of a batch", async () => {
    const { poller, taker, buffer } = setup();
    const ends = Array.from({ length: 8 }, () => pair(poller));
    const sinks = ends.map((each) => taker(each));
    for (const sink of sinks) {
      sink.told = () => {
        const { buffer: memory } = buffer();
        if (memory.byteLength > 0) structuredClone(memory, { transfer: [memory as ArrayBuffer] });
      };
    }
    for (const [, peer] of ends) poller.writev(peer, ["abc"], 0);
    await until(() => sinks.every((sink) => sink.received.length === 1));
    const all = sinks.flatMap((sink) => sink.received);
    expect(all.filter((received) => received !== NOT_READ)).toEqual([3]);
  });

  it("a slot that is given out again is not read ahead of, and any number of slots may be", async () => {
    const { poller, ahead, taker, fds } = setup();
    const sinks = Array.from({ length: 300 }, () => {
      const ends = pair(poller);
      return { ends, sink: taker(ends) };
    });
    for (const { ends } of sinks) poller.writev(ends[1], ["abc"], 0);
    await until(() => sinks.every(({ sink }) => sink.received.length === 1));
    expect(new Set(sinks.flatMap(({ sink }) => sink.received))).toEqual(new Set([3]));

    const { ends, sink } = sinks[299] as (typeof sinks)[0];
    poller.unwatch(sink.handle);
    const successor = new Taker(() => new Uint8Array(0), ahead);
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
    made.push({ poller, fds: [] });
    expect(() => poller.readAhead("buffer" as never, SIZE)).toThrow(TypeError);
    expect(() => poller.readAhead(new Uint8Array(8) as never, SIZE)).toThrow(TypeError);
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => poller.readAhead(new ArrayBuffer(8), size)).toThrow(RangeError);
    }
    const ahead = poller.readAhead(new ArrayBuffer(8), SIZE) as ReadAhead;
    expect(ahead.at).toBe(0);
    expect(() => ahead.into("buffer" as never)).toThrow(TypeError);
    expect(poller.readAhead(new ArrayBuffer(8), SIZE)).toBe(undefined);
  });

  it("ends with its worker, and leaves the main thread alone", async () => {
    expect(await runChild("read-ahead-worker")).toMatchObject({
      code: 0,
      out: "worker read 3, exit 0, main read 3",
    });
  });
});
