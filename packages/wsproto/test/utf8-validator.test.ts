import { describe, expect, test } from "vitest";
import { Utf8Validator } from "../src/index.js";
import { feed, generator, machineOf } from "./helpers.js";

/** Index of the byte at which the validator refuses, `length` if it wants more, −1 if all is well. */
const verdict = (bytes: Uint8Array): number => {
  const validator = new Utf8Validator();
  for (let i = 0; i < bytes.length; i++) if (!validator.push(bytes, i, i + 1)) return i;
  return validator.complete ? -1 : bytes.length;
};
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

describe("sequences", () => {
  test.each([
    "c3 a9",
    "e0 a0 80",
    "e2 82 ac",
    "ed 9f bf",
    "ee 80 80",
    "ef bf bf",
    "f0 90 80 80",
    "f4 8f bf bf",
    "00",
    "7f",
    "ef bb bf",
    "ce ba e1 bd b9 cf 83 ce bc ce b5",
  ])("%s is valid", (bytes) => {
    expect(verdict(hex(bytes))).toBe(-1);
  });

  test.each([
    ["80", 0],
    ["bf", 0],
    ["c0 80", 0],
    ["c1 bf", 0],
    ["c3 41", 1],
    ["c3 c3", 1],
    ["e0 9f bf", 1],
    ["ed a0 80", 1],
    ["ed bf bf", 1],
    ["e2 82 41", 2],
    ["f0 8f bf bf", 1],
    ["f4 90 80 80", 1],
    ["f5 80 80 80", 0],
    ["f8 88 80 80 80", 0],
    ["fc 84 80 80 80 80", 0],
    ["fe", 0],
    ["ff", 0],
    ["41 c3 a9 fe", 3],
    ["ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80 65 64", 12],
  ] as const)("%s is refused at byte %i", (bytes, at) => {
    expect(verdict(hex(bytes))).toBe(at);
  });

  test.each(["c3", "e2", "e2 82", "f0 90 80"])("%s wants more", (bytes) => {
    expect(verdict(hex(bytes))).toBe(hex(bytes).length);
  });
});

test("agrees with TextDecoder on all pairs of bytes, alone and between long ASCII", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const valid = (bytes: Uint8Array): boolean => {
    try {
      decoder.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  const long = new Uint8Array(301).fill(0x61);
  const wrong: number[][] = [];
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const [array, at] of [
        [new Uint8Array(2), 0],
        [long, 150 + (second & 3)],
      ] as const) {
        array[at] = first;
        array[at + 1] = second;
        const validator = new Utf8Validator();
        const ours = validator.push(array, 0, array.length) && validator.complete;
        if (ours !== valid(array)) wrong.push([first, second, array.length]);
        if (array === long) long.fill(0x61);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("agrees with TextDecoder on random sequences, however they are cut", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const random = generator(11);
  const pieces = [
    "61",
    "c3a9",
    "e282ac",
    "f09f9880",
    "61".repeat(90),
    "ed",
    "a0",
    "e0",
    "f4",
    "8f",
    "90",
  ].map(hex);
  let accepted = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.concat(
      Array.from(
        { length: 1 + random() * 6 },
        () => pieces[Math.floor(random() ** 1.5 * pieces.length)] as Uint8Array,
      ),
    );
    let valid = true;
    try {
      decoder.decode(bytes);
    } catch {
      valid = false;
    }
    const cut = Math.floor(random() * bytes.length);
    const validator = new Utf8Validator();
    const ours =
      validator.push(bytes, 0, cut) && validator.push(bytes, cut, bytes.length) && validator.complete;
    expect(ours, bytes.toString("hex")).toBe(valid);
    if (valid) accepted++;
  }
  expect(accepted).toBeGreaterThan(300);
});

test("a message fails at its first wrong byte, before the frame or the message is complete", () => {
  const machine = machineOf("client");
  expect(feed(machine, [hex("01 7e 1000 61 62 ed a0")])).toMatchObject([{ type: "fail", code: 1007 }]);
  const fragments = machineOf("client");
  expect(feed(fragments, [hex("01 02 61 f4"), hex("00 05 90")])).toMatchObject([
    { type: "fail", code: 1007 },
  ]);
});

test("reset() forgets a character that was cut", () => {
  const validator = new Utf8Validator();
  validator.push(hex("e0"), 0, 1);
  validator.reset();
  expect(validator.complete).toBe(true);
  expect(validator.push(hex("c280"), 0, 2)).toBe(true);
});
