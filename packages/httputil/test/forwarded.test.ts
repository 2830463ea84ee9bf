import { describe, expect, it } from "vitest";
import { parseForwarded, parseForwardedFor, parseForwardedNode } from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

describe("parseForwarded", () => {
  it("gives one element for each proxy, names without regard to case, the nearest last", () => {
    expect(
      parseForwarded(
        'For="_gazonk", FOR="[2001:db8:cafe::17]:4711";proto=HTTP; by=203.0.113.43 ,for=unknown',
      ),
    ).toEqual([
      { for: "_gazonk" },
      { for: "[2001:db8:cafe::17]:4711", proto: "http", by: "203.0.113.43" },
      { for: "unknown" },
    ]);
  });

  it("unquotes, and a comma, semicolon or equals sign in quotes separates nothing", () => {
    expect(parseForwarded('host="a\\"b, for=1.1.1.1;c=d", for=2.2.2.2')).toEqual([
      { host: 'a"b, for=1.1.1.1;c=d' },
      { for: "2.2.2.2" },
    ]);
  });

  it("takes an empty value in quotes for one", () => {
    expect(parseForwarded('for="";host="";proto=a')).toEqual([{ for: "", host: "", proto: "a" }]);
  });

  it("keeps other parameters as extensions", () => {
    expect(parseForwarded("for=a;Secret=x;__proto__=y")).toEqual([
      {
        for: "a",
        extensions: new Map([
          ["secret", "x"],
          ["__proto__", "y"],
        ]),
      },
    ]);
  });

  it("ignores empty elements and empty pairs", () => {
    expect(parseForwarded("")).toEqual([]);
    expect(parseForwarded(" , ,")).toEqual([]);
    expect(parseForwarded(",for=a;,;,")).toEqual([{ for: "a" }, {}]);
  });

  it.each([
    "for",
    "for=",
    "=a",
    "for =a",
    "for= a",
    "for=[::1]",
    "for=1.2.3.4:80",
    "for=a for=b",
    "for=a;for=b",
    "for=a;FOR=b",
    'for="a',
    'for="a\\',
    'for="a\\"',
    'for="a"b',
    'for="a\0"',
    "for=\u20ac",
    "for=a\nhost=b",
    'for="evil, for=1.2.3.4',
  ])("gives undefined for %j", (value) => expect(parseForwarded(value)).toBeUndefined());

  it("takes 100 elements, and gives undefined for 101", () => {
    expect(parseForwarded(Array(100).fill("for=a").join())).toHaveLength(100);
    expect(parseForwarded(Array(101).fill("for=a").join())).toBeUndefined();
  });

  it("never throws, whatever comes", () => {
    for (const value of garbage(
      ["for=", "by", "=", ";", ",", '"', "\\", " ", "1.2.3.4", "[::1]", "proto=a"],
      20_000,
    )) {
      const elements = parseForwarded(value);
      expect(elements === undefined || Array.isArray(elements)).toBe(true);
      for (const entry of parseForwardedFor(value)) parseForwardedNode(entry ?? value);
    }
  });

  it("takes time linear in the field", () => {
    for (const piece of [",", ";", '"', 'a="\\"";', "a"])
      expectLinear((size) => parseForwarded(piece.repeat(size)));
    expectLinear((size) => parseForwarded(`a="${"\\\\".repeat(size)}"`));
    expectLinear((size) => parseForwarded(Array.from({ length: size / 16 }, (_, i) => `a${i}=b`).join(";")));
  });
});

describe("parseForwardedNode", () => {
  it.each([
    ["192.0.2.1", { ip: "192.0.2.1" }],
    ["192.0.2.1:80", { ip: "192.0.2.1", port: 80 }],
    ["192.0.2.1:65535", { ip: "192.0.2.1", port: 65_535 }],
    ["192.0.2.1:_hidden", { ip: "192.0.2.1" }],
    ["[2001:db8::1]", { ip: "2001:db8::1" }],
    ["[2001:db8::1]:4711", { ip: "2001:db8::1", port: 4711 }],
    ["unknown", { name: "unknown" }],
    ["Unknown:80", { name: "Unknown", port: 80 }],
    ["_SEVKISEK", { name: "_SEVKISEK" }],
  ])("reads %j", (node, expected) => expect(parseForwardedNode(node)).toEqual(expected));

  it.each([
    "",
    "192.0.2.1:",
    "192.0.2.1:65536",
    "192.0.2.1:123456",
    "2001:db8::1",
    "[192.0.2.1]",
    "[::1",
    "[]",
    "[::1]x",
    "[fe80::1%25eth0]",
    "example.org",
    "unknowns",
    "1.2",
    "a b",
    "_".repeat(257),
  ])("gives undefined for %j", (node) => expect(parseForwardedNode(node)).toBeUndefined());

  it("reads a name of 256 characters", () => {
    expect(parseForwardedNode("_".repeat(256))).toEqual({ name: "_".repeat(256) });
  });
});

describe("parseForwardedFor", () => {
  it.each([
    ["", []],
    [" , ,", []],
    ["1.1.1.1", ["1.1.1.1"]],
    ["1.1.1.1, 2.2.2.2", ["1.1.1.1", "2.2.2.2"]],
    [",1.1.1.1\t,, ::1,", ["1.1.1.1", "::1"]],
    ["1.1.1.1, foo", ["1.1.1.1", undefined]],
    [
      "1.1.1.1:80, [::1]:80, [::2], unknown, _a, 1.2, 1.1.1.1 2.2.2.2",
      ["1.1.1.1", "::1", "::2", ...Array(4)],
    ],
    ["\xa01.1.1.1", [undefined]],
  ])("reads %j (I1)", (value, expected) => expect(parseForwardedFor(value)).toEqual([...expected]));

  it("gives the last 100 entries", () => {
    const entries = Array.from({ length: 101 }, (_, i) => `10.0.0.${i}`);
    expect(parseForwardedFor(entries.join())).toEqual(entries.slice(1));
    expect(parseForwardedFor(entries.slice(1).join())).toEqual(entries.slice(1));
  });

  it("takes time linear in the field", () => {
    for (const piece of [",", " ", "1", "[", ", 1.1.1.1"])
      expectLinear((size) => parseForwardedFor(piece.repeat(size)));
  });
});
