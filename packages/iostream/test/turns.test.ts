// How many bytes of how many senders leave in one turn of the loop, and in which order.
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { IOLoop } from "@tw/ioloop";
import { onEveryEngine } from "@tw/tooling-testing";
import { describe, expect, it, vi } from "vitest";
import type { StreamSentMessage } from "../src/channels.js";
import { IOStream } from "../src/index.js";
import { type Sender, SenderTurns, turnsOf } from "../src/stream/turns.js";
import { Notes, ScriptedTransport, type TestLoop, testLoop, turn } from "./helpers.js";
import { STREAM_PAIRS } from "./stream-pairs.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const SHARE = 256 * KIB;
const FREE = 64 * KIB;
const BUDGET = MIB;

/** What `amount` grows by from turn to turn of the loop, continuations included, until it is `all`. */
function eachTurn(loop: IOLoop, amount: () => number, all: number): number[] {
  const grown: number[] = [];
  let before = amount();
  const look = (): void => {
    const now = amount();
    grown.push(now - before);
    before = now;
    if (now < all && grown.length < 100_000) loop.addCallback(look);
  };
  loop.addCallback(look);
  return grown;
}

describe("SenderTurns", () => {
  const made = (): { loop: TestLoop; turns: SenderTurns } => {
    const loop = testLoop();
    return { loop, turns: new SenderTurns(loop) };
  };

  it("lets senders go on in their order, as many in a turn as the budget is for", async () => {
    const { loop, turns } = made();
    const served: number[] = [];
    const grown = eachTurn(loop, () => served.length, 10);
    for (let i = 0; i < 10; i++) turns.rest({ goOnRested: () => served.push(i) * 0 + SHARE });
    await loop.settle();
    expect(served).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(grown.filter((count) => count > 0)).toEqual([4, 4, 2]);
  });

  it.each([
    ["one byte less than the budget lets another one go on", BUDGET - 1, 2],
    ["the budget is one turn's", BUDGET, 1],
    ["more than the budget is no debt", 5 * BUDGET, 1],
  ])("%s", async (_, charge, perTurn) => {
    const { loop, turns } = made();
    let served = 0;
    const seen: number[] = [];
    for (let i = 0; i < 10; i++)
      turns.rest({
        goOnRested() {
          served++;
          return charge;
        },
      });
    loop.addCallback(() => seen.push(served));
    await loop.settle();
    expect([seen, served]).toEqual([[perTurn], 10]);
  });

  it("serves one that rests again behind those who came before, and not twice in a turn", async () => {
    const { loop, turns } = made();
    const served: string[] = [];
    const again = (name: string, times: number): Sender => ({
      goOnRested() {
        served.push(`${name}${turns.number}`);
        if (--times > 0) turns.rest(this);
        return 1;
      },
    });
    turns.rest(again("a", 3));
    turns.rest(again("b", 2));
    turns.rest(again("c", 1));
    await loop.settle();
    expect(served).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
  });

  it("serves one that is alone in each turn", async () => {
    const { loop, turns } = made();
    let served = 0;
    const grown = eachTurn(loop, () => served, 20);
    turns.rest({
      goOnRested() {
        if (++served < 20) turns.rest(this);
        return SHARE;
      },
    });
    await loop.settle();
    expect(grown).toEqual([0, ...new Array(20).fill(1)]);
  });

  it("forgets who leaves, also while others are served", async () => {
    const { loop, turns } = made();
    const served: string[] = [];
    const sender = (name: string, then = (): void => {}): Sender => ({
      goOnRested() {
        served.push(name);
        then();
        return 1;
      },
    });
    const [first, third] = [sender("first"), sender("third")];
    turns.rest(first);
    turns.rest(sender("second", () => turns.leave(third)));
    turns.rest(third);
    turns.rest(sender("fourth"));
    turns.leave(first);
    turns.leave(first);
    await loop.settle();
    expect(served).toEqual(["second", "fourth"]);
  });

  it("what one throws is logged once, and the others go on in the next turn", async () => {
    const { loop, turns } = made();
    const fault = new Error("logger");
    const served: number[] = [];
    const broken = (): Sender => ({
      goOnRested() {
        throw fault;
      },
    });
    for (const sender of [broken(), { goOnRested: () => served.push(1) }, broken()]) turns.rest(sender);
    turns.rest({ goOnRested: () => served.push(2) });
    await loop.settle();
    expect([served, loop.logged]).toEqual([
      [1, 2],
      [fault, fault],
    ]);
  });

  it("each goes on in the context in which it began to rest, and what it enters stays its own", async () => {
    const { loop, turns } = made();
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const sender: Sender = {
      goOnRested() {
        seen.push(store.getStore());
        store.enterWith("entered");
        return SHARE;
      },
    };
    const rest = (): void => turns.rest({ ...sender });
    store.run("a", rest);
    rest();
    store.run("b", rest);
    for (let i = 0; i < 6; i++) store.run(`${i}`, rest);
    await loop.settle();
    expect(seen).toEqual(["a", undefined, "b", "0", "1", "2", "3", "4", "5"]);
  });

  it("the budget is one turn's, also where nobody rests", async () => {
    const { loop, turns } = made();
    for (let i = 1; i < 4; i++) {
      turns.add(BUDGET / 2);
      turns.add(BUDGET / 4);
      await loop.settle();
      expect([turns.over, turns.number]).toEqual([false, i]);
    }
  });

  it("the budget is over at the byte, and another turn's is whole; one callback is asked for", async () => {
    const { loop, turns } = made();
    turns.add(BUDGET - 1);
    expect([turns.over, turns.number]).toEqual([false, 0]);
    turns.add(1);
    turns.rest({ goOnRested: () => 1 });
    expect([turns.over, turns.number, loop.metrics().callbacks]).toEqual([true, 0, 1]);
    await loop.settle();
    expect([turns.over, turns.number, loop.metrics().callbacks]).toEqual([false, 1, 0]);
  });

  it("nobody goes on after close() of the loop, not even in the turn that closes it; rest() throws from then on", async () => {
    for (const inTurn of [false, true]) {
      const { loop, turns } = made();
      let served = 0;
      const sender = (): Sender => ({
        goOnRested() {
          served++;
          void loop.close();
          return 1;
        },
      });
      for (let i = 0; i < 3; i++) turns.rest(sender());
      if (!inTurn) await loop.close();
      await loop.settle();
      expect(served).toBe(inTurn ? 1 : 0);
      expect(() => turns.rest(sender())).toThrow(expect.objectContaining({ code: "ERR_TW_LOOP_CLOSED" }));
      turns.add(BUDGET); // counts, and asks for nothing
      expect([loop.metrics().callbacks, loop.logged]).toEqual([0, []]);
    }
  });

  it("turnsOf() is one for each loop", () => {
    const [one, other] = [testLoop(), testLoop()];
    expect(turnsOf(one)).toBe(turnsOf(one));
    expect(turnsOf(one)).not.toBe(turnsOf(other));
  });
});

