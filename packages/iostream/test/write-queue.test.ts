import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { PAGE_SIZE, SMALL_PIECE } from "../src/write-pages.js";
import { takeQueue, type WriteQueue } from "../src/write-queue.js";
import { bytes, ScriptedTransport, testLoop, text, turn } from "./helpers.js";

function content(chunks: readonly (Uint8Array | string)[]): string {
  return chunks.map((chunk) => (typeof chunk === "string" ? chunk : text(chunk))).join("");
}

/** A queue of all `pieces`. */
function queueOf(pieces: readonly (Uint8Array | string)[]): WriteQueue {
  const queue = takeQueue(pieces[0] as Uint8Array | string);
  for (const piece of pieces.slice(1)) queue.push(piece);
  return queue;
}

const alphabet = "abcdefghijklmnopqrstuvwxyz\u00e9\u00ff";
const letter = (i: number): string => alphabet[i % alphabet.length] as string;

describe("WriteQueue", () => {
  for (const [kind, piece] of [
    ["bytes", (i: number) => bytes(letter(i))],
    ["text", letter],
    ["bytes and text in turn", (i: number) => (i % 2 === 0 ? bytes(letter(i)) : letter(i))],
  ] as const) {
    it(`holds 20 000 pieces of one byte as a few hundred chunks: ${kind}`, () => {
      const queue = queueOf(Array.from({ length: 20_000 }, (_, i) => piece(i)));
      expect(queue.bytes).toBe(20_000);
      expect(queue.chunks.length).toBeLessThanOrEqual(256 + Math.ceil(20_000 / PAGE_SIZE) + 1);
      expect(content(queue.chunks)).toBe(Array.from({ length: 20_000 }, (_, i) => letter(i)).join(""));
    });
  }

  it("copies what is small and leaves alone what is large, in order", () => {
    const large = new Uint8Array(SMALL_PIECE + 1).fill(66);
    const small = new Uint8Array(SMALL_PIECE).fill(65);
    const queue = queueOf([...Array(256).fill(bytes("x")), small, large, small, large]);
    const tail = queue.chunks.slice(-4);
    expect(tail.map((chunk) => chunk === large)).toEqual([false, true, false, true]);
    expect(content(queue.chunks)).toBe("x".repeat(256) + (text(small) + text(large)).repeat(2));
  });

  it("does not touch bytes that a transport has seen, when more comes behind them", () => {
    const queue = queueOf(Array(300).fill(bytes("x")));
    const seen = queue.chunks.at(-1) as Uint8Array;
    const before = text(seen);
    queue.push(bytes("yz"));
    expect(text(seen)).toBe(before);
    expect(text(queue.chunks.at(-1) as Uint8Array)).toBe(`${before}yz`);
  });

  it("keeps order when pieces of all sizes leave in pieces of other sizes, while more come", () => {
    let expected = "";
    let got = "";
    const queue = takeQueue("^");
    expected += "^";
    for (let i = 1; i < 5000; i++) {
      const piece = letter(i).repeat(1 + ((i * 7919) % (i % 50 === 0 ? 3000 : 20)));
      expected += piece;
      queue.push(i % 3 === 0 ? piece : bytes(piece));
      const count = Math.min((i * 104_729) % 40, queue.bytes - 1);
      got += content(queue.chunks).slice(0, count);
      queue.advance(count);
    }
    got += content(queue.chunks);
    expect(got === expected).toBe(true);
    queue.advance(queue.bytes);
    expect([queue.bytes, queue.chunks]).toEqual([0, []]);
  });

  it("starts anew when it was empty: the next few pieces are kept as they are", () => {
    const queue = queueOf(Array(300).fill(bytes("x")));
    queue.advance(300);
    const own = bytes("own");
    queue.push(own);
    expect(queue.chunks).toEqual([own]);
    expect(queue.chunks[0]).toBe(own);
  });
});

describe("IOStream.write() to a peer that does not read", () => {
  it("20 000 writes of one byte share a few hundred promises, none of which resolves early", async () => {
    const transport = new ScriptedTransport();
    transport.room = 0;
    const stream = new IOStream(transport, { loop: testLoop() });
    const writes = Array.from({ length: 20_000 }, () => stream.write("x"));
    expect(new Set(writes).size).toBeLessThanOrEqual(256 + Math.ceil(20_000 / PAGE_SIZE));
    let resolved = 0;
    for (const write of writes) void write.then(() => resolved++);
    await turn();
    expect(resolved).toBe(0);
    const drain = async (room: number): Promise<number> => {
      transport.room = room;
      transport.receiver.onDrain();
      await turn();
      return resolved;
    };
    expect(await drain(255)).toBe(255);
    const some = await drain(10_000);
    expect(some).toBeGreaterThan(10_255 - PAGE_SIZE);
    expect(some).toBeLessThanOrEqual(10_255);
    expect(await drain(9_745)).toBe(20_000);
  });

  it("those who share a promise all learn why nothing more went", async () => {
    const transport = new ScriptedTransport();
    transport.room = 0;
    const stream = new IOStream(transport, { loop: testLoop() });
    const writes = Array.from({ length: 1000 }, () => stream.write("x"));
    await turn();
    stream.abort(new Error("enough"));
    const results = await Promise.allSettled(writes);
    expect(results.every((result) => result.status === "rejected")).toBe(true);
  });
});
