import { inspect } from "node:util";
import { isTwError } from "@tw/util";
import { describe, expect, expectTypeOf, it } from "vitest";
import { canonicalName, HTTPFieldError, HTTPHeaders, HTTPInputError } from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

describe("HTTPHeaders", () => {
  it("get, has and delete ignore the case of names", () => {
    const headers = new HTTPHeaders({ "Content-Type": "text/plain" });
    expect([headers.get("CONTENT-type"), headers.has("content-type"), headers.get("Content-Typ")]).toEqual([
      "text/plain",
      true,
      null,
    ]);
    headers.delete("content-TYPE");
    expect([headers.has("Content-Type"), headers.rawFields]).toEqual([false, []]);
  });

  it("ignores the case of letters only: ^ is not ~, @ is no letter", () => {
    const headers = new HTTPHeaders({ "a^": "1", "A~": "2" });
    expect([headers.get("A^"), headers.get("a~")]).toEqual(["1", "2"]);
  });

  it("spells the names that a program gives in Http-Header-Case (Q7)", () => {
    const headers = new HTTPHeaders({ "foo-BAR": "1", ETag: "2", "www-authenticate": "3" });
    headers.set("x-aBc", "4");
    headers.add("a", "5");
    expect(headers.rawFields).toEqual([
      "Foo-Bar",
      "1",
      "Etag",
      "2",
      "Www-Authenticate",
      "3",
      "X-Abc",
      "4",
      "A",
      "5",
    ]);
  });

  it("leaves received names as they came, and spells them for whoever iterates", () => {
    const received = [
      HTTPHeaders.fromValidated(["x-a", "1", "X-A", "2", "set-cookie", "a=1", "SET-COOKIE", "b=2"]),
      HTTPHeaders.fromSection("x-a: 1\r\nX-A:2\r\nset-cookie:a=1\r\nSET-COOKIE:\tb=2 \r\n\r\n", 0),
    ];
    for (const headers of received) {
      expect(headers.rawFields).toEqual(["x-a", "1", "X-A", "2", "set-cookie", "a=1", "SET-COOKIE", "b=2"]);
      expect([...headers.getAll()].map(([name]) => name)).toEqual(["X-A", "X-A", "Set-Cookie", "Set-Cookie"]);
      expect([...headers]).toEqual([
        ["X-A", "1, 2"],
        ["Set-Cookie", "a=1"],
        ["Set-Cookie", "b=2"],
      ]);
      expect([...headers.keys()]).toEqual(["X-A", "Set-Cookie", "Set-Cookie"]);
      expect(headers.toString()).toBe("X-A: 1\nX-A: 2\nSet-Cookie: a=1\nSet-Cookie: b=2\n");
    }
  });

  it("add and append keep repeated fields; get joins them, getList and getAll do not (Q7)", () => {
    const headers = new HTTPHeaders();
    headers.add("Foo-Bar", "1");
    headers.add("Other", "x");
    headers.append("foo-bar", "2");
    expect(headers.get("FOO-BAR")).toBe("1, 2");
    expect(headers.getList("foo-BAR")).toEqual(["1", "2"]);
    expect(headers.getList("none")).toEqual([]);
    expect([...headers.getAll()]).toEqual([
      ["Foo-Bar", "1"],
      ["Other", "x"],
      ["Foo-Bar", "2"],
    ]);
    expect(headers.toString()).toBe("Foo-Bar: 1\nOther: x\nFoo-Bar: 2\n");
  });

  it("set replaces all of a name in place of the first", () => {
    const headers = new HTTPHeaders([
      ["A", "1"],
      ["B", "2"],
      ["a", "3"],
      ["C", "4"],
      ["a", "5"],
    ]);
    headers.set("A", "6");
    expect(headers.rawFields).toEqual(["A", "6", "B", "2", "C", "4"]);
  });

  it("delete removes all of a name and keeps the others in order", () => {
    const headers = new HTTPHeaders({ A: ["1", "2"], B: "3", C: "4" });
    headers.add("a", "5");
    headers.delete("A");
    headers.delete("none");
    expect(headers.rawFields).toEqual(["B", "3", "C", "4"]);
  });

  it("entries, keys, values and forEach join repeated fields, Set-Cookie aside", () => {
    const headers = new HTTPHeaders({ A: ["1", "2"], "Set-Cookie": ["a=1", "b=2"], B: "3" });
    const joined = [
      ["A", "1, 2"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
      ["B", "3"],
    ];
    expect([...headers]).toEqual(joined);
    expect([...headers.entries()]).toEqual(joined);
    expect([...headers.keys()]).toEqual(["A", "Set-Cookie", "Set-Cookie", "B"]);
    expect([...headers.values()]).toEqual(["1, 2", "a=1", "b=2", "3"]);
    const seen: unknown[] = [];
    const self = {};
    headers.forEach(function (this: unknown, value, name, all) {
      seen.push([this, value, name, all]);
    }, self);
    expect(seen).toEqual(joined.map(([name, value]) => [self, value, name, headers]));
    expect(headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  });

  it("is built from records, pairs, a Web Headers and itself, and a copy is independent", () => {
    const headers = new HTTPHeaders(new Headers({ A: "1" }));
    const copies = [new HTTPHeaders(headers), headers.copy(), new HTTPHeaders([...headers.getAll()])];
    headers.set("A", "2");
    for (const copy of copies) expect(copy.get("a")).toBe("1");
  });

  it("update() sets what it is given, repeated values included, and leaves the rest", () => {
    const headers = new HTTPHeaders({ A: ["1", "2"], B: "3" });
    headers.update({ a: "4", C: ["5", "6"] });
    headers.update(new HTTPHeaders({ C: ["7", "8"] }));
    expect(headers.toString()).toBe("B: 3\nA: 4\nC: 7\nC: 8\n");
    expect(() => headers.update({ B: "9", "X Y": "1" })).toThrow(TypeError);
    expect(headers.get("B")).toBe("3");
    headers.update(headers);
    expect(headers.toString()).toBe("B: 3\nA: 4\nC: 7\nC: 8\n");
  });

  it("takes time linear in repeated fields, however they came and whatever is asked (S-06)", () => {
    expectLinear((size) => {
      const text = "a: b\r\n".repeat(size);
      for (const headers of [HTTPHeaders.parse(text), HTTPHeaders.fromSection(`${text}\r\n`, 0)]) {
        headers.get("a");
        for (const [, value] of headers) value.charCodeAt(0);
        new HTTPHeaders(headers.getAll()).delete("A");
      }
    }, 1024);
  });

  it("is usable as a Headers: by type, and as the init of a Response", () => {
    const headers: Headers = new HTTPHeaders({ A: ["1", "2"], "Set-Cookie": ["a=1", "b=2"] });
    const response = new Response(null, { headers });
    expect(response.headers.get("a")).toBe("1, 2");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect([...new Headers(headers)]).toEqual([
      ["a", "1, 2"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ]);
    expect(new Request("http://x/", { headers }).headers.get("A")).toBe("1, 2");
    expectTypeOf<HTTPHeaders>().toExtend<NonNullable<ConstructorParameters<typeof Headers>[0]>>();
  });

  it("fromValidated wraps the parser's array without copying", () => {
    const fields = ["Host", "a", "Host", "b"];
    const headers = HTTPHeaders.fromValidated(fields);
    expect(headers.rawFields).toBe(fields);
    expect(headers.get("host")).toBe("a, b");
    expect(headers.constructor.name).toBe("HTTPHeaders");
  });

  it("blanks around a value are dropped, and only SP and HTAB are blanks (S-03)", () => {
    const headers = new HTTPHeaders({ A: " \t a \tb\t ", B: "\xa0b\x85", C: " " });
    expect(headers.rawFields).toEqual(["A", "a \tb", "B", "\xa0b\x85", "C", ""]);
  });
});

describe("parse and parseLine", () => {
  it("shows its fields to console.log", () => {
    const headers = new HTTPHeaders([
      ["a", "1"],
      ["__proto__", "2"],
      ["a", "3"],
    ]);
    expect(inspect(headers)).toBe("HTTPHeaders [ [ 'A', '1' ], [ '__proto__', '2' ], [ 'A', '3' ] ]");
  });

  it("reads what toString writes, lines in CRLF, and one empty line at the end (Q7)", () => {
    for (const text of [
      "foo-bar: 1\nFoo-Bar: 2\n",
      "foo-bar:1\r\nFoo-Bar:\t2\r\n\r\n",
      "foo-bar: 1\nFoo-Bar: 2",
    ]) {
      const headers = HTTPHeaders.parse(text);
      expect(headers.getList("Foo-Bar")).toEqual(["1", "2"]);
      expect(HTTPHeaders.parse(headers.toString()).toString()).toBe(headers.toString());
    }
    expect(HTTPHeaders.parse("").rawFields).toEqual([]);
    expect(HTTPHeaders.parse("\r\n").rawFields).toEqual([]);
  });

  it("trims SP and HTAB, keeps NBSP and 0x85, takes an empty value (Q8)", () => {
    expect(HTTPHeaders.parse("A: \t\xa0b\x85 \nB:\nC:\xe9:\n").rawFields).toEqual([
      "A",
      "\xa0b\x85",
      "B",
      "",
      "C",
      "\xe9:",
    ]);
  });

  it.each([
    "c : d",
    " a: b",
    "\ta: b",
    "a: b\r\n c",
    "foo",
    ": b",
    "a: \v",
    "a: b\rc",
    "a: b\r",
    "a: b\r\r\n",
    "a\r\n: b",
    "a: \0",
    "a: \u20ac",
    "\u20ac: a",
    "a: b\n\nc: d",
    "\n\n",
    "\r",
  ])("refuses %j with an HTTPInputError of 400 (Q8)", (text) => {
    expect(() => HTTPHeaders.parse(text)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HTTP_INPUT", status: 400 }),
    );
  });

  it("parseLine adds one field, with or without its line end", () => {
    const headers = new HTTPHeaders({ A: "1" });
    for (const line of ["a: 2", "a: 3\n", "a: 4\r\n", "", "\n", "\r\n"]) headers.parseLine(line);
    expect(headers.get("A")).toBe("1, 2, 3, 4");
    for (const line of ["a", " a: 1", "a: 1\n\n", "a: 1\nb: 2", "a: 1\r"]) {
      expect(() => headers.parseLine(line), line).toThrow(HTTPInputError);
    }
    expect(headers.get("A")).toBe("1, 2, 3, 4");
  });

  it("never throws anything else, and what it takes it writes and reads again", () => {
    for (const text of garbage(["a", "B-c", ":", ": ", "\r\n", "\n", "\r", " ", "\t", "x", "\xff"], 20_000)) {
      let headers: HTTPHeaders;
      try {
        headers = HTTPHeaders.parse(text);
      } catch (error) {
        expect(isTwError(error, "ERR_TW_HTTP_INPUT")).toBe(true);
        continue;
      }
      expect([...HTTPHeaders.parse(headers.toString())]).toEqual([...headers]);
    }
  });

  it("takes time linear in the text", () => {
    for (const piece of ["a", ":", "a:b\n", "\r"])
      expectLinear((size) => {
        try {
          HTTPHeaders.parse(piece.repeat(size));
        } catch {}
      });
  });
});

describe("canonicalName", () => {
  it.each([
    ["foo-BAR", "Foo-Bar"],
    ["ETag", "Etag"],
    ["WWW-Authenticate", "Www-Authenticate"],
    ["x--y-", "X--Y-"],
    ["-a", "-A"],
    ["1st-2ND", "1st-2nd"],
    ["a_b.c", "A_b.c"],
    ["\x7e", "~"],
    ["a".repeat(1000), `A${"a".repeat(999)}`],
  ])("spells %j as %j, each time", (name, canonical) => {
    expect([canonicalName(name), canonicalName("host"), canonicalName(name)]).toEqual([
      canonical,
      "Host",
      canonical,
    ]);
  });

  it("refuses what is no token", () => {
    for (const name of ["", "a b", "a:", "\u212a", 1]) {
      expect(() => canonicalName(name as string)).toThrow(
        expect.objectContaining({ code: "ERR_TW_FIELD_NAME" }),
      );
    }
  });

  it("is right about more names than it remembers", () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 2500; i++) expect(canonicalName(`x-NAME-${i}`)).toBe(`X-Name-${i}`);
    }
  });
});