/** Takes all, and counts it. */
class Sink extends ScriptedTransport {
  taken = 0;
  /** Told of every write. */
  onTaken: (bytes: number) => void = () => {};

  override write(chunks: readonly (Uint8Array | string)[]): number {
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    this.taken += size;
    this.onTaken(size);
    return size;
  }
}

function sinks(count: number): { loop: TestLoop; transports: Sink[]; streams: IOStream[]; total(): number } {
  const loop = testLoop();
  const transports = Array.from({ length: count }, () => new Sink());
  const streams = transports.map((transport) => new IOStream(transport, { loop }));
  return { loop, transports, streams, total: () => transports.reduce((sum, { taken }) => sum + taken, 0) };
}

/** Writes `total` bytes, one piece after the other. */
async function writeAll(stream: IOStream, total: number, piece = 16 * KIB): Promise<void> {
  const bytes = new Uint8Array(piece);
  for (let left = total; left > 0; left -= piece)
    await stream.write(bytes.subarray(0, Math.min(left, piece)));
}

/** Sends as `onDrain` tells. */
function sendAll(stream: IOStream, total: number, piece = 16 * KIB): void {
  const notes = new Notes();
  const bytes = new Uint8Array(piece);
  let left = total;
  notes.onDrain = () => {
    while (left > 0) {
      left -= piece;
      if (!stream.send(bytes)) return;
    }
  };
  stream.attach(notes);
  notes.onDrain();
}

