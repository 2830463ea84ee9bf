import { describe, expect, it } from "vitest";
import { quote } from "../src/index.js";

describe("quote()", () => {
  it.each([
    ["", '""'],
    ["plain", '"plain"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ["é€😀\u00a0", '"é€😀\u00a0"'],
    ["\r\n\t\0\u001b", '"\\r\\n\\t\\u0000\\u001b"'],
    ["\x7f\x80\x85\x9b\x9f", '"\\u007f\\u0080\\u0085\\u009b\\u009f"'],
    ["\u2028\u2029", '"\\u2028\\u2029"'],
    ["\u200e\u200f\u202a\u202e\u2066\u2069", '"\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069"'],
  ])("S-43 %j is %s", (text, quoted) => expect(quote(text)).toBe(quoted));

  it("S-43 leaves no control of any text, and what it gives is that text as JSON", () => {
    for (let code = 0; code < 0xffff; code++) {
      const quoted = quote(String.fromCharCode(code));
      expect(quoted).not.toMatch(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
      expect(JSON.parse(quoted)).toBe(String.fromCharCode(code));
    }
  });

  it("takes a hundred characters, or as many as it is told to", () => {
    expect(quote("a".repeat(101))).toBe(`"${"a".repeat(100)}"`);
    expect(quote("abc", 2)).toBe('"ab"');
    expect(quote("a".repeat(1000), Number.POSITIVE_INFINITY)).toHaveLength(1002);
    expect(quote(`${"a".repeat(99)}😀`)).toBe(`"${"a".repeat(99)}\\ud83d"`);
  });

  it.each([[undefined], [null], [7], [true], [Symbol("a")]])("gives %o as it is written", (value) => {
    expect(quote(value)).toBe(String(value));
  });
});
