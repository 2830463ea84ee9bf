// Small pure functions: reason phrases, dates, queries, errors.

import { STATUS_CODES } from "node:http";
import { isTwError } from "@tw/util";
import { describe, expect, it } from "vitest";
import * as httputil from "../src/index.js";
import {
  encodeUsernamePassword,
  formatTimestamp,
  HTTPInputError,
  HTTPOutputError,
  isFieldText,
  isToken,
  parseRequestStartLine,
  parseResponseStartLine,
  qsToQsl,
  reasonPhrase,
  responses,
  sameName,
  urlConcat,
} from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

describe("reasonPhrase", () => {
  it("gives the registered phrase, or Unknown (C17)", () => {
    expect([reasonPhrase(200), reasonPhrase(418), reasonPhrase(299)]).toEqual([
      "OK",
      "I'm a Teapot",
      "Unknown",
    ]);
    expect(reasonPhrase(200, undefined)).toBe("OK");
    expect(responses[431]).toBe("Request Header Fields Too Large");
  });

  it("passes a harmless reason, and makes Unknown of one that injects or is empty (S-23, C16)", () => {
    expect(reasonPhrase(503, "Because")).toBe("Because");
    for (const reason of ["", "a\r\nb", "<b>", "a\tb", "\x7f", "\u20ac"])
      expect(reasonPhrase(200, reason)).toBe("Unknown");
  });
});

describe("responses", () => {
  it("has what node:http has, but for newer names and what IANA never registered", () => {
    // 413 and 422 were renamed by RFC 9110, and 509 is somebody's own.
    for (const [code, phrase] of Object.entries(STATUS_CODES)) {
      if (!["413", "422", "509"].includes(code))
        expect({ code, phrase: responses[Number(code)] }).toEqual({ code, phrase });
    }
    for (const code of Object.keys(responses)) expect(STATUS_CODES).toHaveProperty(code);
  });
});

describe("parseRequestStartLine", () => {
  it.each([
    ["GET / HTTP/1.1", "GET", "/", "HTTP/1.1"],
    ["get /a?b HTTP/1.0", "get", "/a?b", "HTTP/1.0"],
    ["FOO * HTTP/1.2", "FOO", "*", "HTTP/1.2"],
    ["CONNECT a:1 HTTP/1.9", "CONNECT", "a:1", "HTTP/1.9"],
    ["GET http://x/\xe9 HTTP/1.1", "GET", "http://x/\xe9", "HTTP/1.1"],
  ])("reads %j (Q14, A14, A16, A19)", (line, method, path, version) => {
    expect(parseRequestStartLine(line)).toEqual({ method, path, version });
  });

  it.each([
    "",
    "GET",
    "GET /",
    "GET / ",
    " GET / HTTP/1.1",
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET /\tHTTP/1.1",
    "GET / HTTP/2.0",
    "GET / HTTP/1",
    "GET / HTTP/1.10",
    "GET / http/1.1",
    "GET / HTTP/1.\u0661",
    "G(T / HTTP/1.1",
    "GET /\0 HTTP/1.1",
    "GET /\t HTTP/1.1",
    "GET /\u20ac HTTP/1.1",
    "GET / HTTP/1.1\n",
    "GET / HTTP/1.1\r\nHost: a",
    "GET  HTTP/1.1",
  ])("refuses %j with an HTTPInputError (A14, A15, A17, A18)", (line) => {
    expect(() => parseRequestStartLine(line)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HTTP_INPUT", status: 400 }),
    );
  });
});

describe("parseResponseStartLine", () => {
  it.each([
    ["HTTP/1.1 200 OK", "HTTP/1.1", 200, "OK"],
    ["HTTP/1.0 404 Not  Found\t\xe9", "HTTP/1.0", 404, "Not  Found\t\xe9"],
    ["HTTP/1.1 999 ", "HTTP/1.1", 999, ""],
    ["HTTP/1.1 100  x", "HTTP/1.1", 100, " x"],
  ])("reads %j", (line, version, code, reason) => {
    expect(parseResponseStartLine(line)).toEqual({ version, code, reason });
  });

  it.each([
    "",
    "HTTP/1.1",
    "HTTP/1.1 200",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1 200OK",
    "HTTP/1.1 +20 OK",
    "HTTP/2 200 OK",
    "http/1.1 200 OK",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 \0",
    "HTTP/1.1 200 \u20ac",
    "ICY 200 OK",
  ])("refuses %j with an HTTPInputError (Q14)", (line) => {
    expect(() => parseResponseStartLine(line)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HTTP_INPUT", status: 400 }),
    );
  });

  it("start lines throw nothing else, and take time linear in the line", () => {
    for (const line of garbage(["GET", " ", "/", "HTTP/1.1", "200", "OK", "\r", "\n"], 20_000)) {
      for (const parse of [parseRequestStartLine, parseResponseStartLine]) {
        try {
          parse(line);
        } catch (error) {
          expect(isTwError(error, "ERR_TW_HTTP_INPUT")).toBe(true);
        }
      }
    }
    for (const piece of [" ", "a", "GET / "])
      expectLinear((size) => {
        for (const parse of [parseRequestStartLine, parseResponseStartLine]) {
          expect(() => parse(piece.repeat(size))).toThrow(HTTPInputError);
        }
      });
  });
});

describe("encodeUsernamePassword", () => {
  it("gives UTF-8 in NFC, colons in the password included", () => {
    const text = (name: string, password: string) =>
      new TextDecoder().decode(encodeUsernamePassword(name, password));
    expect([text("u", "p:w"), text("", ""), text("e\u0301", "\u212b")]).toEqual(["u:p:w", ":", "\xe9:\xc5"]);
  });

  it("refuses a colon in the name, and controls, without repeating them", () => {
    for (const [name, password] of [
      ["s:t", "p"],
      ["s\n", "p"],
      ["u", "s\0"],
      ["u", "s\x85"],
      [1, "p"],
      ["u", undefined],
    ]) {
      expect(() => encodeUsernamePassword(name as string, password as string)).toThrow(
        /^(?:username|password) must [\w ]+$/,
      );
    }
  });
});

describe("qsToQsl", () => {
  it("gives a pair for each value, in order", () => {
    expect([
      ...qsToQsl([
        ["a", [1, 2]],
        ["b", []],
        ["c", [3]],
      ]),
    ]).toEqual([
      ["a", 1],
      ["a", 2],
      ["c", 3],
    ]);
    expect(urlConcat("/b", qsToQsl(new Map([["a", ["1", "2"]]])))).toBe("/b?a=1&a=2");
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
    "addressRequest",
    "argumentTexts",
    "boundaryOf",
    "canonicalName",
    "checkURL",
    "contentRange",
    "decodeExtendedValue",
    "decodeFormText",
    "encodeUsernamePassword",
    "evaluatePreconditions",
    "formatHeaderParameters",
    "formatTimestamp",
    "hopByHopFields",
    "ifRangeMatches",
    "isFieldText",
    "isHopByHop",
    "isHost",
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
    "parseRequestStartLine",
    "parseResponseStartLine",
    "parseSetCookie",
    "qsToQsl",
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
    "trimBlanks",
    "unquoteCookie",
    "unsatisfiedRange",
    "urlConcat",
  ]);
});
