import { runInNewContext, runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  fromLatin1,
  fromUtf8,
  indexOfBytes,
  isBytes,
  latin1,
  utf8,
} from "../src/index.js";

const every = Uint8Array.from({ length: 256 }, (_, i) => i);

describe("utf8() and fromUtf8()", () => {
  it("give back what they were given, a byte order mark included", () => {
    for (const text of ["", "ascii", "Zürich", "日本", "🌪", "\ufeffmarked"]) {
      expect(fromUtf8(utf8(text))).toBe(text);
      expect(fromUtf8(utf8(text), { fatal: true })).toBe(text);
    }
  });

  it("replace malformed bytes, or throw TypeError when fatal", () => {
    const bad = Uint8Array.of(0x61, 0xff, 0x62);
    expect(fromUtf8(bad)).toBe("a\ufffdb");
    expect(() => fromUtf8(bad, { fatal: true })).toThrow(TypeError);
  });

  it("keep no state between calls when a sequence is cut off", () => {
    expect(fromUtf8(Uint8Array.of(0xe6, 0x97))).toBe("\ufffd");
    expect(fromUtf8(Uint8Array.of(0xa5))).toBe("\ufffd");
    expect(() => fromUtf8(Uint8Array.of(0xe6), { fatal: true })).toThrow(TypeError);
    expect(fromUtf8(Uint8Array.of(0x61), { fatal: true })).toBe("a");
  });
});

describe("latin1() and fromLatin1()", () => {
  it("map all 256 bytes one to one", () => {
    expect(latin1(fromLatin1(every))).toEqual(every);
    expect(fromLatin1(latin1("\u00e9\u0080\u0000"))).toBe("\u00e9\u0080\u0000");
  });

  it("take U+00FF and refuse U+0100 with its index", () => {
    expect(latin1("\u00ff")).toEqual(Uint8Array.of(255));
    expect(() => latin1("ab\u0100")).toThrow("Not latin1: U+100 at index 2");
  });

  it.each([4095, 4096, 4097, 100_000])("decode %i bytes", (length) => {
    expect(fromLatin1(new Uint8Array(length).fill(0xe9))).toBe("\u00e9".repeat(length));
  });

  it("decode a range", () => {
    expect(fromLatin1(latin1("abcdef"), 2, 4)).toBe("cd");
    expect(fromLatin1(latin1("abcdef"), 4)).toBe("ef");
    expect(fromLatin1(latin1("abcdef"), 3, 3)).toBe("");
  });
});

describe("concatBytes()", () => {
  it("joins in order, empty chunks included", () => {
    expect(concatBytes([utf8("ab"), EMPTY_BYTES, utf8("c")])).toEqual(utf8("abc"));
    expect(concatBytes([])).toEqual(EMPTY_BYTES);
  });

  it("copies even a single chunk", () => {
    const chunk = utf8("ab");
    const joined = concatBytes([chunk]);
    chunk[0] = 0;
    expect(joined).toEqual(utf8("ab"));
  });
});

describe("indexOfBytes()", () => {
  it("agrees with indexOf on text, at every start, overlaps included", () => {
    for (const hay of ["", "a", "aaab", "abababc", "\r\r\n\r\r\n\r\n", "xyz"]) {
      for (const needle of ["a", "ab", "aab", "ababc", "\r\n\r\n", "xyzz"]) {
        for (let from = 0; from <= hay.length; from++) {
          expect(indexOfBytes(latin1(hay), latin1(needle), from)).toBe(hay.indexOf(needle, from));
        }
      }
    }
  });

  it("finds an empty needle where it starts, but not past the end", () => {
    expect(indexOfBytes(latin1("abc"), EMPTY_BYTES, 2)).toBe(2);
    expect(indexOfBytes(latin1("abc"), EMPTY_BYTES, 3)).toBe(3);
    expect(indexOfBytes(latin1("abc"), EMPTY_BYTES, 4)).toBe(-1);
  });
});

describe("equalBytes()", () => {
  it("compares length and every byte", () => {
    expect(equalBytes(EMPTY_BYTES, new Uint8Array(0))).toBe(true);
    expect(equalBytes(utf8("abc"), utf8("abc"))).toBe(true);
    expect(equalBytes(utf8("abc"), utf8("abd"))).toBe(false);
    expect(equalBytes(utf8("abc"), utf8("ab"))).toBe(false);
  });
});

describe("isBytes()", () => {
  it.each([
    "new Uint8Array(1)",
    "new Uint8Array(new ArrayBuffer(8), 1, 2)",
    "new (class extends Uint8Array {})(1)",
  ])("is true of %s, here and in another realm", (code) => {
    expect([isBytes(runInNewContext(code)), isBytes(runInThisContext(code))]).toEqual([true, true]);
  });

  it.each([
    "new Uint16Array(1)",
    "new Uint8ClampedArray(1)",
    "new Int8Array(1)",
    "new DataView(new ArrayBuffer(1))",
    "new ArrayBuffer(1)",
    "[1]",
    "'text'",
    "null",
    "undefined",
    "({ length: 1, [Symbol.toStringTag]: 'Uint8Array' })",
    "Object.create(Uint8Array.prototype)",
  ])("is false of %s in another realm", (code) => {
    expect(isBytes(runInNewContext(code))).toBe(false);
  });
});
