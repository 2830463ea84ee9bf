import {
  fromUtf8,
  jsonDecode,
  jsonEncode,
  parseQs,
  parseQsBytes,
  urlEscape,
  urlUnescape,
  urlUnescapeBytes,
  utf8,
  xhtmlEscape,
  xhtmlUnescape,
} from "@tw/escape";
import { describe, expect, test } from "vitest";

describe("xhtmlEscape()", () => {
  test("escapes the five characters and nothing else", () => {
    expect(xhtmlEscape(`<a href="x">'&é`)).toBe("&lt;a href=&quot;x&quot;&gt;&#x27;&amp;é");
    expect(xhtmlEscape("plain text")).toBe("plain text");
  });

  test("is undone by xhtmlUnescape()", () => {
    const text = `<>&"'&amp;é€😀`;
    expect(xhtmlUnescape(xhtmlEscape(text))).toBe(text);
  });
});

describe("xhtmlUnescape()", () => {
  test.each([
    ["&lt;&gt;&amp;&quot;&apos;", `<>&"'`],
    ["&#65;&#x41;&#X1F600;", "AA😀"],
    ["&eacute;&nbsp;&yuml;&Omega;&omega;&euro;&hellip;&OElig;&there4;&sup2;&sup;", "é\u00a0ÿΩω€…Œ∴²⊃"],
    ["&unknown; & &; &lt &#;", "&unknown; & &; &lt &#;"],
    ["&#0;&#xD800;&#x110000;&#9999999999;", "\ufffd\ufffd\ufffd\ufffd"],
    ["&#99999999999999999999;&#xFFFFFFFFFF;", "\ufffd\ufffd"],
    ["&#00000000000065;&#x0000000041;", "AA"],
    ["&amp;lt;", "&lt;"],
  ])("%s", (text, expected) => {
    expect(xhtmlUnescape(text)).toBe(expected);
  });
});

describe("jsonEncode()", () => {
  test("keeps the text from ending a script element and stays the same JSON", () => {
    const value = { a: "</script>", b: [1, null] };
    expect(jsonEncode(value)).toBe('{"a":"<\\/script>","b":[1,null]}');
    expect(jsonDecode(jsonEncode(value))).toEqual(value);
  });

  test.each([[undefined], [() => 1], [Symbol("x")], [1n]])(
    "throws TypeError for %s, which has no JSON form",
    (value) => {
      expect(() => jsonEncode(value)).toThrow(TypeError);
    },
  );
});

describe("jsonDecode()", () => {
  test("takes bytes or text, and refuses bytes that are not UTF-8", () => {
    expect(jsonDecode(utf8('"é"'))).toBe("é");
    expect(() => jsonDecode(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(TypeError);
    expect(() => jsonDecode("{")).toThrow(SyntaxError);
  });
});

describe("urlEscape()", () => {
  test("form style escapes the slash and writes a blank as +", () => {
    expect(urlEscape("a b/c+é~!*'()")).toBe("a+b%2Fc%2B%C3%A9~%21%2A%27%28%29");
  });

  test("path style keeps the slash and writes a blank as %20", () => {
    expect(urlEscape("a b/c+é", { plus: false })).toBe("a%20b/c%2B%C3%A9");
  });

  test.each([true, false])("is undone by urlUnescape() with plus %s", (plus) => {
    const text = "a b/c+é%41&=;😀";
    expect(urlUnescape(urlEscape(text, { plus }), { plus })).toBe(text);
  });
});

describe("urlUnescape()", () => {
  test("keeps a percent sign that introduces nothing", () => {
    expect(urlUnescape("%zz%4%")).toBe("%zz%4%");
  });

  test("decodes an escape that ends the text", () => {
    expect(urlUnescape("%41")).toBe("A");
  });

  test("throws TypeError when the bytes are not UTF-8", () => {
    expect(() => urlUnescape("%ff")).toThrow(TypeError);
    expect(() => urlUnescape("\u00ff")).toThrow(TypeError);
  });

  test("leaves + alone in path style", () => {
    expect(urlUnescape("a+b", { plus: false })).toBe("a+b");
    expect(urlUnescape("a+b")).toBe("a b");
  });

  test("reads latin1 characters as raw bytes and wider ones as themselves", () => {
    expect(urlUnescape("\u00c3\u00a9")).toBe("é");
    expect(urlUnescape("€%C3%A9")).toBe("€é");
    expect([...urlUnescapeBytes("\u00ff%00")]).toEqual([0xff, 0]);
    expect(urlUnescape("\ud800x")).toBe("\ufffdx");
  });
});

describe("parseQs()", () => {
  test("keeps blanks and repeated names in order, and knows no semicolon", () => {
    expect([...parseQs("a=&b&c=1;d=2&a=x+y&=v&&")]).toEqual([
      ["a", ["", "x y"]],
      ["b", [""]],
      ["c", ["1;d=2"]],
    ]);
  });

  test("splits at the first equals sign only", () => {
    expect(parseQs("a=b=c").get("a")).toEqual(["b=c"]);
  });

  test("gives raw bytes through parseQsBytes() and throws TypeError itself when they are not UTF-8", () => {
    expect(parseQsBytes("a=%ff").get("a")).toEqual([Uint8Array.of(0xff)]);
    expect(() => parseQs("a=%ff")).toThrow(TypeError);
  });

  test("takes bytes as they came off the wire", () => {
    expect(parseQs(utf8("é=%C3%A9&n=é"))).toEqual(
      new Map([
        ["é", ["é"]],
        ["n", ["é"]],
      ]),
    );
  });

  test("names like __proto__ are names", () => {
    expect(parseQs("__proto__=1").get("__proto__")).toEqual(["1"]);
  });
});

describe("what is no text", () => {
  const calls = {
    xhtmlEscape,
    xhtmlUnescape,
    urlEscape,
    urlUnescape,
    urlUnescapeBytes,
    parseQs,
    parseQsBytes,
  };
  for (const [name, call] of Object.entries(calls)) {
    test.each([[5], [null], [undefined], [true], [{}], [["a=b"]]])(
      `is a TypeError of ${name}(): %j`,
      (none) => {
        expect(() => call(none as never)).toThrow(TypeError);
      },
    );
  }
});

test("the utf-8 helpers are util's own", () => {
  expect(fromUtf8(utf8("é"))).toBe("é");
});
