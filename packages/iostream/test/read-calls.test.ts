import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { fixed } from "../src/framing.js";
import { IOStream } from "../src/index.js";
import { ReadBuffer } from "../src/read-buffer.js";
import { RegexRead } from "../src/read-regex.js";
import { measureRegex } from "../src/regex-width.js";
import { bytes, during, Notes, pair, ScriptedTransport, testLoop, text } from "./helpers.js";

const CLOSED = { code: "ERR_TW_STREAM_CLOSED" };

it("every read refuses a signal that is none at once, and the next read is not in its way", async () => {
  const { loop, stream, peer } = pair();
  for (const signal of [null, {}, new AbortController()] as never[]) {
    const options = { signal };
    expect(() => stream.readBytes(1, options)).toThrow(TypeError);
    expect(() => stream.readInto(new Uint8Array(1), options)).toThrow(TypeError);
    expect(() => stream.readUntil("\n", options)).toThrow(TypeError);
    expect(() => stream.readUntilRegex(/x/, options)).toThrow(TypeError);
    expect(() => stream.readUntilClose(options)).toThrow(TypeError);
    expect(() => stream.chunks(options)).toThrow(TypeError);
    expect(() => stream.frames(fixed(1), options)).toThrow(TypeError);
    expect(() => stream.startTls({ servername: "localhost", ...options })).toThrow(TypeError);
  }
  peer.send("x");
  expect(text(await during(loop, stream.readBytes(1)))).toBe("x");
});

it("the reads and iterations of many streams share one listener on their signal, and leave none", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = () => getEventListeners(signal, "abort").length;
  const ends = Array.from({ length: 20 }, () => pair());
  const reads = ends.map(({ stream }, at) =>
    at % 2 === 0 ? stream.readUntil("\n", { signal }) : collected(stream.frames(fixed(2), { signal })),
  );
  expect(listeners()).toBe(1);
  controller.abort("enough");
  for (const read of reads) await expect(read).rejects.toBe("enough");
  expect(listeners()).toBe(0);
});

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("readInto()", () => {
  it("fills the array, with partial what there is, and leaves the remainder readable (L3)", async () => {
    const { loop, stream, peer } = pair();
    const target = new Uint8Array(4);
    peer.send("ab");
    expect(await during(loop, stream.readInto(target, { partial: true }))).toBe(2);
    expect(text(target.subarray(0, 2))).toBe("ab");
    peer.send("cdefg");
    expect(await during(loop, stream.readInto(target))).toBe(4);
    expect(text(target)).toBe("cdef");
    expect(text(await stream.readBytes(1))).toBe("g");
  });

  it("of an empty array resolves with 0 at once, and refuses what is no array of bytes", async () => {
    const { stream } = pair();
    expect(await stream.readInto(new Uint8Array(0))).toBe(0);
    for (const wrong of [undefined, 7, [1], "x", new ArrayBuffer(3), new Uint16Array(2)]) {
      expect(() => stream.readInto(wrong as never)).toThrow(TypeError);
    }
  });

  it("is not bound by maxBufferSize: the memory is the caller's", async () => {
    const { loop, stream, peer } = pair({}, { maxBufferSize: 4 });
    const target = new Uint8Array(100);
    peer.send("x".repeat(101));
    expect(await during(loop, stream.readInto(target))).toBe(100);
    expect(target.every((byte) => byte === 0x78)).toBe(true);
    expect(stream.closed).toBe(false);
  });

  it("puts bytes that came into the array back when the peer ends, and they stay readable", async () => {
    const { loop, stream, peer } = pair();
    const read = stream.readInto(new Uint8Array(4));
    peer.send("abc");
    await loop.settle();
    peer.end();
    await expect(during(loop, read)).rejects.toMatchObject(CLOSED);
    expect(text(await stream.readBytes(3))).toBe("abc");
  });

  it("closes the stream when its array was transferred away meanwhile", async () => {
    const { loop, stream, peer } = pair();
    const target = new Uint8Array(4);
    const read = stream.readInto(target);
    structuredClone(target.buffer, { transfer: [target.buffer] });
    peer.send("abcd");
    await expect(during(loop, read)).rejects.toMatchObject({ ...CLOSED, cause: expect.any(TypeError) });
    expect(loop.logged).toEqual([]);
  });

  it.each(["abort of its signal", "end of the peer", "abort of the stream", "byte more"])(
    "throws at nobody when its array was transferred away half full, upon an %s",
    async (event) => {
      const { loop, stream, peer } = pair();
      const giveUp = new AbortController();
      const target = new Uint8Array(4);
      const read = stream.readInto(target, { signal: giveUp.signal });
      read.catch(() => {});
      peer.send("ab");
      await loop.settle();
      structuredClone(target.buffer, { transfer: [target.buffer] });
      if (event === "abort of its signal") giveUp.abort();
      else if (event === "end of the peer") peer.end();
      else if (event === "abort of the stream") stream.abort();
      else peer.send("c");
      await expect(during(loop, read)).rejects.toThrow();
      expect([stream.reading, loop.logged]).toEqual([false, []]);
      if (event !== "abort of its signal") return;
      // The stream goes on behind the bytes that went with the array.
      peer.send("cd");
      expect(text(await during(loop, stream.readBytes(2)))).toBe("cd");
    },
  );

  it("copies from the transport's view into the array, once: nothing goes through the stream's buffer", async () => {
    const transport = new ScriptedTransport();
    const stream = new IOStream(transport, { loop: testLoop() });
    const target = new Uint8Array(6);
    const read = stream.readInto(target);
    const append = ReadBuffer.prototype.append;
    let appended = 0;
    ReadBuffer.prototype.append = function (this: ReadBuffer, view: Uint8Array) {
      appended += view.length;
      return append.call(this, view);
    };
    try {
      transport.receiver.onBytes(bytes("abc"));
      transport.receiver.onBytes(bytes("defgh"));
    } finally {
      ReadBuffer.prototype.append = append;
    }
    expect(await read).toBe(6);
    expect(appended).toBe("gh".length);
  });
});

