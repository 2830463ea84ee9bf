import { describe, expect, it } from "vitest";
import { HTTPFieldError, HTTPHeaders } from "../src/index.js";

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

  it("names keep the spelling they were given, and set() takes the new one", () => {
    const headers = new HTTPHeaders([["x-aBc", "1"]]);
    expect([...headers.keys()]).toEqual(["x-aBc"]);
    headers.set("X-ABC", "2");
    expect(headers.rawFields).toEqual(["X-ABC", "2"]);
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
      ["foo-bar", "2"],
    ]);
    expect(headers.toString()).toBe("Foo-Bar: 1\nOther: x\nfoo-bar: 2\n");
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

  it("is usable as a Headers: by type, and as the init of a Response", () => {
    const headers: Headers = new HTTPHeaders({ A: ["1", "2"], "Set-Cookie": ["a=1", "b=2"] });
    const response = new Response(null, { headers });
    expect(response.headers.get("a")).toBe("1, 2");
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
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

describe("S-22 values that must not go out", () => {
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
    expect(() => headers.add(1 as never, "1")).toThrow(TypeError);
  });

  it("refuses a bad name again after many good ones", () => {
    const headers = new HTTPHeaders();
    for (let i = 0; i < 500; i++) headers.add(`X-${i}`, "1");
    expect(() => headers.add("X 1", "1")).toThrow(TypeError);
    expect(headers.get("x-499")).toBe("1");
  });
});
