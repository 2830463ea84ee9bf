// @ts-expect-error the package has no declarations
import parseOther from "range-parser";
import { describe, expect, it } from "vitest";
import {
  contentRange,
  parseRange,
  parseRanges,
  satisfyRange,
  satisfyRanges,
  unsatisfiedRange,
} from "../src/index.js";
import { dice, expectLinear, garbage } from "./support.js";

describe("parseRange", () => {
  // RFC 9110 §14.1.2 (1)
  it.each([
    ["bytes=1-2", 1, 3],
    ["bytes=6-", 6, undefined],
    ["bytes=-6", -6, undefined],
    ["bytes=-0", undefined, 0],
    ["bytes=2-1", 2, 2],
    ["bytes=0-0", 0, 1],
    ["bytes=26", 26, undefined],
    [" bytes = 1 -\t2 ", 1, 3],
    ["bytes=00001-00002", 1, 3],
    [`bytes=${"9".repeat(400)}-`, Number.MAX_SAFE_INTEGER, undefined],
  ])("reads %j (Q10, F2)", (text, start, end) => expect(parseRange(text)).toEqual({ start, end }));

  // RFC 9110 §14.2 (2)
  it.each([
    "",
    "asdf",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=,",
    "bytes=a-b",
    "bytes=1-2,3-4",
    "bytes=1-2,",
    "Bytes=1-2",
    "items=1-2",
    "bytes=1-2-3",
    "bytes=--1",
    "bytes=+1-2",
    "bytes=1.0-2",
    "bytes=0x1-2",
    "bytes=1e3-",
    "bytes=1 2-3",
    "bytes=\u0661-",
    "bytes=1\xa0-",
  ])("ignores %j (F5)", (text) => expect(parseRange(text)).toBeUndefined());
});

describe("parseRanges", () => {
  it("reads a list in the order it came, and ignores empty elements", () => {
    expect(parseRanges("bytes=0-0, -1,,5-,\t")).toEqual([
      { start: 0, end: 1 },
      { start: -1, end: undefined },
      { start: 5, end: undefined },
    ]);
  });

  it.each(["bytes=", "bytes=,", "bytes=0-0,x", "bytes=0-0;1-1", "items=0-0"])("ignores %j", (text) => {
    expect(parseRanges(text)).toBeUndefined();
  });

  it("takes 16 ranges, and ignores the field that asks for 17", () => {
    expect(parseRanges(`bytes=${Array(16).fill("0-0").join()}`)).toHaveLength(16);
    expect(parseRanges(`bytes=${Array(17).fill("0-0").join()}`)).toBeUndefined();
  });
});

describe("satisfyRange", () => {
  it.each<[string, number, [number, number] | undefined]>([
    ["bytes=0-4", 30, [0, 5]],
    ["bytes=5-", 30, [5, 30]],
    ["bytes=-5", 30, [25, 30]],
    ["bytes=25-99", 30, [25, 30]],
    ["bytes=29-", 30, [29, 30]],
    ["bytes=30-", 30, undefined],
    ["bytes=10-3", 30, undefined],
    ["bytes=-0", 30, undefined],
    ["bytes=-30", 30, [0, 30]],
    ["bytes=-31", 30, [0, 30]],
    ["bytes=-99", 30, [0, 30]],
    ["bytes=0-99", 30, [0, 30]],
    ["bytes=0-", 0, undefined],
    ["bytes=-0", 0, undefined],
    ["bytes=-5", 0, [0, 0]],
    [`bytes=0-${"9".repeat(30)}`, 30, [0, 30]],
    [`bytes=-${"9".repeat(30)}`, 30, [0, 30]],
  ])("%s of %d bytes is %j (F2, F3, F4, F6)", (text, size, expected) => {
    const range = parseRange(text);
    if (range === undefined) throw new Error("not a range");
    expect(satisfyRange(range, size)).toEqual(expected && { start: expected[0], end: expected[1] });
  });

  it("refuses a size that is none", () => {
    for (const size of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => satisfyRange({ start: 0, end: 1 }, size)).toThrow(RangeError);
      expect(() => satisfyRanges([], size)).toThrow(RangeError);
      expect(() => unsatisfiedRange(size)).toThrow(RangeError);
    }
  });
});

