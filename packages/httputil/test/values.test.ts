// Small pure functions: reason phrases, dates, queries, errors.

import { isTwError } from "@tw/util";
import { describe, expect, it } from "vitest";
import * as httputil from "../src/index.js";
import {
  formatTimestamp,
  HTTPInputError,
  HTTPOutputError,
  isFieldText,
  isToken,
  reasonPhrase,
  responses,
  sameName,
  urlConcat,
} from "../src/index.js";

describe("reasonPhrase", () => {
  it("gives the registered phrase, or Unknown (C17)", () => {
    expect([reasonPhrase(200), reasonPhrase(418), reasonPhrase(299)]).toEqual([
      "OK",
      "I'm a Teapot",
      "Unknown",
    ]);
    expect(responses[431]).toBe("Request Header Fields Too Large");
  });

  it("passes a harmless reason, and makes Unknown of one that injects (S-23, C16)", () => {
    expect(reasonPhrase(503, "Because")).toBe("Because");
    for (const reason of ["a\r\nb", "<b>", "a\tb", "\x7f", "\u20ac"])
      expect(reasonPhrase(200, reason)).toBe("Unknown");
  });
});

describe("formatTimestamp", () => {
  it.each([
    [1_359_312_200_500, "Sun, 27 Jan 2013 18:43:20 GMT"],
    [0, "Thu, 01 Jan 1970 00:00:00 GMT"],
    [-1, "Wed, 31 Dec 1969 23:59:59 GMT"],
    [Date.UTC(2024, 1, 29, 23, 59, 59, 999), "Thu, 29 Feb 2024 23:59:59 GMT"],
    [Date.parse("0099-12-31T00:00:00Z"), "Thu, 31 Dec 0099 00:00:00 GMT"],
    [Date.parse("9999-12-31T23:59:59Z"), "Fri, 31 Dec 9999 23:59:59 GMT"],
  ])("%d is %s (Q12)", (time, text) => {
    expect(formatTimestamp(time)).toBe(text);
    expect(formatTimestamp(new Date(time))).toBe(text);
  });

  it("agrees with Date where Date is right", () => {
    for (let time = 0; time < 4e12; time += 86_399_999_321)
      expect(formatTimestamp(time)).toBe(new Date(time).toUTCString());
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 253_402_300_800_000, -62_167_219_200_001])(
    "%d is refused",
    (time) => {
      expect(() => formatTimestamp(time)).toThrow(RangeError);
    },
  );
});

describe("urlConcat", () => {
  it("adds to the query, keeps what it holds, and leaves a fragment last (Q9)", () => {
    expect(urlConcat("?c=d", { c: "e", f: "g h" })).toBe("?c=d&c=e&f=g+h");
    expect(
      urlConcat("http://x/a#top", [
        ["a", 1],
        ["a", "\xe9&="],
      ]),
    ).toBe("http://x/a?a=1&a=%C3%A9%26%3D#top");
    expect([urlConcat("/a?", { b: "c" }), urlConcat("/a?x&", { b: "c" })]).toEqual(["/a?b=c", "/a?x&b=c"]);
  });

  it("without arguments gives the URL unchanged", () => {
    for (const args of [null, undefined, {}, { a: null, b: undefined }, []])
      expect(urlConcat("/a?b#c", args)).toBe("/a?b#c");
  });
});

describe("grammar", () => {
  it("isToken, isFieldText and sameName judge the whole text", () => {
    expect([isToken("a!~"), isToken(""), isToken("a b"), isToken("a\u0101")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([isFieldText(""), isFieldText("a\t\xff"), isFieldText("a\u0100"), isFieldText("\x7f")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([sameName("aZ", "Az"), sameName("a", "ab"), sameName("[", "{"), sameName("@", "`")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe("errors", () => {
  it("carry code, status, cause and name", () => {
    const cause = new Error("x");
    const input = new HTTPInputError("bad", { status: 413, code: "ERR_TW_BODY_TOO_LARGE", cause });
    expect([input.status, input.code, input.cause, input.name]).toEqual([
      413,
      "ERR_TW_BODY_TOO_LARGE",
      cause,
      "HTTPInputError",
    ]);
    expect([new HTTPInputError("bad").status, new HTTPInputError("bad").code]).toEqual([
      400,
      "ERR_TW_HTTP_INPUT",
    ]);
    expect(new HTTPOutputError("bad").code).toBe("ERR_TW_HTTP_OUTPUT");
    expect(
      isTwError(new HTTPOutputError("bad", { code: "ERR_TW_BODY_TOO_LONG" }), "ERR_TW_BODY_TOO_LONG"),
    ).toBe(true);
  });
});

it("exports these values and no others", () => {
  expect(Object.keys(httputil).sort()).toEqual([
    "BodyAbortedError",
    "BodyStream",
    "BodyUsedError",
    "CookieError",
    "HTTPFieldError",
    "HTTPHeaders",
    "HTTPInputError",
    "HTTPOutputError",
    "HTTPServerRequest",
    "MultipartParser",
    "MultipartPart",
    "RequestBody",
    "accepts",
    "acceptsEncodings",
    "acceptsLanguages",
    "addVary",
    "argumentTexts",
    "boundaryOf",
    "canonicalName",
    "contentRange",
    "decodeExtendedValue",
    "decodeFormText",
    "evaluatePreconditions",
    "formatTimestamp",
    "ifRangeMatches",
    "ipMatcher",
    "isFieldText",
    "isHost",
    "isIp",
    "isToken",
    "joinArguments",
    "parseBodyArguments",
    "parseCookie",
    "parseETag",
    "parseETagList",
    "parseForwarded",
    "parseForwardedFor",
    "parseForwardedNode",
    "parseHTTPDate",
    "parseHeaderParameters",
    "parseMediaType",
    "parseMultipartFormData",
    "parsePreferences",
    "parseQueryArguments",
    "parseRange",
    "parseRanges",
    "parseSetCookie",
    "readMultipart",
    "reasonPhrase",
    "resolveParseBodyConfig",
    "responses",
    "sameName",
    "sameStrongly",
    "sameWeakly",
    "satisfyRange",
    "satisfyRanges",
    "serializeCookie",
    "splitHostAndPort",
    "unquoteCookie",
    "unsatisfiedRange",
    "urlConcat",
  ]);
});
