import { isTwError } from "@tw/util";
import { Cookie } from "tough-cookie";
import { describe, expect, it } from "vitest";
import { type CookieAttributes, CookieError, parseSetCookie, serializeCookie } from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

const SECURE = { secure: true };

describe("serializeCookie", () => {
  it.each<[string, CookieAttributes, string]>([
    ["b", {}, "a=b"],
    ["", {}, 'a=""'],
    ["b=", {}, "a=b="],
    ["2|1:0|10:1300000000", {}, "a=2|1:0|10:1300000000"],
    ["x,y;z", {}, String.raw`a="x\054y\073z"`],
    ['x"y\\z', {}, String.raw`a="x\"y\\z"`],
    ["\xe9", {}, String.raw`a="\351"`],
    [
      "b",
      { domain: "x.com", httpOnly: true, maxAge: 5, path: "/p", sameSite: "Lax", secure: true },
      "a=b; Domain=x.com; HttpOnly; Max-Age=5; Path=/p; SameSite=Lax; Secure",
    ],
    ["b", { expires: 1_300_000_000_000 }, "a=b; expires=Sun, 13 Mar 2011 07:06:40 GMT"],
    ["b", { expires: new Date(0), maxAge: -1 }, "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=-1"],
    [
      "b",
      { sameSite: "none", priority: "high", partitioned: true, secure: true },
      "a=b; Partitioned; Priority=High; SameSite=None; Secure",
    ],
    ["b", { secure: false, httpOnly: false, partitioned: false }, "a=b"],
    ["b", { domain: ".example.org" }, "a=b; Domain=.example.org"],
    ["b", { path: "/a b,c=d" }, "a=b; Path=/a b,c=d"],
  ])("writes %j with %j (D17, D18, D21, D22)", (value, attributes, expected) => {
    expect(serializeCookie("a", value, attributes)).toBe(expected);
  });

  it("S-16 refuses every character that could end a name, value or attribute", () => {
    for (let c = 0; c < 0x180; c++) {
      const character = String.fromCharCode(c);
      const text = `a${character}b`;
      const isControl = c < 0x20 || c === 0x7f || c > 0xff;
      const calls: [boolean, () => string][] = [
        [/^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(character), () => serializeCookie(text, "v")],
        [!isControl && c !== 0x20, () => serializeCookie("a", text)],
        [!isControl && c < 0x7f && character !== ";", () => serializeCookie("a", "v", { path: `/${text}` })],
        [/^[\w.-]$/.test(character), () => serializeCookie("a", "v", { domain: text })],
        [false, () => serializeCookie("a", "v", { sameSite: `Lax${character}` as never })],
        [false, () => serializeCookie("a", "v", { priority: `Low${character}` as never })],
      ];
      for (const [i, [isFine, call]] of calls.entries()) {
        if (isFine) expect(call().split(";").length).toBeLessThanOrEqual(2);
        else expect(call, `${i}: ${JSON.stringify(text)}`).toThrow(CookieError);
      }
    }
  });

  it("refuses what no browser could mean", () => {
    for (const name of ["", 1, "a=b", "\u20ac"])
      expect(() => serializeCookie(name as string, "")).toThrow(CookieError);
    for (const value of [1, null, undefined, "\u20ac"])
      expect(() => serializeCookie("a", value as string)).toThrow(CookieError);
    for (const path of ["", "a", "a/"])
      expect(() => serializeCookie("a", "b", { path })).toThrow(CookieError);
    for (const domain of ["", ".", "..", "a..b", "a.", "a:80", "[::1]", "a/b"])
      expect(() => serializeCookie("a", "b", { domain }), domain).toThrow(CookieError);
    expect(() => serializeCookie("a", "b", { sameSite: "" as never })).toThrow(CookieError);
    for (const maxAge of [0.5, Number.NaN, Number.POSITIVE_INFINITY, "5" as never])
      expect(() => serializeCookie("a", "b", { maxAge })).toThrow(RangeError);
    for (const expires of [Number.NaN, new Date(Number.NaN), 1e15])
      expect(() => serializeCookie("a", "b", { expires })).toThrow(RangeError);
  });

  it("keeps the promises of prefixes, in any case, and of SameSite=None and Partitioned", () => {
    const host = { secure: true, path: "/" };
    expect(serializeCookie("__Host-a", "b", host)).toBe("__Host-a=b; Path=/; Secure");
    expect(serializeCookie("__Secure-a", "b", { ...SECURE, domain: "x.org" })).toBe(
      "__Secure-a=b; Domain=x.org; Secure",
    );
    expect(serializeCookie("__Hos-a", "b")).toBe("__Hos-a=b");
    const broken: [string, CookieAttributes][] = [
      ["__Secure-a", {}],
      ["__secure-a", { path: "/" }],
      ["__Host-a", { path: "/" }],
      ["__Host-a", SECURE],
      ["__host-a", { ...SECURE, path: "/a" }],
      ["__Host-a", { ...host, domain: "x.org" }],
      ["a", { sameSite: "None" }],
      ["a", { sameSite: "none" }],
      ["a", { partitioned: true }],
    ];
    for (const [name, attributes] of broken)
      expect(() => serializeCookie(name, "b", attributes), JSON.stringify([name, attributes])).toThrow(
        CookieError,
      );
  });

  it("takes 4096 characters of name and value and 1024 of an attribute, and refuses one more", () => {
    const value = "b".repeat(4093);
    expect(serializeCookie("abc", value)).toHaveLength(4097);
    expect(() => serializeCookie("abcd", value)).toThrow("limit 4096");
    // What counts is what is sent: a quoted comma is four characters, and the quotes two.
    expect(serializeCookie("a", ",".repeat(1023)).length).toBe(2 + 2 + 4 * 1023);
    expect(() => serializeCookie("a", ",".repeat(1024))).toThrow("limit 4096");
    const path = `/${"p".repeat(1023)}`;
    expect(serializeCookie("a", "b", { path })).toContain(path);
    expect(() => serializeCookie("a", "b", { path: `${path}p` })).toThrow(CookieError);
  });

  it("throws a TypeError with the stack's brand and a code, which does not repeat a megabyte", () => {
    const error = (() => {
      try {
        serializeCookie("a", "\n".repeat(1_000_000));
      } catch (thrown) {
        return thrown as CookieError;
      }
      return undefined;
    })();
    expect([error instanceof TypeError, isTwError(error, "ERR_TW_COOKIE"), error?.name]).toEqual([
      true,
      true,
      "CookieError",
    ]);
    expect(error?.message.length).toBeLessThan(500);
  });
});

