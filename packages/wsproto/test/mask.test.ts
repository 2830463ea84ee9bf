import { describe, expect, test } from "vitest";
import { applyMask } from "../src/index.js";
import { maskInto } from "../src/mask.js";
import { generator } from "./helpers.js";

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));

describe("applyMask()", () => {
  test.each([
    ["abcd", "54321", "TVPVP"],
    ["ZXCV", "98765432", "c`t`olpd"],
    ["abcd", "", ""],
  ])("with %s turns %s into %s", (key, data, masked) => {
    expect(applyMask(text(key), text(data))).toEqual(text(masked));
  });

  test.each([0, 3, 5])("throws RangeError for a key of %i bytes", (length) => {
    expect(() => applyMask(new Uint8Array(length), new Uint8Array(8))).toThrow(RangeError);
  });
});

test("maskInto() agrees with the definition for all alignments, lengths and phases", () => {
  const random = generator(7);
  const source = Uint8Array.from({ length: 700 }, () => random() * 256);
  for (let round = 0; round < 2000; round++) {
    const [start, at, phase] = [Math.floor(random() * 9), Math.floor(random() * 9), Math.floor(random() * 9)];
    const length = Math.floor(random() ** 2 * 680);
    const key = round % 10 === 0 ? 0 : Math.floor(random() * 2 ** 32) | 0;
    const offset = Math.floor(random() * 5);
    const target = new Uint8Array(new ArrayBuffer(800), offset, 720).fill(0xaa);
    maskInto(target, at, source, start, start + length, key, phase);
    const expected = new Uint8Array(720).fill(0xaa);
    for (let i = 0; i < length; i++) {
      expected[at + i] = (source[start + i] as number) ^ (key >>> (24 - 8 * ((i + phase) % 4)));
    }
    expect(Buffer.compare(target, expected), `round ${round}`).toBe(0);
  }
});
