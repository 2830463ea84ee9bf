// @ts-expect-error the package has no declarations
import Negotiator from "negotiator";
import { describe, expect, it } from "vitest";
import {
  accepts,
  acceptsEncodings,
  acceptsLanguages,
  addVary,
  HTTPHeaders,
  parseMediaType,
  parsePreferences,
} from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

describe("parseMediaType", () => {
  it("reads type, subtype and parameters without regard to case, values as they are", () => {
    const type = parseMediaType(' Text/HTML ;Charset="UTF\\-8"; a=B;; charset=x ; ');
    expect(type).toEqual({
      essence: "text/html",
      type: "text",
      subtype: "html",
      parameters: new Map([
        ["charset", "UTF-8"],
        ["a", "B"],
      ]),
    });
    expect(parseMediaType("*/*")?.essence).toBe("*/*");
    expect(parseMediaType("application/vnd.a+json")?.subtype).toBe("vnd.a+json");
  });

  it.each([
    "",
    "text",
    "text/",
    "/html",
    "text /html",
    "text/ html",
    "text/html,text/plain",
    "text/html a=b",
    "text/html;a",
    "text/html;a=",
    "text/html;a =b",
    "text/html;a= b",
    'text/html;a="b',
    'text/html;a="b"c',
    "text/html;=b",
    "t\xe9xt/html",
    "text/html\0",
  ])("gives undefined for %j", (text) => expect(parseMediaType(text)).toBeUndefined());

  it("takes 32 parameters, and gives undefined for 33", () => {
    const type = (count: number) => `a/b${Array.from({ length: count }, (_, i) => `;p${i}=v`).join("")}`;
    expect(parseMediaType(type(32))?.parameters.size).toBe(32);
    expect(parseMediaType(type(33))).toBeUndefined();
  });

  it("takes time linear in the text", () => {
    for (const piece of [";", " ", '"', "\\", ";a=b", "a"]) {
      expectLinear((size) => parseMediaType(`a/b;${piece.repeat(size)}`));
      expectLinear((size) => parseMediaType(`a/b;a="${piece.repeat(size)}`));
    }
  });
});

describe("parsePreferences", () => {
  it("sorts by weight, keeps the order of equals, and gives q=0 too", () => {
    expect(parsePreferences("de, EN;q=0.5, fr;q=0.8,*;q=0, it ; q=0.5")).toEqual([
      { value: "de", q: 1 },
      { value: "fr", q: 0.8 },
      { value: "en", q: 0.5 },
      { value: "it", q: 0.5 },
      { value: "*", q: 0 },
    ]);
  });

  it.each(["1", "1.", "1.0", "1.000", "0", "0.", "0.5", "0.123", "0.000"])("takes the weight %s", (q) => {
    expect(parsePreferences(`a;q=${q}`)).toEqual([{ value: "a", q: Number(q) }]);
    expect(parsePreferences(`a; Q=${q}`)).toEqual([{ value: "a", q: Number(q) }]);
  });

  it.each([
    "",
    "1.1",
    "1.0000",
    "0.1234",
    "2",
    "-1",
    "+1",
    ".5",
    "1e0",
    "0x1",
    "00.5",
    '"1"',
    "1 ;q=0",
    "NaN",
  ])("leaves out an element of weight %j", (q) =>
    expect(parsePreferences(`a;q=${q}, b`)).toEqual([{ value: "b", q: 1 }]),
  );

  it("leaves out what is no token or has another parameter", () => {
    expect(parsePreferences("a b, c;d=e, f;q=1;g=h, /, \xe9, i;q =1, j;q= 1,,k")).toEqual([
      { value: "k", q: 1 },
    ]);
  });

  it("looks at 100 elements", () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => `a${i}`).join();
    expect(parsePreferences(list(100))).toHaveLength(100);
    expect(parsePreferences(list(101))).toHaveLength(100);
  });

  it("takes time linear in the text", () => {
    for (const piece of [",", " ", ";", '"', "a,", "a;q=0.5,", ";q=", "\\"])
      expectLinear((size) => parsePreferences(piece.repeat(size)));
  });
});

