import { describe, expect, it } from "vitest";
import {
  type Codec,
  CodecError,
  delimited,
  FrameDecoder,
  fixed,
  lengthPrefixed,
  lines,
  map,
} from "../src/framing.js";
import { bytes, text } from "./helpers.js";

const short = lengthPrefixed({ prefix: "u8", maxFrameSize: 200 });

function takeAll<T>(decoder: FrameDecoder<T>): T[] {
  const messages: T[] = [];
  while (decoder.next()) messages.push(decoder.message);
  return messages;
}

describe("FrameDecoder", () => {
  it("without `own` decodes frames within a view where they are", () => {
    const decoder = new FrameDecoder(short, { own: false });
    const view = bytes("\x02ab\x01c");
    decoder.push(view);
    expect(takeAll(decoder).map((message) => message.buffer === view.buffer)).toEqual([true, true]);
  });

  it("with `own` gives a large frame the buffer it was put together in, and copies a small one", () => {
    const decoder = new FrameDecoder(short);
    decoder.push(bytes(`\xc7${"x".repeat(99)}`));
    expect(decoder.next()).toBe(false);
    decoder.push(bytes(`${"x".repeat(100)}\x01a`));
    expect(decoder.next()).toBe(true);
    expect([decoder.message.length, decoder.message.buffer.byteLength]).toEqual([199, 200]);
    expect(decoder.next()).toBe(true);
    expect([text(decoder.message), decoder.message.buffer.byteLength]).toEqual(["a", 1]);
  });

  it("without `own` goes back to the view behind a frame that began in an earlier one", () => {
    const decoder = new FrameDecoder(delimited(";", { maxFrameSize: 99 }), { own: false });
    decoder.push(bytes("a"));
    expect(decoder.next()).toBe(false);
    const view = bytes("b;cd;e");
    decoder.push(view);
    expect([decoder.next(), text(decoder.message)]).toEqual([true, "ab"]);
    expect([decoder.next(), text(decoder.message), decoder.message.buffer === view.buffer]).toEqual([
      true,
      "cd",
      true,
    ]);
  });

  it("with `own` lets no message keep the memory of another alive", () => {
    const decoder = new FrameDecoder(short);
    decoder.push(bytes(`\x63${"x".repeat(99)}\x63${"y".repeat(99)}\x01a`));
    decoder.keep();
    expect(takeAll(decoder).map(({ buffer }) => buffer.byteLength)).toEqual([99, 99, 1]);
    decoder.push(bytes(`\x96${"x".repeat(150)}\x63${"y".repeat(99)}`));
    decoder.keep();
    expect(takeAll(decoder).map(({ buffer }) => buffer.byteLength)).toEqual([150, 99]);
  });

  it("keeps the rest of a view once it found no more in it", () => {
    const decoder = new FrameDecoder(short);
    const view = bytes("\x01a\x02b");
    decoder.push(view);
    expect(takeAll(decoder)).toEqual([bytes("a")]);
    view.fill(0);
    expect(text(decoder.unread)).toBe("\x02b");
    decoder.push(bytes("c"));
    expect(takeAll(decoder)).toEqual([bytes("bc")]);
  });

  it("keep() lets a view go between its messages; their number and the unread bytes stay", () => {
    for (const codec of [
      lines({ maxFrameSize: 9 }) as Codec<unknown>,
      map(lines({ maxFrameSize: 9 }), same()),
    ]) {
      const decoder = new FrameDecoder(codec);
      const view = bytes("a\nb\nc\nd");
      decoder.push(view);
      expect([decoder.next(), decoder.message, text(decoder.unread)]).toEqual([true, "a", "b\nc\nd"]);
      decoder.keep();
      view.fill(0);
      expect([decoder.length, text(decoder.unread)]).toEqual([5, "b\nc\nd"]);
      decoder.push(bytes("e\nf"));
      expect(text(decoder.unread)).toBe("b\nc\nde\nf");
      expect(takeAll(decoder)).toEqual(["b", "c", "de"]);
      expect(text(decoder.unread)).toBe("f");
    }
  });

  it("push() before the last view was used up keeps what is left of that", () => {
    const decoder = new FrameDecoder(short);
    decoder.push(bytes("\x01a\x01b"));
    decoder.push(bytes("\x01c\x01"));
    decoder.push(bytes("d"));
    expect(takeAll(decoder).map(text)).toEqual(["a", "b", "c", "d"]);
    expect(decoder.length).toBe(0);
  });

  it("holds no more than twice what came of a frame, whatever the frame announced", () => {
    const mega = lengthPrefixed({ maxFrameSize: 1 << 20 });
    const decoder = new FrameDecoder(mega, { own: false });
    decoder.push(bytes("\0\x0f\0\0".padEnd(100, "x")));
    expect(decoder.next()).toBe(false);
    expect(decoder.unread.buffer.byteLength).toBeLessThanOrEqual(200);
  });

  it("refuses an announced size before anything of it is there, and an unknown one at the limit", () => {
    const announced = new FrameDecoder(short);
    announced.push(bytes("\xc8"));
    expect(() => announced.next()).toThrow(expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }));
    const unknown = new FrameDecoder(lines({ maxFrameSize: 4 }));
    unknown.push(bytes("abc"));
    expect(unknown.next()).toBe(false);
    unknown.push(bytes("d"));
    expect(() => unknown.next()).toThrow(expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }));
  });

  it("what lies beyond the limit does not decide which error it is", () => {
    for (const pieces of [["abc\rd\n"], [..."abc\rd\n"]]) {
      const decoder = new FrameDecoder(lines({ maxFrameSize: 4, strict: true }));
      const feed = (): void => {
        for (const piece of pieces) {
          decoder.push(bytes(piece));
          decoder.next();
        }
      };
      expect(feed).toThrow(expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }));
    }
  });

  it("throws the same error again, and keeps the frame it is about", () => {
    const decoder = new FrameDecoder(lines({ maxFrameSize: 4 }));
    decoder.push(bytes("ok\ntoo long\n"));
    expect(decoder.next()).toBe(true);
    const errors = [1, 2, 3].map((turn) => {
      try {
        return turn === 3 ? decoder.end() : decoder.next();
      } catch (error) {
        return error;
      }
    });
    expect(new Set(errors).size).toBe(1);
    expect(text(decoder.unread)).toBe("too long\n");
  });

  it("end() is silent behind a frame and names the bytes of one within", () => {
    const decoder = new FrameDecoder(short);
    decoder.end();
    decoder.push(bytes("\x01a\x03b"));
    takeAll(decoder);
    expect(() => decoder.end()).toThrow(
      expect.objectContaining({
        code: "ERR_TW_FRAME_INCOMPLETE",
        message: expect.stringContaining("2 bytes"),
      }),
    );
  });

  it("what a mapping throws is the cause of a framing error", () => {
    const cause = new Error("not today");
    const decoder = new FrameDecoder(
      map(fixed(1), {
        decode() {
          throw cause;
        },
        encode: () => bytes("x"),
      }),
    );
    decoder.push(bytes("x"));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: "ERR_TW_FRAME_MALFORMED", cause }));
  });

  it("refuses a codec without a finite limit, and one that measures nothing", () => {
    for (const maxFrameSize of [Number.POSITIVE_INFINITY, 0, Number.NaN, undefined as never])
      expect(() => new FrameDecoder({ ...short, maxFrameSize })).toThrow(RangeError);
    for (const size of [0, -2, Number.NaN, 1.5]) {
      const decoder = new FrameDecoder({ ...short, measure: () => size });
      decoder.push(bytes("x"));
      expect(() => decoder.next()).toThrow(CodecError);
    }
    const empty = new FrameDecoder(fixed(0));
    empty.push(bytes("x"));
    expect(() => empty.next()).toThrow(CodecError);
  });

  it("lines decoded ahead of an error come before it, and none beyond the limit", () => {
    const decoder = new FrameDecoder(lines({ maxFrameSize: 3 }));
    decoder.push(bytes("a\nbb\nccc\nd\n"));
    expect([decoder.next(), decoder.message]).toEqual([true, "a"]);
    expect([decoder.next(), decoder.message]).toEqual([true, "bb"]);
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }));
  });

  it("many lines in one view, ASCII and not, are the lines", () => {
    const expected = Array.from({ length: 5000 }, (_, i) => (i % 700 === 0 ? `ü${i}` : `line ${i}`));
    const wire = new TextEncoder().encode(`${expected.join("\n")}\n`);
    for (const size of [wire.length, 8192, 8191, 1000]) {
      const decoder = new FrameDecoder(lines({ maxFrameSize: 100 }));
      const got: string[] = [];
      for (let at = 0; at < wire.length; at += size) {
        decoder.push(wire.subarray(at, at + size));
        got.push(...takeAll(decoder));
      }
      expect(got).toEqual(expected);
    }
  });
});

function same() {
  return { decode: (from: string) => from, encode: (to: string) => to };
}
