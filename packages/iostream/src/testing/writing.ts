// Contract 5 to 7: half-close, what write takes, order, back-pressure, integrity.

import { createHash } from "node:crypto";
import { check, same } from "./examiner.js";
import type { Side } from "./side.js";
import type { Define } from "./suite.js";

const MIB = 1024 * 1024;

export const writing: Define = (test) => {
  test("5: onEnd comes after all bytes, and writing still works", async (x) => {
    x.startBoth();
    x.a.say("question");
    x.a.end();
    await x.until("the end", () => x.b.ended);
    same(x.b.text, "question", "bytes before the end");
    x.b.say("answer");
    x.b.end();
    await x.until("the close of both", () => x.a.closed && x.b.closed);
    same(x.a.text, "answer", "bytes after the half-close");
    const calls = [x.a, x.b].map((side) => side.calls.filter((call) => call !== "drain"));
    same(calls, Array(2).fill(["bytes", "end", "close"]), "calls");
  });

  test("6: chunks leave in order, texts as latin1, empty ones as nothing", async (x) => {
    x.startBoth();
    same(x.a.write(), 0, "nothing taken of nothing");
    x.a.say("", "a\u00e9", new Uint8Array([0, 255]), new Uint8Array(0), "\u00ff", "");
    await x.until("five bytes", () => x.b.receivedBytes === 5);
    same(x.b.text, "a\u00e9\u0000\u00ff\u00ff", "bytes received");
  });

  test("6: bytes taken belong to nobody: overwriting them changes nothing", async (x) => {
    x.b.pause();
    x.startBoth();
    const sent = createHash("sha256");
    let total = 0;
    for (let i = 0; i < 64; i++) {
      const chunk = new Uint8Array(50_000).fill(i + 1);
      const taken = x.a.write(chunk);
      sent.update(chunk.subarray(0, taken));
      total += taken;
      chunk.fill(0, 0, taken);
      if (taken < chunk.length) break;
    }
    const abandoned = x.a.drains;
    x.b.resume();
    await x.until("what was taken", () => x.b.receivedBytes >= total);
    const received = createHash("sha256");
    let left = total;
    for (const part of x.b.received) {
      received.update(part.subarray(0, Math.min(part.length, left)));
      left -= Math.min(part.length, left);
    }
    same(received.digest("hex"), sent.digest("hex"), "bytes received");
    same(abandoned, 0, "drains before the peer read");
  });

  test("6: a write is short when the peer does not read, and onDrain tells when there is room again", async (x) => {
    x.b.pause();
    x.startBoth();
    const out = new Source(256 * MIB, 7);
    const pump = (): void => {
      while (!out.done && out.offerTo(x.a)) {}
    };
    x.a.script.onDrain = pump;
    pump();
    // Kernels enlarge their buffers while they fill: what counts is that it stops.
    for (let before = -1; before !== out.sent; await x.quiet()) before = out.sent;
    check(!out.done, "a peer that does not read stops the writer");
    same(x.b.receivedBytes, 0, "received while paused");
    const total = out.stopAfter(MIB);
    const { drains } = x.a;
    x.b.resume();
    await x.until("all bytes", () => x.b.receivedBytes === total);
    check(x.a.drains > drains, "onDrain came");
    same(x.b.hash(), out.hash(), "integrity");
  });

  test("6: a write that was taken whole is not followed by onDrain, any other is, once", async (x) => {
    x.startBoth();
    let short = 0;
    for (let i = 0; i < 5; i++) {
      const taken = x.a.write("small");
      if (taken < 5) {
        short++;
        await x.until("onDrain", () => x.a.drains === short);
        same(x.a.write("small".slice(taken)), 5 - taken, "taken after onDrain");
      }
      await x.quiet();
      same(x.a.drains, short, "drains");
    }
    await x.until("all bytes", () => x.b.receivedBytes === 25);
  });

  test("6: after end() and after abort() nothing is taken", async (x) => {
    x.startBoth();
    x.a.end();
    same(x.a.write("late"), 0, "taken after end");
    x.b.abort();
    same(x.b.write("late"), 0, "taken after abort");
    await x.until("the close", () => x.b.closed);
    same(x.b.write("late"), 0, "taken after close");
  });

  test("7: end() comes behind what write took; repeating it changes nothing; when both ended both close cleanly", async (x) => {
    x.startBoth();
    x.a.say("last words");
    x.a.end();
    x.a.end();
    await x.until("the end at b", () => x.b.ended);
    await x.quiet();
    check(!x.a.closed && !x.b.closed, "one direction is still open");
    x.b.end();
    await x.until("the close of both", () => x.a.closed && x.b.closed);
    same([x.b.text, x.a.error === undefined, x.b.error === undefined], ["last words", true, true], "clean");
  });

  test("7: both ends may end at once", async (x) => {
    x.startBoth();
    x.a.end();
    x.b.end();
    await x.until("the close of both", () => x.a.closed && x.b.closed);
    same([x.a.calls, x.b.calls], Array(2).fill(["end", "close"]), "calls");
  });

  test("6, 7: 4 MiB each way at once arrive whole through random pauses, leases and chunk sizes", async (x) => {
    const random = generator(42);
    const outs = [x.a, x.b].map((side, i) => transfer(side, new Source(4 * MIB, i + 1), random)) as [
      Source,
      Source,
    ];
    x.startBoth();
    outs[0].pump(x.a);
    outs[1].pump(x.b);
    await x.until("all bytes", () => x.a.closed && x.b.closed);
    same([x.a.receivedBytes, x.b.receivedBytes], [4 * MIB, 4 * MIB], "bytes");
    same(
      [x.b.hash(), x.a.hash()],
      outs.map((out) => out.hash()),
      "integrity",
    );
  });
};

