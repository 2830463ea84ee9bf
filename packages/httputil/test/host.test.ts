import { describe, expect, it } from "vitest";
import { isHost, splitHostAndPort } from "../src/index.js";

describe("isHost", () => {
  it.each([
    "",
    "a",
    "a:80",
    "a:",
    "127.0.0.1:8888",
    "[::1]",
    "[::1]:80",
    "[v1.a:b]",
    "[fe80::1%25eth0]",
    "A_b-c.~!$&'()*+;=",
    "%41",
    "a:65535",
  ])("accepts %j", (host) => expect(isHost(host)).toBe(true));

  it.each([
    "a,b",
    "a/b",
    "a b",
    " a",
    "u@b",
    "a:b",
    "a:65536",
    "a:1:2",
    "::1",
    "[::1",
    "[]",
    "[a/b]",
    "[::1]x",
    "[::1]:x",
    "a\t",
    "a\0",
    "a\x7f",
    "a\xe9",
    "a\u20ac",
    "%",
    "%4",
    "%zz",
    "a?b",
    "a#b",
    "a\\b",
    '"a"',
    "<a>",
  ])("refuses %j (S-04)", (host) => expect(isHost(host)).toBe(false));
});

describe("splitHostAndPort", () => {
  it.each([
    ["a:80", "a", 80],
    ["a", "a", undefined],
    ["[::1]:443", "[::1]", 443],
    ["[::1]", "[::1]", undefined],
    ["::1", "::1", undefined],
    ["a:b", "a:b", undefined],
    ["a:", "a:", undefined],
    [":80", ":80", undefined],
    ["a:65536", "a:65536", undefined],
    ["", "", undefined],
  ])("%j is %j and %j (Q13)", (netloc, host, port) => {
    expect(splitHostAndPort(netloc)).toEqual({ host, port });
  });
});
