import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { transportConformance } from "../src/testing.js";
import { type MemoryPairOptions, MemoryTransport, memoryPair } from "../src/transports.js";
import { Notes, testLoop } from "./helpers.js";

function conformance(name: string, options: MemoryPairOptions): void {
  const makePair = () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, options);
    return { a, b, resets: true, settle: () => loop.settle(5), resources: () => loop.timers.size };
  };
  transportConformance(name, makePair, { describe, it });
}

conformance("memory", {});
conformance("memory with latency", { latencyMs: 3 });
let piece = 0;
conformance("memory with latency that varies", { latencyMs: (bytes) => (bytes * 7) % 5 });
const part = (size: number): number => (size < 64 ? size : size / 3);
conformance("memory that takes and gives parts", { take: part, chunk: part });
conformance("memory in odd pieces", { chunk: () => ((piece++ * 7) % 1500) + 1, capacity: 5000 });

describe("memoryPair()", () => {
  it("logs what a receiver throws in onClose, as descriptors do", async () => {
    const loop = testLoop();
    const [a] = memoryPair(loop);
    const thrown = new Error("onClose");
    const notes = new Notes();
    notes.onClose = () => {
      throw thrown;
    };
    a.start(notes);
    a.abort();
    await loop.settle();
    expect(loop.logged).toEqual([thrown]);
  });

  it("delivers after the latency, not before", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { latencyMs: 20 });
    const notes = new Notes();
    a.start(new Notes());
    b.start(notes);
    a.write(["x"]);
    await loop.settle(19);
    expect(notes.calls).toEqual([]);
    await loop.settle(1);
    expect(notes.calls).toEqual(["bytes x"]);
  });

  it("splits where the test says, and joins nothing that has not arrived", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { chunk: (available) => Math.min(2, available) });
    const notes = new Notes();
    b.start(notes);
    a.write(["abc"]);
    a.write(["de"]);
    await loop.settle();
    expect(notes.calls).toEqual(["bytes ab", "bytes cd", "bytes e"]);
  });

  it("takes at most its capacity, and asks again when half of it is free", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { capacity: 10, chunk: () => 1 });
    const near = new Notes();
    const far = new Notes();
    a.start(near);
    b.start(far);
    expect(a.write(["0123456789ab"])).toBe(10);
    expect(a.write(["ab"])).toBe(0);
    await loop.settle();
    expect(near.calls).toEqual(["drain"]);
    expect(far.calls.length).toBe(10);
  });

  it("poisons a view when its time is over", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop);
    let kept = new Uint8Array();
    let release = (): void => {};
    b.start({
      onBytes: (view) => {
        kept = view as Uint8Array<ArrayBuffer>;
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
      onEnd: () => {},
      onDrain: () => {},
      onClose: () => {},
    });
    a.write(["abc"]);
    await loop.settle();
    expect([...kept]).toEqual([97, 98, 99]);
    release();
    await loop.settle();
    expect([...kept]).toEqual([0xdb, 0xdb, 0xdb]);
  });

  it("reset() breaks both ends with ECONNRESET and loses what is on its way", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { latencyMs: 10 });
    const near = new Notes();
    const far = new Notes();
    a.start(near);
    b.start(far);
    a.write(["lost"]);
    a.reset();
    await loop.settle(100);
    expect([near.calls, far.calls]).toEqual([["close ECONNRESET"], ["close ECONNRESET"]]);
    expect(loop.timers.size).toBe(0);
  });

  it("tells of an abort behind an end by the answer to a write, which is EPIPE", async () => {
    const loop = testLoop();
    const [a, b] = memoryPair(loop, { latencyMs: 3 });
    const near = new Notes();
    a.start(near);
    b.start(new Notes());
    b.end();
    b.abort();
    await loop.settle(5);
    expect(near.calls).toEqual(["end"]);
    expect(a.write(["xy"])).toBe(2);
    await loop.settle(2);
    expect(near.calls).toEqual(["end"]);
    await loop.settle(1);
    expect(near.calls).toEqual(["end", "close EPIPE"]);
    expect(a.write(["z"])).toBe(0);
  });

  it("is EPIPE to a stream, too: the write that follows the lost one rejects with it", async () => {
    const loop = testLoop();
    const [stream, peer] = memoryPair(loop).map((end) => new IOStream(end, { loop })) as [IOStream, IOStream];
    const read = stream.readUntilClose();
    peer.end();
    await loop.settle();
    expect((await read).length).toBe(0);
    peer.abort();
    await stream.write("lost");
    await loop.settle();
    expect(stream.error).toMatchObject({ code: "EPIPE", syscall: "write" });
    await expect(stream.write("x")).rejects.toMatchObject({ cause: { code: "EPIPE" } });
  });

  it("asks a function for the latency of each write and end, and lets nothing overtake", async () => {
    const loop = testLoop();
    const latencies = [30, 10, 50];
    const asked: number[] = [];
    const [a, b] = memoryPair(loop, {
      latencyMs: (bytes) => {
        asked.push(bytes);
        return latencies.shift() ?? 0;
      },
    });
    const far = new Notes();
    a.start(new Notes());
    b.start(far);
    a.write(["abc"]);
    a.write(["d"]);
    a.end();
    await loop.settle(29);
    expect(far.calls).toEqual([]);
    await loop.settle(1);
    expect(far.calls).toEqual(["bytes abcd"]);
    await loop.settle(20);
    expect([far.calls, asked]).toEqual([
      ["bytes abcd", "end"],
      [3, 1, 0],
    ]);
  });

  it("asks for the latency of the bytes that it takes: what there is no room for takes no time", async () => {
    const loop = testLoop();
    const asked: number[] = [];
    const latencyMs = (bytes: number): number => {
      asked.push(bytes);
      return bytes;
    };
    const [a, b] = memoryPair(loop, { capacity: 10, latencyMs });
    const near = new Notes();
    const far = new Notes();
    a.start(near);
    b.start(far);
    expect([a.write(["0123456789ab"]), a.write(["ab"]), a.write([""])]).toEqual([10, 0, 0]);
    expect(asked).toEqual([10]);
    await loop.settle(10);
    expect([far.calls, near.calls]).toEqual([["bytes 0123456789"], ["drain"]]);
    expect(a.write(["ab"])).toBe(2);
    await loop.settle(2);
    expect([far.calls.slice(1), asked]).toEqual([["bytes ab"], [10, 2]]);
  });

  it("takes as much of a write as it is told to, at least one byte, and says onDrain in a later turn", async () => {
    const loop = testLoop();
    const takes = [2, 0, 99];
    const [a, b] = memoryPair(loop, { take: () => takes.shift() ?? 1 });
    const near = new Notes();
    const far = new Notes();
    a.start(near);
    b.start(far);
    for (const [text, taken] of [
      ["abcd", 2],
      ["cd", 1],
      ["d", 1],
    ] as const) {
      expect(a.write([text])).toBe(taken);
      await loop.settle();
    }
    expect(near.calls).toEqual(["drain", "drain"]);
    expect(far.calls).toEqual(["bytes ab", "bytes c", "bytes d"]);
  });

  it("hold() keeps bytes, ends and resets back until letGo(), and loses none", async () => {
    const loop = testLoop();
    for (const finish of ["end", "abort"] as const) {
      const [a, b] = memoryPair(loop, { latencyMs: 10 });
      const near = new Notes();
      const far = new Notes();
      a.start(near);
      b.start(far);
      a.write(["before"]);
      b.hold();
      a.hold();
      await loop.settle(50);
      a.write([" and meanwhile"]);
      a[finish]();
      await loop.settle(50);
      expect(far.calls).toEqual([]);
      a.letGo();
      await loop.settle(50);
      if (finish === "end") expect(far.calls).toEqual(["bytes before and meanwhile", "end"]);
      else expect([near.calls.at(-1), far.calls.at(-1)]).toEqual(["close", "close ECONNRESET"]);
      b.abort();
      a.abort();
      await loop.settle(50);
    }
  });

  it("runs each end in the context of whoever made it, where they are made one by one", async () => {
    const loop = testLoop();
    const context = new AsyncLocalStorage<string>();
    const one = context.run("one", () => new MemoryTransport(loop));
    const two = context.run("two", () => new MemoryTransport(loop, {}, one));
    const seen: unknown[] = [];
    for (const end of [one, two]) {
      const note = (): void => void seen.push(context.getStore());
      end.start({ onBytes: note, onEnd: note, onDrain: note, onClose: note });
    }
    one.write(["x"]);
    two.write(["y"]);
    await loop.settle();
    expect(seen.sort()).toEqual(["one", "two"]);
  });

  it("refuses options out of range", () => {
    const loop = testLoop();
    for (const options of [
      { latencyMs: -1 },
      { latencyMs: Number.NaN },
      { capacity: 0 },
      { capacity: 1.5 },
    ]) {
      expect(() => memoryPair(loop, options)).toThrow(RangeError);
    }
  });
});
