// @ts-expect-error the package has no declarations
import { parse } from "cookie";
import { describe, expect, it } from "vitest";
import { parseCookie, serializeCookie, unquoteCookie } from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

describe("parseCookie", () => {
  it.each([
    ['a=1; b="x y"; a=2; bare; =v; c', { a: "2", b: "x y", "": "c" }],
    ["a=b=c", { a: "b=c" }],
    [" a = b ", { a: "b" }],
    ["foo", { "": "foo" }],
    ['"a"=1', { '"a"': "1" }],
    ["a=1;Domain=x;Path=/", { a: "1", Domain: "x", Path: "/" }],
    ["", {}],
    [";; ; =;", {}],
    ["a=", { a: "" }],
    ["a=\xa0b\x85", { a: "\xa0b\x85" }],
    [
      "__proto__=a; constructor=b",
      Object.fromEntries([
        ["__proto__", "a"],
        ["constructor", "b"],
      ]),
    ],
  ])("reads %j (D14, D16)", (text, expected) => {
    expect(parseCookie(text)).toEqual(new Map(Object.entries(expected)));
  });

  it("no bracket, comma or quote in a value swallows a later cookie (S-15)", () => {
    for (const value of ["[a", "a,b", '"a', "a]", "{", "(", "a\\", '\\"', "'"])
      expect(parseCookie(`x=${value}; _xsrf=t; y="; z=1"`)).toEqual(
        new Map([
          ["x", value],
          ["_xsrf", "t"],
          ["y", '"'],
          ["z", '1"'],
        ]),
      );
  });

  it("keeps the place of the first occurrence and the value of the last", () => {
    expect([...parseCookie("a=1; b=2; a=3")]).toEqual([
      ["a", "3"],
      ["b", "2"],
    ]);
  });

  it("agrees with the package cookie where no value is quoted and no name comes twice", () => {
    for (const text of garbage(["a=", "b", "=", "; ", ";", " ", "x", "[", ",", "%"], 20_000)) {
      const names = text.split(";").map((pair) => pair.split("=")[0]?.trim());
      if (/["\\\x85\xa0%]/.test(text) || new Set(names).size < names.length) continue;
      // It skips what has no "=" and reads the name "", and it trims what JavaScript calls a blank.
      if (
        /[^ !-~;]/.test(text) ||
        /(?:^|;) *(?:;|$)|(?:^|;) *=/.test(text) ||
        /(?:^|;)[^=]*(?:;|$)/.test(text)
      )
        continue;
      expect({ text, ...Object.fromEntries(parseCookie(text)) }).toEqual({ text, ...parse(text) });
    }
  });

  it("takes time linear in the text, in many cookies and in many backslashes (S-14)", () => {
    for (const piece of [";", "=", "a", "a=b;", " ", '"'])
      expectLinear((size) => parseCookie(piece.repeat(size)));
    for (const piece of ["\\", "\\1", "\\10", '\\"', "\\101"])
      expectLinear((size) => parseCookie(`a="${piece.repeat(size)}"`));
  });

  it("never throws, whatever comes", () => {
    for (const text of garbage(["a=", '"', "\\", "\\1", "01", ";", "=", " "], 20_000))
      for (const [, value] of parseCookie(text)) expect(value.length).toBeLessThanOrEqual(text.length);
  });
});

describe("unquoteCookie", () => {
  it.each([
    [String.raw`"\101\054\"\\"`, 'A,"\\'],
    [String.raw`"\400"`, "400"],
    [String.raw`"\377\000"`, "\xff\0"],
    [String.raw`"\8"`, "8"],
    [String.raw`"\1"`, "1"],
    [String.raw`"\12"`, "12"],
    [String.raw`"\1011"`, "A1"],
    [String.raw`"\\101"`, String.raw`\101`],
    ['"a', '"a'],
    ['a"', 'a"'],
    ['"', '"'],
    ['""', ""],
    [String.raw`"\"`, "\\"],
    ['a"b"', 'a"b"'],
    ['"\\\n"', "\n"],
  ])("decodes %j as %j, as Python does (D15)", (value, expected) => {
    expect(unquoteCookie(value)).toBe(expected);
  });

  it("decodes \\000 to \\377 and no more", () => {
    for (let c = 0; c < 512; c++) {
      const octal = c.toString(8).padStart(3, "0");
      expect(unquoteCookie(`"\\${octal}"`)).toBe(c < 256 ? String.fromCharCode(c) : octal);
    }
  });

  it("gives back what serializeCookie was given, each character and in any mixture", () => {
    for (let c = 0x21; c <= 0xff; c++) {
      if (c === 0x7f) continue;
      const value = String.fromCharCode(c);
      expect(parseCookie(serializeCookie("a", value)).get("a")).toBe(value);
    }
    for (const value of garbage(['"', "\\", ";", ",", "1", "0", "a", "\xe9", "="], 5000)) {
      if (/^[\x21-\x7e\x80-\xff]*$/.test(value))
        expect(parseCookie(serializeCookie("a", value))).toEqual(new Map([["a", value]]));
    }
  });
});