describe("S-22 values that must not go out", () => {
  // RFC 9112 §2.2 (2), RFC 9112 §5.2 (1)
  it("every control but HTAB and everything above U+00FF throws ERR_TW_FIELD_VALUE, and nothing is stored", () => {
    const headers = new HTTPHeaders({ X: "before" });
    for (let c = 0; c < 0x180; c++) {
      const value = `a${String.fromCharCode(c)}b`;
      const fine = c === 9 || (c >= 0x20 && c !== 0x7f && c <= 0xff);
      if (fine) headers.set("Fine", value);
      else {
        for (const put of ["set", "add", "append"] as const) {
          expect(() => headers[put]("X", value), JSON.stringify(value)).toThrow(
            expect.objectContaining({ code: "ERR_TW_FIELD_VALUE" }),
          );
        }
      }
    }
    expect(headers.getList("X")).toEqual(["before"]);
  });

  it("also at an end of the value, where blanks are dropped", () => {
    for (const value of ["\r\n", "a\r\n", "\na", "\0"])
      expect(() => new HTTPHeaders({ X: value })).toThrow(TypeError);
  });

  it("a value that is no string throws", () => {
    for (const value of [1, null, undefined, {}]) {
      expect(() => new HTTPHeaders().set("X", value as never)).toThrow(
        expect.objectContaining({ code: "ERR_TW_FIELD_VALUE" }),
      );
    }
  });
});