describe("senders whose peers take everything", () => {
  it.each([
    ["that await each write", (stream: IOStream) => void writeAll(stream, MIB)],
    ["that go on when onDrain tells", (stream: IOStream) => sendAll(stream, MIB)],
  ])("together give little more than the budget in a turn, a hundred of them %s", async (_, begin) => {
    const { loop, streams, total } = sinks(100);
    const grown = eachTurn(loop, total, 100 * MIB);
    for (const stream of streams) begin(stream);
    await turn();
    // All of them begin at once: what does not count, and then the budget.
    expect(total()).toBeLessThanOrEqual(100 * (FREE + 32 * KIB) + BUDGET);
    await loop.settle();
    expect(total()).toBe(100 * MIB);
    // Each may be one piece above its share.
    expect(Math.max(...grown.slice(1))).toBeLessThanOrEqual(BUDGET + 4 * 96 * KIB);
  });

  it("who finds the budget used up gives 64 KiB all the same, and rests then: with the byte", async () => {
    const { loop, streams, total } = sinks(1);
    const [stream] = streams as [IOStream];
    turnsOf(loop).add(BUDGET);
    await stream.write(new Uint8Array(FREE - 1));
    await stream.write(new Uint8Array(1));
    expect(total()).toBe(FREE);
    stream.send(new Uint8Array(1));
    await turn();
    expect(total()).toBe(FREE);
    await loop.settle();
    expect(total()).toBe(FREE + 1);
  });

  it("a sender that is alone gives a whole share in each turn", async () => {
    const { loop, streams, total } = sinks(1);
    const grown = eachTurn(loop, total, 10 * SHARE);
    void writeAll(streams[0] as IOStream, 10 * SHARE, 64 * KIB);
    await loop.settle();
    expect(grown.filter((bytes) => bytes > 0)).toEqual(new Array(10).fill(SHARE));
  });

  it.each([
    ["one byte", 1, 256],
    ["a byte less than a KiB", KIB - 1, 256],
    ["a KiB and a byte", KIB + 1, 256],
    ["8 KiB", 8 * KIB, 32],
  ])("however small its writes are, it leaves the loop: after so many of %s", async (_, size, writes) => {
    const { loop, streams, transports } = sinks(1);
    let flushes = 0;
    (transports[0] as Sink).onTaken = () => flushes++;
    const grown = eachTurn(loop, () => flushes, 3 * writes);
    void writeAll(streams[0] as IOStream, 3 * writes * size, size);
    await loop.settle();
    expect(grown.filter((count) => count > 0)).toEqual([writes, writes, writes]);
  });

  it("four have a whole share each, in each turn; of five the fifth has his in the next", async () => {
    for (const count of [4, 5]) {
      const { loop, streams, transports, total } = sinks(count);
      for (const stream of streams) void writeAll(stream, 3 * SHARE, 64 * KIB);
      await turn();
      const first = transports.map(({ taken }) => taken / KIB);
      const grown = eachTurn(loop, total, count * 3 * SHARE);
      await loop.settle();
      if (count === 4) expect(first).toEqual([256, 256, 256, 256]);
      else
        expect(first.reduce((sum, taken) => sum + taken)).toBeLessThanOrEqual((BUDGET + count * FREE) / KIB);
      expect(Math.max(...grown)).toBe(BUDGET);
      expect(transports.map(({ taken }) => taken)).toEqual(new Array(count).fill(3 * SHARE));
    }
  });

  it("what a socket takes when it has room again leaves at once, uses up its sender's share, and nobody else's", async () => {
    for (const usedUp of [false, true]) {
      const loop = testLoop();
      const transport = new ScriptedTransport();
      transport.room = 0;
      const stream = new IOStream(transport, { loop });
      stream.send(new Uint8Array(2 * BUDGET));
      await turn();
      if (usedUp) turnsOf(loop).add(BUDGET);
      transport.room = 2 * BUDGET + 1;
      transport.receiver.onDrain();
      expect([transport.room, stream.writing, turnsOf(loop).over]).toEqual([1, false, usedUp]);
      stream.send(new Uint8Array(1));
      await turn();
      expect(transport.room).toBe(1);
      await loop.settle();
      expect(transport.room).toBe(0);
    }
  });

  it("go on in the order in which they came to rest", async () => {
    const { loop, streams, transports } = sinks(20);
    const order: number[] = [];
    for (const stream of streams) void writeAll(stream, 4 * MIB, MIB);
    await turn();
    for (const [i, transport] of transports.entries()) transport.onTaken = () => void order.push(i);
    await loop.settle();
    const all = Array.from({ length: 20 }, (_, i) => i);
    expect(order).toEqual([...all, ...all, ...all]);
  });

  it("keep nobody waiting who sends little in each turn", async () => {
    const { loop, streams } = sinks(50);
    for (const stream of streams) void writeAll(stream, 2 * MIB);
    await turn();
    const small = new Sink();
    const stream = new IOStream(small, { loop });
    const seen: number[] = [];
    let answers = 0;
    const answer = (): void => {
      seen.push(small.taken);
      if (answers < 40) stream.send(new Uint8Array(10 * KIB));
      if (answers++ < 40) loop.addCallback(answer);
    };
    loop.addCallback(answer);
    await loop.settle();
    // Also when it was more than a share by and by.
    expect(seen).toEqual(Array.from({ length: 41 }, (_, i) => i * 10 * KIB));
  });

  it("who is aborted in the line sends nothing more, and keeps nobody's place", async () => {
    const { loop, streams, transports } = sinks(9);
    const writes = streams.map((stream) => writeAll(stream, 2 * MIB, MIB));
    await turn();
    expect(transports.map(({ taken }) => taken)).toEqual(new Array(9).fill(MIB));
    const reason = new Error("gone");
    for (const stream of streams.slice(0, 4)) stream.abort(reason);
    for (const write of writes.slice(0, 4)) await expect(write).rejects.toMatchObject({ cause: reason });
    let taken: number[] = [];
    loop.addCallback(() => {
      taken = transports.map((transport) => transport.taken);
    });
    await loop.settle();
    expect(taken).toEqual([...new Array(4).fill(MIB), 2 * MIB, ...new Array(4).fill(MIB)]);
    await Promise.all(writes.slice(4));
    expect(loop.logged).toEqual([]);
  });

  it("who is closed in the line sends what he has, and then FIN, once", async () => {
    const { loop, streams, transports } = sinks(6);
    for (const stream of streams) void writeAll(stream, 2 * MIB, MIB).catch(() => {});
    await turn();
    const closed = streams.slice(2).map((stream) => stream.close());
    expect(transports.map(({ calls }) => calls)).toEqual(new Array(6).fill([]));
    await loop.settle();
    expect(transports.map(({ taken }) => taken)).toEqual(new Array(6).fill(2 * MIB));
    expect(transports.map(({ calls }) => calls.join())).toEqual(["", "", "end", "end", "end", "end"]);
    for (const { receiver } of transports.slice(2)) receiver.onClose();
    await Promise.all(closed);
  });

  it("who loses the transport in the line is forgotten", async () => {
    const { loop, streams, transports } = sinks(1);
    const written = writeAll(streams[0] as IOStream, 2 * MIB, MIB);
    await turn();
    transports[0]?.receiver.onClose(new Error("reset"));
    await expect(written).rejects.toMatchObject({ cause: new Error("reset") });
    const left = vi.spyOn(streams[0] as IOStream, "goOnRested");
    await loop.settle();
    expect([left.mock.calls.length, transports[0]?.taken]).toEqual([0, MIB]);
  });

  it("a receiver that throws in the line loses its own stream only", async () => {
    const { loop, streams, transports } = sinks(8);
    const fault = new Error("receiver");
    for (const [i, stream] of streams.entries()) {
      const notes = new Notes();
      let told = 0;
      notes.onDrain = () => {
        if (i === 2 && told === 1) throw fault;
        if (told++ < 3) stream.send(new Uint8Array(MIB));
      };
      stream.attach(notes);
      notes.onDrain();
    }
    await loop.settle();
    expect(loop.logged).toEqual([fault]);
    expect(transports.map(({ taken }) => taken / MIB)).toEqual([3, 3, 1, 3, 3, 3, 3, 3]);
    expect(transports[2]?.calls).toEqual(["abort receiver"]);
  });

  it("a logger that throws then keeps none of the others waiting", async () => {
    const { loop, streams, transports } = sinks(3);
    const log = vi.spyOn(loop.logger, "error").mockImplementationOnce(() => {
      throw new Error("logger");
    });
    for (const [i, stream] of streams.entries()) {
      const notes = new Notes();
      let told = 0;
      notes.onDrain = () => {
        if (i === 0 && told === 1) throw new Error("receiver");
        if (told++ < 2) stream.send(new Uint8Array(MIB));
      };
      stream.attach(notes);
      notes.onDrain();
    }
    await loop.settle();
    expect(transports.map(({ taken }) => taken / MIB)).toEqual([1, 2, 2]);
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
  });

  it("onDrain comes in the context of the sender that rests, and no other's", async () => {
    const { loop, streams } = sinks(6);
    const store = new AsyncLocalStorage<number>();
    const seen: string[] = [];
    for (const [i, stream] of streams.entries())
      store.run(i, () => {
        const notes = new Notes();
        let left = 3;
        notes.onDrain = () => {
          seen.push(`${i} in ${store.getStore()}`);
          if (left-- > 0) stream.send(new Uint8Array(SHARE));
        };
        stream.attach(notes);
        notes.onDrain();
      });
    await loop.settle();
    expect(seen.sort()).toEqual(streams.flatMap((_, i) => new Array(4).fill(`${i} in ${i}`)));
  });

  it("close() of the loop leaves nobody in the line who goes on, and abort() still rejects", async () => {
    const { loop, streams, transports, total } = sinks(6);
    const writes = streams.map((stream) => writeAll(stream, 2 * MIB, MIB));
    await turn();
    await loop.close();
    await loop.settle();
    expect([total(), loop.metrics().callbacks]).toEqual([6 * MIB, 0]);
    for (const stream of streams) stream.abort();
    for (const write of writes) await expect(write).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    expect([transports[0]?.calls, loop.logged]).toEqual([["abort"], []]);
  });
});

