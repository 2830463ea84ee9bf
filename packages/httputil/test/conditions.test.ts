import { describe, expect, it } from "vitest";
import {
  type ConditionalRequest,
  evaluatePreconditions,
  formatTimestamp,
  HTTPHeaders,
  ifRangeMatches,
  parseETag,
  parseETagList,
  sameStrongly,
  sameWeakly,
} from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

describe("entity tags", () => {
  it.each([
    ['"a"', { weak: false, tag: "a" }],
    ['W/"a"', { weak: true, tag: "a" }],
    ['""', { weak: false, tag: "" }],
    ['"a\\"', { weak: false, tag: "a\\" }],
    ['"a,b!\xff"', { weak: false, tag: "a,b!\xff" }],
  ])("parseETag reads %j", (text, expected) => expect(parseETag(text)).toEqual(expected));

  it.each([
    "",
    "a",
    '"',
    '"a',
    'a"',
    'w/"a"',
    'W"a"',
    'W/ "a"',
    '"a"b',
    '"a" ',
    ' "a"',
    '"a b"',
    '"a\t"',
    '"\x7f"',
    '"\u20ac"',
    "*",
  ])("parseETag gives undefined for %j", (text) => expect(parseETag(text)).toBeUndefined());

  it("parseETagList reads lists and the asterisk, and nothing that is half one", () => {
    expect(parseETagList('"a" , W/"b,c",,"d"')).toEqual([
      { weak: false, tag: "a" },
      { weak: true, tag: "b,c" },
      { weak: false, tag: "d" },
    ]);
    expect([parseETagList("*"), parseETagList("\t* "), parseETagList(""), parseETagList(" ,,")]).toEqual([
      "*",
      "*",
      [],
      [],
    ]);
    for (const text of ["a", '"a" "b"', '"a", b', "*, *", '*, "a"', '"a", *', '"a", "b', "**"])
      expect(parseETagList(text), text).toBeUndefined();
  });

  it("compare strongly and weakly as the table of RFC 9110 §8.8.3.2", () => {
    const tags = ['W/"1"', 'W/"2"', '"1"'].map((text) => parseETag(text) ?? expect.fail(text));
    const [weak1, weak2, strong1] = tags as [never, never, never];
    const pairs: [never, never][] = [
      [weak1, weak1],
      [weak1, weak2],
      [weak1, strong1],
      [strong1, strong1],
    ];
    expect(pairs.map(([a, b]) => [sameStrongly(a, b), sameWeakly(a, b)])).toEqual([
      [false, true],
      [false, false],
      [false, true],
      [true, true],
    ]);
  });
});

const T = Date.UTC(2011, 2, 13, 7, 6, 40);
const at = (offset: number) => formatTimestamp(T + offset);

function judge(
  fields: Record<string, string>,
  more: Partial<ConditionalRequest> = {},
): "proceed" | 304 | 412 {
  return evaluatePreconditions({
    method: "GET",
    headers: new HTTPHeaders(fields),
    etag: '"a"',
    lastModified: T + 500,
    ...more,
  });
}

