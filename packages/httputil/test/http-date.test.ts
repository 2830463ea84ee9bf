import { describe, expect, it } from "vitest";
import { formatTimestamp, parseHTTPDate } from "../src/index.js";
import { dice, expectLinear, garbage } from "./support.js";

describe("parseHTTPDate", () => {
  // RFC 9110 §5.6.7 (1)
  it("reads the three forms of RFC 9110 §5.6.7 alike", () => {
    for (const text of [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ])
      expect(parseHTTPDate(text)).toBe(784_111_777_000);
    expect(parseHTTPDate("Sun Nov 16 08:49:37 1994")).toBe(Date.UTC(1994, 10, 16, 8, 49, 37));
  });

  // RFC 9110 §5.6.7 (2), (3)
  it("reads what formatTimestamp writes, years 0 to 9999", () => {
    const random = dice(3);
    for (let i = 0; i < 5000; i++) {
      const time = (random(2 ** 32) * 73.4 - 62_167_219_200) * 1000;
      const whole = Math.floor(time / 1000) * 1000;
      expect(parseHTTPDate(formatTimestamp(whole))).toBe(whole);
    }
    expect(parseHTTPDate("Sat, 01 Jan 0000 00:00:00 GMT")).toBe(-62_167_219_200_000);
    expect(parseHTTPDate("Fri, 31 Dec 9999 23:59:59 GMT")).toBe(253_402_300_799_000);
  });

  it.each([
    ["Sat, 29 Feb 2020 00:00:00 GMT", Date.UTC(2020, 1, 29)],
    ["Thu, 29 Feb 2021 00:00:00 GMT", undefined],
    ["Sun, 29 Feb 1900 00:00:00 GMT", undefined],
    ["Tue, 29 Feb 2000 00:00:00 GMT", Date.UTC(2000, 1, 29)],
    ["Sun, 31 Apr 2020 00:00:00 GMT", undefined],
    ["Sun, 00 Apr 2020 00:00:00 GMT", undefined],
    ["Sun, 31 Dec 2023 24:00:00 GMT", undefined],
    ["Sun, 31 Dec 2023 23:60:00 GMT", undefined],
    ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2017, 0, 1)],
    ["Sun, 31 Dec 2023 23:59:61 GMT", undefined],
    ["Mon, 31 Dec 2023 00:00:00 GMT", Date.UTC(2023, 11, 31)],
  ])("%s is %j", (text, expected) => expect(parseHTTPDate(text)).toBe(expected));

  it.each([
    "",
    "0",
    "784111777",
    "1994-11-06T08:49:37Z",
    "sun, 06 nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT\n",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun, 06  Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov 06 08:49:37 1994 GMT",
    "Wednesday, 06-Nov-94 08:49:37 GMT ",
  ])("gives undefined for %j", (text) => expect(parseHTTPDate(text)).toBeUndefined());

  // RFC 9110 §5.6.7 (4)
  it("takes a year of two digits for the last one that is at most 50 years ahead", () => {
    const year = (yy: string, now: number) => {
      const time = parseHTTPDate(`Sunday, 06-Nov-${yy} 08:49:37 GMT`, now);
      return time === undefined ? undefined : new Date(time).getUTCFullYear();
    };
    expect(["94", "26", "76", "77", "00"].map((yy) => year(yy, Date.UTC(2026, 0)))).toEqual([
      1994, 2026, 1976, 1977, 2000,
    ]);
    expect(["94", "05", "49", "50"].map((yy) => year(yy, Date.UTC(1999, 0)))).toEqual([
      1994, 2005, 1949, 1950,
    ]);
    const exactly = Date.UTC(1976, 10, 6, 8, 49, 37);
    expect([year("26", exactly - 1), year("26", exactly)]).toEqual([1926, 2026]);
    expect(
      ["69", "70"].map((yy) =>
        new Date(parseHTTPDate(`Sunday, 06-Nov-${yy} 08:49:37 GMT`) ?? 0).getUTCFullYear(),
      ),
    ).toEqual([2069, 1970]);
  });

  it("finds the century that has the 29 February", () => {
    expect(parseHTTPDate("Tuesday, 29-Feb-00 00:00:00 GMT", Date.UTC(2060, 0))).toBe(Date.UTC(2000, 1, 29));
    expect(parseHTTPDate("Tuesday, 29-Feb-01 00:00:00 GMT", Date.UTC(2026, 0))).toBeUndefined();
  });

  it("never throws, and gives whole seconds or undefined", () => {
    const pieces = [
      "Sun",
      ", ",
      "06",
      " Nov ",
      "1994",
      " ",
      "08:49:37",
      " GMT",
      "Sunday, ",
      "06-Nov-94",
      "Sun Nov  6 ",
    ];
    for (const text of garbage(pieces, 20_000)) {
      for (const now of [undefined, 0, Number.NaN]) {
        const time = parseHTTPDate(text, now);
        expect(time === undefined || Number.isInteger(time / 1000)).toBe(true);
      }
    }
  });

  it("takes time linear in the text", () => {
    for (const piece of ["Sun, ", "0", " "]) expectLinear((size) => parseHTTPDate(piece.repeat(size)));
  });
});