describe("S-24 names that must not go out", () => {
  it("looks at each name although another of the same length was good a moment ago", () => {
    const headers = new HTTPHeaders();
    for (const length of [1, 4, 63, 64, 65, 1000]) {
      const good = "a".repeat(length);
      const bad = `${"a".repeat(length - 1)}:`;
      headers.set(good, "1");
      headers.set(good, "2");
      expect(() => headers.set(bad, "1")).toThrow("is not a token");
      expect(headers.get(good)).toBe("2");
    }
  });

  it("takes a record's own fields only", () => {
    const inherited = Object.create({ "X-Inherited": "1" }, { "X-Own": { value: "2", enumerable: true } });
    expect([...new HTTPHeaders(inherited).getAll()]).toEqual([["X-Own", "2"]]);
  });

  it("every character that is not of a token throws ERR_TW_FIELD_NAME, the empty name too (C21)", () => {
    const headers = new HTTPHeaders();
    for (let c = 0; c < 0x180; c++) {
      const name = `X${String.fromCharCode(c)}Y`;
      if (/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) headers.set(name, "1");
      else
        expect(() => headers.set(name, "1"), JSON.stringify(name)).toThrow(
          expect.objectContaining({ code: "ERR_TW_FIELD_NAME" }),
        );
    }
    expect(() => headers.add("", "1")).toThrow(HTTPFieldError);
    expect(() => headers.add("", "1")).toThrow(
      expect.toSatisfy((error) => isTwError(error, "ERR_TW_FIELD_NAME")),
    );
    expect(() => headers.add(1 as never, "1")).toThrow(TypeError);
  });

  it("refuses a bad name again after many good ones", () => {
    const headers = new HTTPHeaders();
    for (let i = 0; i < 500; i++) headers.add(`X-${i}`, "1");
    expect(() => headers.add("X 1", "1")).toThrow(TypeError);
    expect(headers.get("x-499")).toBe("1");
  });
});