describe("evaluatePreconditions", () => {
  it("without conditions proceeds", () => {
    expect(judge({})).toBe("proceed");
    expect(judge({}, { etag: undefined, lastModified: undefined })).toBe("proceed");
  });

  // RFC 9110 §13.1.2 (1), (3)
  it.each<[string, Partial<ConditionalRequest>, "proceed" | 304 | 412]>([
    ['"a"', {}, 304],
    ['W/"a"', {}, 304],
    ['"x", "a"', {}, 304],
    ["*", {}, 304],
    ["a", {}, "proceed"],
    ['"b"', {}, "proceed"],
    ["", {}, "proceed"],
    ['"a", b', {}, "proceed"],
    ['"a"', { etag: 'W/"a"' }, 304],
    ['"a"', { etag: undefined }, "proceed"],
    ["*", { etag: undefined }, 304],
    ["*", { exists: false }, "proceed"],
    ['"a"', { method: "HEAD" }, 304],
    ['"a"', { method: "PUT" }, 412],
    ["*", { method: "PUT" }, 412],
    ["*", { method: "PUT", exists: false }, "proceed"],
    ['"b"', { method: "PUT" }, "proceed"],
    ['"a"', { method: "OPTIONS" }, "proceed"],
    ['"a"', { method: "get" }, 412],
  ])("If-None-Match: %s with %j is %s (E2, E3)", (value, more, expected) => {
    expect(judge({ "If-None-Match": value }, more)).toBe(expected);
  });

  // RFC 9110 §13.1.1 (1), (3), RFC 9110 §13.2.1 (4)
  it.each<[string, Partial<ConditionalRequest>, "proceed" | 304 | 412]>([
    ['"a"', {}, "proceed"],
    ['"x","a"', { method: "PUT" }, "proceed"],
    ["*", { method: "PUT" }, "proceed"],
    ["*", { method: "PUT", exists: false }, 412],
    ['"b"', { method: "PUT" }, 412],
    ['W/"a"', {}, 412],
    ['"a"', { etag: 'W/"a"' }, 412],
    ['"a"', { etag: undefined }, 412],
    ["a", {}, 412],
    ["", {}, 412],
    ['"b"', { method: "TRACE" }, "proceed"],
  ])("If-Match: %s with %j is %s", (value, more, expected) => {
    expect(judge({ "If-Match": value }, more)).toBe(expected);
  });

  // RFC 9110 §13.1.3 (2), (3), (4)
  it("If-Modified-Since compares whole seconds, for GET and HEAD only, and ignores junk (F8)", () => {
    const since = (value: string, more = {}) => judge({ "If-Modified-Since": value }, more);
    expect([since(at(-1000)), since(at(0)), since(at(1000))]).toEqual(["proceed", 304, 304]);
    expect([since("junk"), since(`${at(0)}, ${at(0)}`), since("")]).toEqual([
      "proceed",
      "proceed",
      "proceed",
    ]);
    expect([since(at(0), { method: "HEAD" }), since(at(0), { method: "POST" })]).toEqual([304, "proceed"]);
    expect(since(at(0), { lastModified: undefined })).toBe("proceed");
    expect(since("Sunday, 13-Mar-11 07:06:40 GMT")).toBe(304);
    expect(since("Sunday, 13-Mar-11 07:06:40 GMT", { now: Date.UTC(1960, 0) })).toBe("proceed");
  });

  // RFC 9110 §13.1.4 (2), (3), (4), (6)
  it("If-Unmodified-Since compares whole seconds, for every method", () => {
    const since = (value: string, more = {}) =>
      judge({ "If-Unmodified-Since": value }, { method: "PUT", ...more });
    expect([since(at(-1000)), since(at(0)), since(at(1000))]).toEqual([412, "proceed", "proceed"]);
    expect([since("junk"), since(at(-1000), { lastModified: undefined })]).toEqual(["proceed", "proceed"]);
    expect(since(at(-1000), { method: "GET" })).toBe(412);
  });

  // RFC 9110 §13.1.3 (1), RFC 9110 §13.1.4 (1), RFC 9110 §13.2.2 (1)
  it("a tag takes the place of the date beside it, and If-Match comes before If-None-Match (RFC 9110 §13.2.2)", () => {
    expect(judge({ "If-None-Match": '"b"', "If-Modified-Since": at(0) })).toBe("proceed");
    expect(judge({ "If-None-Match": '"a"', "If-Modified-Since": at(-1000) })).toBe(304);
    expect(judge({ "If-Match": '"a"', "If-Unmodified-Since": at(-1000) })).toBe("proceed");
    expect(judge({ "If-Match": '"b"', "If-None-Match": '"a"' })).toBe(412);
    expect(judge({ "If-Match": '"a"', "If-None-Match": '"a"' })).toBe(304);
    expect(judge({ "If-Unmodified-Since": at(0), "If-Modified-Since": at(0) })).toBe(304);
    expect(judge({ "If-Unmodified-Since": at(-1000), "If-None-Match": '"a"' })).toBe(412);
  });

  it("reads repeated fields as one list, and a Web Headers as well", () => {
    const fields = [
      ["If-None-Match", '"x"'],
      ["If-None-Match", '"a"'],
    ] as [string, string][];
    for (const headers of [new HTTPHeaders(fields), new Headers(fields)])
      expect(evaluatePreconditions({ method: "GET", headers, etag: '"a"' })).toBe(304);
  });

  it("throws at once for an etag of ours that is none", () => {
    for (const etag of ["a", "", '"a', "*", 1]) {
      expect(() => judge({}, { etag: etag as string })).toThrow(TypeError);
      expect(() => ifRangeMatches(null, { etag: etag as string })).toThrow(TypeError);
    }
  });

  it("never throws at what a client sends", () => {
    for (const text of garbage(['"a"', "W/", '"', ",", " ", "*", "\\", at(0), "Sun, "], 10_000)) {
      for (const name of ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"])
        evaluatePreconditions({
          method: "GET",
          headers: { get: (asked) => (asked === name ? text : null) },
          etag: '"a"',
          lastModified: T,
        });
      ifRangeMatches(text, { etag: '"a"', lastModified: T });
    }
  });

  it("takes time linear in the field", () => {
    for (const piece of [",", '"', '"a",', "W/", " ", "*", " *"])
      expectLinear((size) => parseETagList(piece.repeat(size)));
  });
});

describe("ifRangeMatches", () => {
  it("without the field lets the range be", () => expect(ifRangeMatches(null, {})).toBe(true));

  // RFC 9110 §13.1.5 (7)
  it("compares tags strongly (F9)", () => {
    const tag = (value: string, etag?: string) => ifRangeMatches(value, { etag, lastModified: T });
    expect([
      tag('"a"', '"a"'),
      tag('"b"', '"a"'),
      tag('W/"a"', 'W/"a"'),
      tag('W/"a"', '"a"'),
      tag('"a"'),
    ]).toEqual([true, false, false, false, false]);
    expect([tag("*", '"a"'), tag('"a", "b"', '"a"'), tag("", '"a"'), tag("a", '"a"')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("takes the very date of the last modification, neither an older nor a newer one", () => {
    const date = (value: string, lastModified?: number) =>
      ifRangeMatches(value, { etag: '"a"', lastModified });
    expect([
      date(at(0), T),
      date(at(0), T + 999),
      date(at(-1000), T),
      date(at(1000), T),
      date(at(0)),
    ]).toEqual([true, true, false, false, false]);
  });

  it("takes no date that is less than a second old, where it is told the time (RFC 9110 §8.8.2.2)", () => {
    const now = (time: number) => ifRangeMatches(at(0), { lastModified: T + 500 }, time);
    expect([now(T + 999), now(T + 1000)]).toEqual([false, true]);
  });
});