onEveryEngine((engine) => {
  it("thirty senders on sockets leave the loop to others, and all their bytes arrive", async () => {
    const COUNT = 30;
    const make = STREAM_PAIRS[`${engine}, TCP`] as () => Promise<[IOStream, IOStream]>;
    const pairs = await Promise.all(Array.from({ length: COUNT }, make));
    const writers = new Set(pairs.map(([writer]) => writer));
    let sent = 0;
    const observer = (message: unknown): void => {
      const { stream, size } = message as StreamSentMessage;
      if (writers.has(stream)) sent += size;
    };
    subscribe("tw:iostream:sent", observer);
    try {
      const [first] = pairs[0] as [IOStream, IOStream];
      const grown = eachTurn(first.loop, () => sent, COUNT * MIB);
      const writing = pairs.map(([writer]) => writeAll(writer, MIB).then(() => writer.end()));
      await turn();
      expect(sent).toBeLessThanOrEqual(COUNT * (FREE + 32 * KIB) + BUDGET);
      const reading = pairs.map(async ([, reader]) => (await reader.readUntilClose()).length);
      expect(await Promise.all(reading)).toEqual(new Array(COUNT).fill(MIB));
      await Promise.all(writing);
      // Those that a full socket held back may go on in any turn, for as much as does not count.
      expect(Math.max(...grown.slice(1))).toBeLessThanOrEqual(COUNT * (FREE + 32 * KIB) + BUDGET);
    } finally {
      unsubscribe("tw:iostream:sent", observer);
      for (const stream of pairs.flat()) stream.abort();
    }
  });
});