describe("satisfyRanges", () => {
  const satisfied = (text: string) =>
    satisfyRanges(parseRanges(text) ?? [], 30).map(({ start, end }) => [start, end]);

  it("leaves out what cannot be satisfied, and keeps the order", () => {
    expect(satisfied("bytes=20-21,0-1,99-,-0")).toEqual([
      [20, 22],
      [0, 2],
    ]);
    expect(satisfied("bytes=30-,31-")).toEqual([]);
  });

  it("unites what overlaps or touches, in place of the first", () => {
    expect(satisfied("bytes=0-4,5-9")).toEqual([[0, 10]]);
    expect(satisfied("bytes=0-4,6-9")).toEqual([
      [0, 5],
      [6, 10],
    ]);
    expect(satisfied("bytes=10-11,0-1,5-5,2-9")).toEqual([[0, 12]]);
    expect(satisfied("bytes=20-,10-11,0-1,0-5")).toEqual([
      [20, 30],
      [10, 12],
      [0, 6],
    ]);
    expect(satisfied(`bytes=${Array(16).fill("0-").join()}`)).toEqual([[0, 30]]);
  });

  it("sends each byte that was asked for once, and no other", () => {
    const random = dice(5);
    for (let round = 0; round < 2000; round++) {
      const asked = Array.from({ length: 1 + random(6) }, () => ({
        start: random(40) - 10,
        end: random(40),
      }));
      const wanted = new Set<number>();
      for (const range of asked) {
        const { start, end } = satisfyRange(range, 25) ?? { start: 0, end: 0 };
        for (let i = start; i < end; i++) wanted.add(i);
      }
      const sent = satisfyRanges(asked, 25).flatMap(({ start, end }) =>
        Array.from({ length: end - start }, (_, i) => start + i),
      );
      expect(sent.toSorted((a, b) => a - b)).toEqual([...wanted].sort((a, b) => a - b));
    }
  });

  it("agrees with the package range-parser about lists that both read", () => {
    let compared = 0;
    for (const text of garbage(["0", "5", "29", "-", ",", "30", "1-2"], 20_000)) {
      const field = `bytes=${text}`;
      const ranges = parseRanges(field);
      // It reads numbers as parseInt does, takes an element without a dash for a start and an end, and has no suffix that
      // is longer than the whole.
      const spec = /^(?:\d{1,3}-\d{0,3}|-(?:[12]?\d|30))$/;
      if (ranges === undefined || !text.split(",").every((each) => spec.test(each))) continue;
      const theirs = parseOther(30, field) as { start: number; end: number }[] | number;
      compared++;
      const ours = ranges.map((range) => satisfyRange(range, 30)).filter((range) => range !== undefined);
      const expected =
        typeof theirs === "number" ? [] : theirs.map(({ start, end }) => ({ start, end: end + 1 }));
      expect({ field, ranges: ours }).toEqual({ field, ranges: expected });
    }
    expect(compared).toBeGreaterThan(300);
  });
});

describe("contentRange", () => {
  it("counts to the last byte, and fills in both ends (Q11)", () => {
    expect(contentRange(undefined, 1, 4)).toBe("bytes 0-0/4");
    expect(contentRange(1, undefined, 4)).toBe("bytes 1-3/4");
    expect(contentRange(0, 4, 4)).toBe("bytes 0-3/4");
    expect(contentRange(3, 4, 4)).toBe("bytes 3-3/4");
    expect(unsatisfiedRange(30)).toBe("bytes */30");
    expect(unsatisfiedRange(0)).toBe("bytes */0");
  });

  it("refuses what is no part of the whole", () => {
    for (const [start, end, total] of [
      [0, 0, 4],
      [0, 5, 4],
      [4, 4, 4],
      [-1, 1, 4],
      [0.5, 1, 4],
      [0, undefined, 0],
      [0, 1, -1],
      [0, 1, Number.NaN],
    ] as const)
      expect(() => contentRange(start, end, total)).toThrow(RangeError);
  });
});

it("ranges never throw, and take time linear in the field", () => {
  for (const text of garbage(["bytes=", "bytes", "=", "-", ",", "0", "9", " ", "\t"], 20_000)) {
    for (const range of parseRanges(text) ?? []) satisfyRange(range, 30);
    parseRange(text);
  }
  for (const piece of [",", "-", "9", " ", "0-0,", " ,"]) {
    expectLinear((size) => parseRanges(`bytes=${piece.repeat(size)}`));
    expectLinear((size) => parseRange(`bytes=${piece.repeat(size)}x`));
  }
});
