import { describe, expect, it } from "vitest";
import { trimBlanks } from "../src/index.js";

describe("trimBlanks()", () => {
  it.each([
    ["", ""],
    ["gzip", "gzip"],
    ["\t gzip ", "gzip"],
    ["a \t b", "a \t b"],
    [" \t ", ""],
    ["x\t", "x"],
  ])("takes SP and HTAB off both ends of %j", (value, trimmed) => {
    expect(trimBlanks(value)).toBe(trimmed);
  });

  it.each(["\u00a0", "\n", "\r", "\v", "\f", "\0", "\ufeff", "\u2003"])(
    "leaves %j, which is part of what is said",
    (char) => {
      expect(trimBlanks(` ${char}a${char} `)).toBe(`${char}a${char}`);
    },
  );
});