describe("accepts", () => {
  it.each([
    [null, ["a/b", "c/d"], "a/b"],
    ["", ["a/b"], "a/b"],
    ["garbage", ["a/b"], "a/b"],
    ["*/*", ["a/b"], "a/b"],
    ["c/d", ["a/b"], undefined],
    ["c/d, A/B", ["a/b", "c/d"], "a/b"],
    ["c/d;q=0.9, a/b;q=0.8", ["a/b", "c/d"], "c/d"],
    ["a/*;q=0.5, c/d", ["a/b", "c/d"], "c/d"],
    ["a/b;q=0, */*", ["a/b", "c/d"], "c/d"],
    ["*/*, a/b;q=0", ["a/b"], undefined],
    ["a/*, a/b;q=0", ["a/b", "a/c"], "a/c"],
    ["a/b;level=1", ["a/b"], undefined],
    ["a/b;level=1", ["a/b;level=2", "a/b;level=1"], "a/b;level=1"],
    ["a/b;level=1;q=0.1, a/b", ["a/b;level=1", "a/b"], "a/b"],
    ["a/b;level=1;q=0.1, a/b", ["a/b;level=1"], "a/b;level=1"],
    ["a/b;charset=UTF-8", ["a/b;charset=utf-8"], "a/b;charset=utf-8"],
    ["a/b;p=X", ["a/b;p=x"], undefined],
    ["a/b;q=1;ext=1", ["a/b"], "a/b"],
    ["a/b;q=0.1, a/b;q=0.2, c/d;q=0.15", ["c/d", "a/b"], "a/b"],
    ["a/b;q=2, c/d;q=0.1", ["a/b", "c/d"], "c/d"],
    ['a/b;q="1", c/d;q=0.1', ["a/b", "c/d"], "c/d"],
    ['a/b;p="x,c/d;q=0", c/d', ["c/d"], "c/d"],
    ["a/*;p=x", ["a/b", "a/c;p=x"], "a/c;p=x"],
    ["a/*;p=x;q=0.9, a/b;q=0.1", ["a/b;p=x", "a/c;p=x"], "a/c;p=x"],
    ["*/d, a/b;q=0.1", ["c/d", "a/b"], "a/b"],
    ["a/b", [], undefined],
  ])("%j of %j is %j", (field, offers, expected) => expect(accepts(field, offers)).toBe(expected));

  it("follows the example of RFC 9110 §12.5.1", () => {
    const field =
      "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
    const order = [
      "text/plain;format=flowed",
      "text/plain",
      "image/jpeg",
      "text/plain;format=fixed",
      "text/html",
    ];
    for (let i = 0; i < order.length; i++) {
      const offers = order.slice(i);
      expect(accepts(field, offers.toReversed())).toBe(offers[0]);
    }
  });

  it("refuses offers that are no media types", () => {
    for (const offer of ["", "json", "*/*", "a/*", "a/b,c/d"])
      expect(() => accepts(null, [offer])).toThrow(TypeError);
  });

  it("agrees with negotiator on whether each of some types is acceptable", () => {
    const offers = ["a/b", "a/c", "d/e"];
    for (const field of garbage(["a/b", "a/*", "*/*", "d/e", ";q=0", ";q=0.5", ",", ", ", ";x=y"], 20_000)) {
      // It takes what it cannot read for something else than nothing.
      if (
        !/^(?:(?:[ad]\/[bce*]|\*\/\*)(?:;x=y)?(?:;q=0(?:\.5)?)?(?:, ?|$))+$/.test(field) ||
        field.endsWith(",")
      )
        continue;
      const theirs = new Negotiator({ headers: { accept: field } }).mediaTypes(offers) as string[];
      for (const offer of offers) {
        expect({ field, offer, taken: accepts(field, [offer]) !== undefined }).toEqual({
          field,
          offer,
          taken: theirs.includes(offer),
        });
      }
    }
  });
});

describe("acceptsEncodings", () => {
  it.each([
    [null, ["br", "gzip"], "identity"],
    ["", ["gzip"], "identity"],
    ["gzip", ["br", "gzip"], "gzip"],
    ["gzip, br", ["br", "gzip"], "br"],
    ["gzip, br;q=0.9", ["br", "gzip"], "gzip"],
    ["GZIP", ["gzip"], "gzip"],
    ["x-gzip", ["gzip"], "gzip"],
    ["gzip;q=0", ["gzip"], "identity"],
    ["gzip;q=0.001", ["gzip"], "gzip"],
    ["*", ["gzip"], "gzip"],
    ["gzip;q=0, *", ["gzip"], "identity"],
    ["identity", ["gzip"], "identity"],
    ["identity, gzip;q=0.5", ["gzip"], "identity"],
    ["identity;q=0.5, gzip", ["gzip"], "gzip"],
    ["identity;q=0", ["gzip"], undefined],
    ["*;q=0", ["gzip"], undefined],
    ["*;q=0, gzip", ["gzip"], "gzip"],
    ["br;q=0, *;q=0", ["br"], undefined],
    ["identity;q=0, *", ["gzip"], "gzip"],
    ["notgzip, gzipped", ["gzip"], "identity"],
    ["gzip;q=junk", ["gzip"], "identity"],
    ["gzip", ["identity", "gzip"], "gzip"],
    ["*", ["identity", "gzip"], "identity"],
  ])("%j of %j is %j (G7)", (field, offers, expected) => {
    expect(acceptsEncodings(field, offers)).toBe(expected);
  });
});