/** Makes `side` send all of `source` and end, and hold back what it receives now and then. */
function transfer(side: Side, source: Source, random: () => number): Source {
  side.script.onDrain = () => source.pump(side);
  side.script.onBytes = () => {
    const dice = random();
    if (dice < 0.1) {
      side.pause();
      setImmediate(() => side.resume());
    } else if (dice < 0.2) return new Promise((resolve) => setImmediate(resolve));
  };
  return source;
}

/** Bytes to send, in chunks of all sizes, as text and as bytes, that are offered again when they were not taken. */
class Source {
  #size: number;
  readonly #random: () => number;
  readonly #hash = createHash("sha256");
  #left: number;
  #pending: Uint8Array | string | undefined;
  sent = 0;

  constructor(size: number, seed: number) {
    this.#size = size;
    this.#left = size;
    this.#random = generator(seed);
  }

  get done(): boolean {
    return this.sent === this.#size;
  }

  hash(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Has at most `more` bytes to go from now on, and returns how many there are in all. */
  stopAfter(more: number): number {
    const ahead = this.#size - this.#left;
    this.#left = Math.min(this.#left, more);
    this.#size = ahead + this.#left;
    return this.#size;
  }

  /** False: the write was short. */
  offerTo(side: Side): boolean {
    const chunk = this.#pending ?? this.#next();
    const taken = side.write(chunk);
    this.sent += taken;
    this.#pending =
      taken === chunk.length
        ? undefined
        : typeof chunk === "string"
          ? chunk.slice(taken)
          : chunk.subarray(taken);
    return this.#pending === undefined;
  }

  pump(side: Side): void {
    while (!this.done && this.offerTo(side)) {}
    if (this.done) side.end();
  }

  #next(): Uint8Array | string {
    const length = Math.min(this.#left, 1 + Math.floor(this.#random() ** 4 * 300_000));
    this.#left -= length;
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = (this.#random() * 256) | 0;
    this.#hash.update(bytes);
    return this.#random() < 0.3 ? Buffer.from(bytes).toString("latin1") : bytes;
  }
}

/** The same numbers each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