describe("parseSetCookie", () => {
  const nothing = { secure: false, httpOnly: false, partitioned: false };

  it.each([
    ["a=b", { name: "a", value: "b" }],
    [" a = b=c ;", { name: "a", value: "b=c" }],
    ["a", { name: "", value: "a" }],
    ["=a", { name: "", value: "a" }],
    ["a=", { name: "a", value: "" }],
    ['a="b c"', { name: "a", value: '"b c"' }],
    [
      "a=b; PATH=/x ; secure; HTTPONLY=no; partitioned",
      { name: "a", value: "b", path: "/x", secure: true, httpOnly: true, partitioned: true },
    ],
    ["a=b; path=x", { name: "a", value: "b" }],
    ["a=b; path=/x; path=y", { name: "a", value: "b" }],
    ["a=b; Domain=.Example.ORG", { name: "a", value: "b", domain: "example.org" }],
    ["a=b; Domain=x; Domain=", { name: "a", value: "b" }],
    ["a=b; Max-Age=60; max-age=x", { name: "a", value: "b", maxAge: 60 }],
    ["a=b; Max-Age=-1", { name: "a", value: "b", maxAge: -1 }],
    ["a=b; Max-Age=+1", { name: "a", value: "b" }],
    [`a=b; Max-Age=${"9".repeat(400)}`, { name: "a", value: "b", maxAge: Number.MAX_SAFE_INTEGER }],
    ["a=b; SameSite=lAX; Priority=HIGH", { name: "a", value: "b", sameSite: "Lax", priority: "High" }],
    ["a=b; SameSite=Lax; SameSite=x", { name: "a", value: "b" }],
    ["a=b; constructor=c; __proto__=d; foo", { name: "a", value: "b" }],
    ["a=\tb\t", { name: "a", value: "b" }],
    ["__Host-a=b", { name: "__Host-a", value: "b" }],
  ])("reads %j", (text, expected) => expect(parseSetCookie(text)).toEqual({ ...nothing, ...expected }));

  it.each([
    "",
    "=",
    " ; Secure",
    "a=b\0",
    "a=b\r\nSet-Cookie: c=d",
    "a=b; path=/\x7f",
    "=__Host-a=b",
    "__SECURE-a",
  ])("gives undefined for %j", (text) => expect(parseSetCookie(text)).toBeUndefined());

  it("takes 4096 characters of name and value, ignores attributes above 1024", () => {
    const value = "b".repeat(4095);
    expect(parseSetCookie(`a=${value}`)?.value).toBe(value);
    expect(parseSetCookie(`ab=${value}`)).toBeUndefined();
    const path = `/${"p".repeat(1023)}`;
    expect(parseSetCookie(`a=b; path=${path}`)?.path).toBe(path);
    expect(parseSetCookie(`a=b; path=${path}p`)?.path).toBeUndefined();
  });

  it.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777_000],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777_000],
    ["Sun Nov  6 08:49:37 1994", 784_111_777_000],
    ["06-nov-1994/8:49:37 PST", 784_111_777_000],
    ["1994 November 6 08:49:37.5", 784_111_777_000],
    ["6 Nov 70 0:0:0", Date.UTC(1970, 10, 6)],
    ["6 Nov 69 0:0:0", Date.UTC(2069, 10, 6)],
    ["1 Jan 1601 00:00:00", Date.UTC(1601, 0, 1)],
    ["1 Jan 1600 00:00:00", undefined],
    ["31 Feb 2020 00:00:00", undefined],
    ["0 Jan 2020 00:00:00", undefined],
    ["1 Jan 2020 24:00:00", undefined],
    ["1 Jan 2020 23:59:60", undefined],
    ["1 Jan 2020", undefined],
    ["1 Jan 20201 00:00:00", undefined],
    ["Mon, 32 Jan 2020 00:00:00", undefined],
    ["tomorrow", undefined],
    ["0", undefined],
  ])("reads the date %j (RFC 6265 §5.1.1)", (date, expected) => {
    expect(parseSetCookie(`a=b; Expires=${date}`)?.expires).toBe(expected);
  });

  it("reads back what serializeCookie writes", () => {
    const attributes = {
      domain: "x.org",
      path: "/p",
      expires: 1000,
      maxAge: 0,
      secure: true,
      httpOnly: true,
      sameSite: "Strict",
      partitioned: true,
      priority: "Medium",
    } as const;
    expect(parseSetCookie(serializeCookie("a", "b", attributes))).toEqual({
      name: "a",
      value: "b",
      ...attributes,
    });
  });

  it("agrees with tough-cookie about dates, domains, paths and ages", () => {
    const pieces = [
      "; ",
      "Expires=",
      "Max-Age=",
      "Path=",
      "Domain=",
      "Secure",
      "HttpOnly",
      "/",
      "x.org",
      "6 ",
      "Nov ",
      "1994 ",
      "94 ",
      "08:49:37 ",
      "12",
      "-",
      "=",
      " ",
    ];
    let compared = 0;
    for (const tail of garbage(pieces, 20_000)) {
      const text = `a=b; ${tail}`;
      const ours = parseSetCookie(text);
      // It drops a whole cookie for other reasons than we do, and keeps the first of equal attributes.
      const theirs = Cookie.parse(text, { loose: true });
      if (!ours || !theirs || /[^ -~]/.test(text) || /(expires|max-age|path|domain).*\1/i.test(text))
        continue;
      // Of "=1" it makes a date in 2001, where the RFC has no year of fewer than two digits.
      const date = theirs.expires;
      compared++;
      expect({
        text,
        secure: theirs.secure,
        httpOnly: theirs.httpOnly,
        path: theirs.path ?? undefined,
        domain: theirs.domain ?? undefined,
        expires: date instanceof Date ? date.getTime() : undefined,
        maxAge: theirs.maxAge ?? undefined,
      }).toEqual({
        text,
        secure: ours.secure,
        httpOnly: ours.httpOnly,
        path: ours.path,
        domain: ours.domain,
        expires: ours.expires,
        maxAge: ours.maxAge,
      });
    }
    expect(compared).toBeGreaterThan(5000);
  });

  it("never throws, and takes time linear in the text", () => {
    for (const text of garbage(["a", "=", ";", "expires=", "max-age=", "99", ":", "Jan", " ", "\t"], 20_000))
      parseSetCookie(text);
    for (const piece of [";", "=", " ", "a", "1", "Jan ", "1:"]) {
      expectLinear((size) => parseSetCookie(piece.repeat(size)));
      expectLinear((size) => parseSetCookie(`a=b;expires=${piece.repeat(size)}`));
      expectLinear((size) => parseSetCookie(`a=b;${`${piece}=;`.repeat(size)}`));
    }
  });
});
