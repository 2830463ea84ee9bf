import { describe, expect, it } from "vitest";
import { addressRequest, checkURL, HTTPHeaders, type HTTPHeadersInit } from "../src/index.js";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

function addressed(url: string, init?: HTTPHeadersInit): (string | null)[] {
  const headers = new HTTPHeaders(init);
  addressRequest(headers, new URL(url), base64);
  return [headers.get("Host"), headers.get("Authorization")];
}

describe("addressRequest", () => {
  it("names the authority, without userinfo and the scheme's own port", () => {
    expect(addressed("http://a.example:80/b")).toEqual(["a.example", null]);
    expect(addressed("ws://[::1]:81/")).toEqual(["[::1]:81", null]);
  });

  // RFC 7617 §2.1: UTF-8 in normalization form C.
  it("makes Basic authentication of userinfo, decoded and composed", () => {
    expect(addressed("http://u:pe%CC%81%3Aw@x/")).toEqual([
      "x",
      `Basic ${base64(Buffer.from("u:p\u00e9:w"))}`,
    ]);
    expect(addressed("http://u@x/")).toEqual(["x", `Basic ${base64(Buffer.from("u:"))}`]);
  });

  it("leaves alone what is there, and does not look at userinfo that is not asked for", () => {
    const init = { Host: "a.example:81", Authorization: "Bearer t" };
    expect(addressed("http://u:%zz@x/", init)).toEqual(["a.example:81", "Bearer t"]);
  });

  it.each<[string, string, HTTPHeadersInit]>([
    ["a host with a quote", 'http://a"b/', {}],
    ["a malformed Host", "http://x/", { Host: "a b" }],
    ["a Host of two", "http://x/", { Host: "a, b" }],
    ["two Hosts", "http://x/", { Host: ["a", "a"] }],
    ["a colon in the user's name", "http://sec%3Aret:c@x/", {}],
    ["a control character in the password", "http://a:secret%00@x/", {}],
    ["userinfo that is no text", "http://a:secret%ff@x/", {}],
    ["a percent sign alone", "http://a:secret%zz@x/", {}],
  ])("refuses %s, and does not repeat what is secret", (_, url, init) => {
    expect(() => addressed(url, init)).toThrow(TypeError);
    expect(() => addressed(url, init)).toThrow(/^(?!.*sec)/);
  });
});

describe("S-33 checkURL", () => {
  it.each(["\0", "\t", "\n", "\r", "\x1f", "\x7f"])(
    "refuses %j anywhere, and repeats no password",
    (control) => {
      for (const url of [`${control}http://u:p@a/`, `http://u:p@a/${control}b`, `http://u:p@a/${control}`])
        expect(() => checkURL(url)).toThrow(
          new TypeError(`Control character in the URL at index ${url.indexOf(control)}`),
        );
    },
  );

  it("lets every other text through, and what has been read already", () => {
    for (const url of ["http://a/ \x80\xff☃", "", new URL("http://a/")])
      expect(() => checkURL(url)).not.toThrow();
  });
});