describe("acceptsLanguages", () => {
  it.each([
    [null, ["en", "de"], "en"],
    ["", ["en"], "en"],
    ["de", ["en", "de"], "de"],
    ["DE", ["de"], "de"],
    ["fr", ["en"], undefined],
    ["en", ["en-GB"], "en-GB"],
    ["en-GB", ["en"], "en"],
    ["en-GB", ["en-US"], undefined],
    ["e", ["en"], undefined],
    ["de-CH, fr;q=0.9", ["fr", "de"], "de"],
    ["en-US;q=0, en", ["en-US", "en-GB"], "en-GB"],
    ["en-US;q=0, en", ["en-US", "en"], "en"],
    ["en-US;q=0", ["en"], undefined],
    ["en;q=0.5, en-US;q=0.8, en-GB;q=0.9", ["en-US", "en"], "en-US"],
    ["en;q=0, *", ["en", "en-GB", "fr"], "fr"],
    ["*;q=0.5, fr", ["de", "fr"], "fr"],
    ["*", ["de"], "de"],
    ["en-GB", ["en", "en-GB"], "en-GB"],
    ["zh-Hant-TW", ["zh", "zh-Hant"], "zh-Hant"],
    ["zh-Hant-TW", ["zh", "zh-Hant", "ZH-hant-tw"], "ZH-hant-tw"],
    ["zh-Hant-TW, zh;q=0.5", ["zh", "zh-Hant"], "zh-Hant"],
    ["zh-Hant-TW;q=0.5, zh", ["zh-Hant", "fr"], "zh-Hant"],
    ["zh-Hant-TW;q=0.2, zh, fr;q=0.5", ["fr", "zh-Hant"], "zh-Hant"],
    ["zh;q=0, zh-Hant-TW", ["zh", "zh-Hant"], "zh-Hant"],
    ["de-CH, en-GB-oed", ["en", "de"], "de"],
    ["de-CH, zh-Hant-TW", ["de", "zh-Hant"], "de"],
    ["en, de-CH", ["de", "en-GB", "en"], "en"],
    ["en, de-CH", ["de", "en-GB", "en-US"], "en-GB"],
    ["*, fr", ["de", "fr"], "fr"],
    ["*, fr", ["de", "en"], "de"],
    ["pt-BR, pt;q=0.9", ["pt", "pt-BR"], "pt-BR"],
    ["zh-Hant;q=0.5, zh-Hant-TW;q=0.1", ["zh-Hant-TW-x"], "zh-Hant-TW-x"],
    ["zh;q=0.1, zh-Hant", ["zh-Hans", "zh-Hant-TW"], "zh-Hant-TW"],
  ])("%j of %j is %j", (field, offers, expected) => expect(acceptsLanguages(field, offers)).toBe(expected));
});

describe("addVary", () => {
  it.each([
    [undefined, ["Accept"], "Accept"],
    ["Origin", ["Accept-Encoding"], "Origin, Accept-Encoding"],
    ["Origin,accept-encoding", ["Accept-Encoding"], "Origin,accept-encoding"],
    ["*", ["Accept"], "*"],
    ["Origin", ["*"], "*"],
    ["Origin", [], "Origin"],
  ])("%j and %j is %j (G5)", (before, names, after) => {
    const headers = new HTTPHeaders(before === undefined ? {} : { Vary: before });
    addVary(headers, ...names);
    expect(headers.get("Vary")).toBe(after);
  });
});

it("negotiation never throws at what a client sends, and takes time linear in it", () => {
  for (const field of garbage(
    ["a/b", "*/*", "gzip", "en-GB", ";q=", "0.5", ",", '"', "\\", " ", ";", "="],
    20_000,
  )) {
    expect(["a/b", undefined]).toContain(accepts(field, ["a/b"]));
    expect(["gzip", "identity", undefined]).toContain(acceptsEncodings(field, ["gzip"]));
    expect(["en", undefined]).toContain(acceptsLanguages(field, ["en"]));
  }
  for (const piece of [",", '"', "a/b,", "a/b;", ";q=0 ", "; ", "\\"])
    expectLinear((size) => {
      const field = piece.repeat(size);
      accepts(field, ["a/b", "c/d"]);
      acceptsEncodings(field, ["gzip"]);
      acceptsLanguages(field, ["en"]);
    });
});