describe("readUntilRegex()", () => {
  it("takes apart what Tornado's takes apart (L1)", async () => {
    const { loop, stream, peer } = pair();
    peer.send("hello\nworld\n\nxyz");
    expect(text(await during(loop, stream.readUntil("\n")))).toBe("hello\n");
    expect(text(await stream.readUntilRegex(/\r?\n\r?\n/))).toBe("world\n\n");
    expect(text(await stream.readBytes(100, { partial: true }))).toBe("xyz");
  });

  it("accepts exactly maxBytes, waits with exactly maxBytes and no match, and fails at one more", async () => {
    const good = pair();
    good.peer.send("12345\n");
    expect(text(await during(good.loop, good.stream.readUntilRegex(/\n/, { maxBytes: 6 })))).toBe("12345\n");
    const late = pair();
    const read = late.stream.readUntilRegex(/\n/, { maxBytes: 6 });
    late.peer.send("123456");
    await late.loop.settle();
    expect(late.stream.reading).toBe(true);
    late.peer.send("\n");
    await expect(during(late.loop, read)).rejects.toMatchObject({
      ...CLOSED,
      cause: { code: "ERR_TW_UNSATISFIABLE_READ" },
    });
    expect(late.stream.closed).toBe(true);
  });

  it("refuses patterns whose answer depends on bytes to come, and those that match nothing", () => {
    const { stream } = pair();
    for (const wrong of [/a$/, /\bx/, /x\B/, /a(?=b)/, /a(?!b)/, /(a|b(?=c))/, /x*/, /(?:)/, /^/, /a/y]) {
      expect(() => stream.readUntilRegex(wrong), String(wrong)).toThrow(RangeError);
    }
    expect(() => stream.readUntilRegex("x" as never)).toThrow(TypeError);
    expect(() => stream.readUntilRegex(/x/, { maxBytes: 1.5 })).toThrow(RangeError);
    expect(stream.reading).toBe(false);
  });

  it("leaves lastIndex of a global pattern alone, and does not begin there", async () => {
    const { loop, stream, peer } = pair();
    const regex = /b/g;
    regex.lastIndex = 2;
    peer.send("abab");
    expect(text(await during(loop, stream.readUntilRegex(regex)))).toBe("ab");
    expect(regex.lastIndex).toBe(2);
  });

  it("matches bytes as latin1 characters", async () => {
    const { loop, stream, peer } = pair();
    peer.send(new Uint8Array([0, 0xff, 0xfe, 0x80]));
    expect([...(await during(loop, stream.readUntilRegex(/\xff[\xf0-\xff]/)))]).toEqual([0, 0xff, 0xfe]);
  });

  it("of bounded width costs linear time when bytes drip", () => {
    let looked = 0;
    class Counting extends ReadBuffer {
      override latin1(from: number, to: number): string {
        looked += to - from;
        return super.latin1(from, to);
      }
    }
    const buffer = new Counting();
    const read = new RegexRead(/\r?\n\r?\n/, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    for (let i = 0; i < 20_000; i++) {
      buffer.append(bytes("x"));
      expect(read.attempt(buffer)).toBeUndefined();
    }
    expect(looked).toBeLessThan(5 * 20_000);
  });
});

describe("measureRegex()", () => {
  const WIDTHS: [RegExp, number, boolean?][] = [
    [/abc/, 3],
    [/a|bcd|ef/, 3],
    [/a?b{2}c{1,4}?/, 7],
    [/(ab|c){3}/, 6],
    [/(?:a(?<name>b))+/, Number.POSITIVE_INFINITY],
    [/ba*/, Number.POSITIVE_INFINITY],
    [/a{3,}/, Number.POSITIVE_INFINITY],
    [/(?:){1,9}ba*?/, Number.POSITIVE_INFINITY],
    [/[^\]\\$^]x/, 2],
    [/[$\b]/, 1],
    [/\x41\u0042\cA\0\d\$\(/, 7],
    [/\u{41}\p{L}/u, 2],
    [/a{,3}/, 5],
    [/a{x/, 3],
    [/(a)\1/, Number.POSITIVE_INFINITY],
    [/^a/, 1, false],
    [/(?<=ab)c/, 1, false],
    [/(?<!a*)c/, 1, false],
    [/./s, 1],
  ];
  for (const [regex, width, independent = true] of WIDTHS) {
    it(`${regex} spans ${width}${independent ? "" : ", and depends on what is before it"}`, () => {
      expect(measureRegex(regex)).toEqual({ width, independent });
    });
  }

  it("gives no bound for the flag v, whose classes may be of strings", () => {
    // Compilers of today's target do not know the flag.
    const flags: string = "v";
    expect(measureRegex(new RegExp("[[a-z]--[aeiou]]x", flags)).width).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("readUntilClose()", () => {
  it("resolves with everything at the peer's end, then with nothing, and writing goes on (L6)", async () => {
    const { loop, stream, peer } = pair();
    const read = stream.readUntilClose();
    peer.send("da");
    await loop.settle();
    peer.send("ta");
    peer.end();
    expect(text(await during(loop, read))).toBe("data");
    expect((await stream.readUntilClose()).length).toBe(0);
    expect(stream.closed).toBe(false);
    stream.send("answer");
    expect(text(await during(loop, peer.readBytes(6)))).toBe("answer");
  });

  it("after a clean close of both sides has what was buffered, then nothing", async () => {
    const { loop, stream, peer } = pair();
    peer.send("data");
    await loop.settle();
    stream.end();
    peer.close();
    await loop.settle();
    expect(text(await during(loop, stream.readUntilClose()))).toBe("data");
    await loop.settle();
    expect((await stream.readUntilClose()).length).toBe(0);
  });

  it("rejects after a reset with the cause, and what came stays readable", async () => {
    const { loop, stream, peer, far } = pair();
    const read = stream.readUntilClose();
    peer.send("trunc");
    await loop.settle();
    far.reset();
    await expect(during(loop, read)).rejects.toMatchObject({ ...CLOSED, cause: { code: "ECONNRESET" } });
    expect(text(await stream.readBytes(5))).toBe("trunc");
    await expect(stream.readUntilClose()).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  it("accepts exactly maxBufferSize, and closes the stream at one more", async () => {
    const exact = pair({}, { maxBufferSize: 1000 });
    exact.peer.send("x".repeat(1000));
    exact.peer.end();
    expect((await during(exact.loop, exact.stream.readUntilClose())).length).toBe(1000);
    const more = pair({}, { maxBufferSize: 1000 });
    more.peer.send("x".repeat(1001));
    await expect(during(more.loop, more.stream.readUntilClose())).rejects.toMatchObject({
      cause: { code: "ERR_TW_STREAM_BUFFER_FULL" },
    });
  });

  it("rejects on a stream that we closed", async () => {
    const { loop, stream } = pair();
    const read = stream.readUntilClose();
    stream.close();
    await expect(read).rejects.toMatchObject(CLOSED);
    await expect(stream.readUntilClose()).rejects.toMatchObject(CLOSED);
    stream.abort();
    await loop.settle();
  });
});

describe("chunks()", () => {
  it("ends at the peer's end, and may be left early: the rest stays in the stream", async () => {
    const { loop, stream, peer } = pair();
    peer.send("abcdef");
    peer.end();
    await loop.settle();
    for await (const chunk of stream.chunks({ size: 2 })) {
      expect(text(chunk)).toBe("ab");
      break;
    }
    expect(stream.reading).toBe(false);
    expect(text(await stream.readBytes(1))).toBe("c");
    const rest: string[] = [];
    const reading = (async () => {
      for await (const chunk of stream.chunks({ size: 2 })) rest.push(text(chunk));
    })();
    await during(loop, reading);
    expect(rest).toEqual(["de", "f"]);
    expect(stream.closed).toBe(false);
  });

  it("holds the peer back between two chunks", async () => {
    const { loop, stream, peer } = pair({ capacity: 1000 });
    peer.send("x".repeat(10_000));
    const chunks = stream.chunks({ size: 400 });
    await during(loop, chunks.next());
    const after = peer.bufferedAmount;
    await loop.settle();
    expect(peer.bufferedAmount).toBe(after);
    expect(after).toBeGreaterThanOrEqual(8000);
  });

  it("throws what a read would: a reset, a second reader, an abort; and it refuses a wrong size", async () => {
    const { loop, stream, peer, far } = pair();
    for (const size of [0, -1, 1.5, Number.NaN]) expect(() => stream.chunks({ size })).toThrow(RangeError);
    const read = stream.readBytes(1);
    await expect(stream.chunks().next()).rejects.toMatchObject({ code: "ERR_TW_STREAM_BUSY" });
    peer.send("x");
    await during(loop, read);
    const reason = new Error("enough");
    const stop = new AbortController();
    const next = stream.chunks({ signal: stop.signal }).next();
    stop.abort(reason);
    await expect(next).rejects.toBe(reason);
    const last = stream.chunks().next();
    far.reset();
    await expect(during(loop, last)).rejects.toMatchObject({ ...CLOSED, cause: { code: "ECONNRESET" } });
  });
});

describe("signal of a read", () => {
  type Start = (stream: IOStream, signal: AbortSignal) => Promise<unknown>;
  const READS: Record<string, Start> = {
    "readBytes()": (stream, signal) => stream.readBytes(10, { signal }),
    "readInto()": (stream, signal) => stream.readInto(new Uint8Array(10), { signal }),
    "readUntil()": (stream, signal) => stream.readUntil("\n", { signal }),
    "readUntilRegex()": (stream, signal) => stream.readUntilRegex(/\n/, { signal }),
    "readUntilClose()": (stream, signal) => stream.readUntilClose({ signal }),
  };
  for (const [name, start] of Object.entries(READS)) {
    it(`${name} rejects with its reason; the bytes stay, and the stream goes on`, async () => {
      const { loop, stream, peer } = pair({ chunk: () => 1 });
      const reason = { any: "thing" };
      const early = start(stream, AbortSignal.abort(reason));
      await expect(early).rejects.toBe(reason);
      const stop = new AbortController();
      const read = start(stream, stop.signal);
      peer.send("abc");
      await loop.settle();
      expect(stream.reading).toBe(true);
      stop.abort(reason);
      expect(stream.reading).toBe(false);
      await expect(read).rejects.toBe(reason);
      peer.send("de\n");
      expect(text(await during(loop, stream.readUntil("\n")))).toBe("abcde\n");
    });
  }

  it("holds no listener when the read is over, however it ended", async () => {
    const { loop, stream, peer } = pair();
    const stop = new AbortController();
    let listeners = 0;
    const add = stop.signal.addEventListener.bind(stop.signal);
    const remove = stop.signal.removeEventListener.bind(stop.signal);
    stop.signal.addEventListener = ((...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    }) as typeof add;
    stop.signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    }) as typeof remove;
    peer.send("a");
    await during(loop, stream.readBytes(1, { signal: stop.signal }));
    const second = stream.readBytes(1, { signal: stop.signal });
    expect(listeners).toBe(1);
    peer.send("b");
    await during(loop, second);
    expect(listeners).toBe(0);
    const third = stream.readBytes(1, { signal: stop.signal });
    stream.abort();
    await third.catch(() => {});
    expect(listeners).toBe(0);
    stop.abort();
    await loop.settle();
  });
});

it("reading and writing tell whether a read waits and whether bytes do", async () => {
  const { loop, stream, peer } = pair({ capacity: 10 });
  expect([stream.reading, stream.writing]).toEqual([false, false]);
  const read = stream.readBytes(1);
  stream.send("x".repeat(11));
  expect([stream.reading, stream.writing]).toEqual([true, true]);
  peer.send("y");
  await during(loop, read);
  await during(loop, peer.readBytes(11));
  await loop.settle();
  expect([stream.reading, stream.writing]).toEqual([false, false]);
});

it("an onDrain that came due while nobody was attached is told to the next receiver", async () => {
  const { loop, stream, peer } = pair();
  expect(stream.send("x".repeat(100_000))).toBe(false);
  await during(loop, peer.readBytes(100_000));
  await loop.settle();
  const notes = new Notes();
  stream.attach(notes);
  expect(notes.calls).toEqual([]);
  await loop.settle();
  expect(notes.calls).toEqual(["drain"]);
});
