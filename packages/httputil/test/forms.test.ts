import { describe, expect, it } from "vitest";
import {
  argumentTexts,
  type HTTPConnection,
  HTTPHeaders,
  HTTPServerRequest,
  type ParseBodyConfig,
  parseBodyArguments,
  parseMultipartFormData,
  parseQueryArguments,
  RequestBody,
} from "../src/index.js";
import { all, body, fromUtf8, latin1, raw, refusal, utf8 } from "./multipart-support.js";
import { expectLinear, garbage } from "./support.js";

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data; boundary=B";

/** Names and values as text. */
function texts(all: ReadonlyMap<string, readonly Uint8Array[]>): Record<string, string[]> {
  return Object.fromEntries([...all].map(([name, values]) => [name, values.map((value) => fromUtf8(value))]));
}

describe("parseQueryArguments", () => {
  it("D1, D4: keeps repeated names and empty values, and `;` separates nothing", () => {
    expect(texts(parseQueryArguments("a=1&a=+x+"))).toEqual({ a: ["1", " x "] });
    expect(texts(parseQueryArguments("a=&b&c=1;d=2"))).toEqual({ a: [""], b: [""], c: ["1;d=2"] });
    expect(texts(parseQueryArguments("=1&&a=b=c&"))).toEqual({ a: ["b=c"] });
    expect(parseQueryArguments("").size).toBe(0);
  });

  it("D5: keeps `%zz` as it is", () => {
    expect(texts(parseQueryArguments("a=%zz%4&%=1"))).toEqual({ a: ["%zz%4"], "%": ["1"] });
  });

  it("reads raw bytes and escaped ones alike, from text and from bytes", () => {
    for (const query of ["a=%e2%82%ac", raw("a=€"), utf8("a=€")]) {
      expect(argumentTexts(parseQueryArguments(query), "a")).toEqual(["€"]);
    }
  });

  it("D2: a value that is not UTF-8 is bytes until it is wanted as text, and then 400", () => {
    const values = parseQueryArguments("a=%ff&b=1");
    expect(values.get("a")?.[0]).toEqual(latin1("\xff"));
    expect(argumentTexts(values, "b")).toEqual(["1"]);
    expect(argumentTexts(values, "c")).toEqual([]);
    expect(refusal(() => argumentTexts(values, "a"))).toBe("ERR_TW_FORM_NOT_UTF8");
  });

  it("takes maxFields and refuses one more: 1 000 unless told otherwise; empty ones count", () => {
    for (const make of [(query: string) => query, (query: string) => latin1(query)]) {
      const fields = (count: number) => make(Array(count).fill("a=1").join("&"));
      expect(parseQueryArguments(fields(1000)).get("a")).toHaveLength(1000);
      expect(refusal(() => parseQueryArguments(fields(1001)))).toBe("ERR_TW_FORM_TOO_MANY_FIELDS");
      expect(parseQueryArguments(fields(2), { maxFields: 2 }).get("a")).toHaveLength(2);
      expect(refusal(() => parseQueryArguments(fields(3), { maxFields: 2 }))).toBe(
        "ERR_TW_FORM_TOO_MANY_FIELDS",
      );
      expect(refusal(() => parseQueryArguments(make("&".repeat(1000))))).toBe("ERR_TW_FORM_TOO_MANY_FIELDS");
    }
  });

  it("throws at wrong limits", () => {
    for (const config of [{ maxFields: -1 }, { maxFieldsSize: 0.5 }, { maxParts: Number.NaN }]) {
      expect(() => parseQueryArguments("a", config)).toThrow(RangeError);
    }
    expect(() => parseQueryArguments("a", { multipart: 1 as never })).toThrow(TypeError);
  });

  it("never throws but its refusal, and takes linear time", () => {
    for (const text of garbage(["a", "=", "&", "%", "+", "%41", "%e2%82", ";"], 3000))
      parseQueryArguments(text);
    for (const piece of ["%", "a", "+", "=", "%41", ";", "&"]) {
      expectLinear((size) => {
        try {
          parseQueryArguments(piece.repeat(size));
        } catch {}
      });
    }
  });
});

describe("parseBodyArguments", () => {
  const parse = (type: string, text: string, fields = {}, config?: ParseBodyConfig) =>
    parseBodyArguments(type, latin1(text), new HTTPHeaders(fields), config);

  it("reads urlencoded and multipart forms, whatever the case of the type and its parameters", () => {
    expect(texts(parse(`${URLENCODED}; charset=UTF-8`, "a=1&b=2").arguments)).toEqual({ a: ["1"], b: ["2"] });
    expect(texts(parse("Application/X-WWW-Form-Urlencoded", "a=1").arguments)).toEqual({ a: ["1"] });
    const form = parse(
      MULTIPART.replace("multipart", "MULTIPART"),
      body(
        ['name="a"', "1"],
        ['name="f"; filename="x"', "2"],
        ['name="f"; filename="y"', "3"],
        ['name="a"', "4"],
      ),
    );
    expect(texts(form.arguments)).toEqual({ a: ["1", "4"] });
    expect([...form.files.keys()]).toEqual(["f"]);
    expect(
      form.files.get("f")?.map(({ filename, contentType, body }) => [filename, contentType, fromUtf8(body)]),
    ).toEqual([
      ["x", "application/unknown", "2"],
      ["y", "application/unknown", "3"],
    ]);
  });

  it("reads nothing of any other type, nor of multipart where that is off", () => {
    for (const type of [
      "",
      "text/plain",
      "multipart/mixed; boundary=B",
      `${URLENCODED}x`,
      "application/json",
      // S-03: blanks are SP and HTAB.
      `\u00a0${URLENCODED}`,
      `${URLENCODED}\u00a0;a=b`,
    ]) {
      expect(parse(type, "a=1").arguments.size).toBe(0);
    }
    expect(parse(MULTIPART, "garbage", {}, { multipart: false }).arguments.size).toBe(0);
  });

  it("S-13: refuses a form with a Content-Encoding, and nothing else with one", () => {
    for (const type of [URLENCODED, MULTIPART]) {
      expect(refusal(() => parse(type, "", { "Content-Encoding": "gzip" }))).toBe("ERR_TW_FORM_ENCODING");
    }
    expect(parse("text/plain", "", { "Content-Encoding": "gzip" }).arguments.size).toBe(0);
    expect(parse(URLENCODED, "a=1", { "Content-Encoding": "identity" }).arguments.size).toBe(1);
  });

  it("S-10: refuses a whole form for one bad part", () => {
    const text = body(['name="a"', "1"], ["x", "2"], ['name="c"', "3"]);
    expect(refusal(() => parse(MULTIPART, text))).toBe("ERR_TW_MULTIPART_HEAD");
    expect(refusal(() => parse("multipart/form-data", text))).toBe("ERR_TW_MULTIPART_BOUNDARY");
    expect(refusal(() => parse(MULTIPART, ""))).toBe("ERR_TW_MULTIPART_TRUNCATED");
  });

  it("hands its limits on", () => {
    const text = body(['name="a"', "1"], ['name="b"', "2"]);
    expect(refusal(() => parse(MULTIPART, text, {}, { maxParts: 1 }))).toBe(
      "ERR_TW_MULTIPART_TOO_MANY_PARTS",
    );
    expect(refusal(() => parse(MULTIPART, text, {}, { maxPartHeaderSize: 10 }))).toBe(
      "ERR_TW_MULTIPART_HEAD_TOO_LARGE",
    );
    expect(refusal(() => parse(URLENCODED, "a&b", {}, { maxFields: 1 }))).toBe("ERR_TW_FORM_TOO_MANY_FIELDS");
  });
});

describe("parseMultipartFormData", () => {
  it("takes maxFieldsSize bytes of fields and refuses one more; files do not count", () => {
    const text = (size: number) =>
      latin1(
        body(
          ['name="a"', "x".repeat(size - 1)],
          ['name="f"; filename="f"', "x".repeat(100)],
          ['name="b"', "x"],
        ),
      );
    expect(parseMultipartFormData("B", text(10), { maxFieldsSize: 10 }).arguments.size).toBe(2);
    const refused = () => parseMultipartFormData("B", text(11), { maxFieldsSize: 10 });
    expect(refusal(refused)).toBe("ERR_TW_MULTIPART_FIELDS_TOO_LARGE");
  });

  it("gives views of the body, also where a value begins as a boundary does", () => {
    const input = latin1(body(['name="f"; filename="key.pem"', "-----BEGIN KEY-----\r\n--Ba"]));
    const input2 = latin1(body(['name="f"; filename="key.pem"', "-----BEGIN KEY-----\r\n--A"]));
    expect(refusal(() => parseMultipartFormData("B", input))).toBe("ERR_TW_MULTIPART_SYNTAX");
    const file = parseMultipartFormData("B", input2).files.get("f")?.[0];
    expect(fromUtf8(file?.body ?? latin1(""))).toBe("-----BEGIN KEY-----\r\n--A");
    expect(file?.body.buffer).toBe(input2.buffer);
  });
});

describe("HTTPServerRequest: arguments", () => {
  const connection: HTTPConnection = {
    context: { remoteIp: "", remotePort: 0, protocol: "http" },
    writeHeaders() {},
    write() {},
    finish() {},
    abort() {},
  };
  const make = (path: string, type: string, text: string, reading?: RequestBody) =>
    new HTTPServerRequest(
      { method: "POST", path, version: "HTTP/1.1" },
      new HTTPHeaders({ "Content-Type": type }),
      connection,
      latin1(text),
      reading,
    );

  it("has those of the query, of the body, and both, the query's first; each read once", () => {
    const request = make("/?a=1&b=2", URLENCODED, "a=3&c=4");
    expect(texts(request.queryArguments)).toEqual({ a: ["1"], b: ["2"] });
    expect(texts(request.bodyArguments)).toEqual({ a: ["3"], c: ["4"] });
    expect(texts(request.arguments)).toEqual({ a: ["1", "3"], b: ["2"], c: ["4"] });
    expect(request.arguments).toBe(request.arguments);
    expect(texts(request.queryArguments)).toEqual({ a: ["1"], b: ["2"] });
    expect(request.files.size).toBe(0);
  });

  it("has the files of a multipart body", () => {
    const request = make("/?a=1", MULTIPART, body(['name="f"; filename="x"', "1"], ['name="a"', "2"]));
    expect(request.files.get("f")?.[0]?.filename).toBe("x");
    expect(texts(request.arguments)).toEqual({ a: ["1", "2"] });
  });

  it("refuses when it is asked, again and again, and not before", () => {
    const request = make("/?a=1", MULTIPART, "garbage");
    expect(texts(request.queryArguments)).toEqual({ a: ["1"] });
    for (const ask of [
      () => request.bodyArguments,
      () => request.files,
      () => request.arguments,
      () => request.files,
    ]) {
      expect(refusal(ask)).toBe("ERR_TW_MULTIPART_SYNTAX");
    }
  });

  it("keeps to the limits it was made with", () => {
    const request = make("/?a&b", URLENCODED, "a&b", new RequestBody(undefined, { maxFields: 1 }));
    expect(refusal(() => request.queryArguments)).toBe("ERR_TW_FORM_TOO_MANY_FIELDS");
    expect(refusal(() => request.bodyArguments)).toBe("ERR_TW_FORM_TOO_MANY_FIELDS");
    expect(() => new RequestBody(undefined, { maxFields: -1 })).toThrow(RangeError);
  });

  it("gives a collected body as chunks and as parts, as often as it is asked", async () => {
    const request = make("/", MULTIPART, body(['name="a"', "1"]));
    for (let i = 0; i < 2; i++) {
      const chunks = await all(request.chunks());
      expect(chunks).toEqual([request.body]);
      const read: string[] = [];
      for await (const part of request.multipart()) read.push(part.name, await part.text());
      expect(read).toEqual(["a", "1"]);
    }
    expect(await all(make("/", "", "").chunks())).toEqual([]);
    expect(request.bodyUsed).toBe(false);
  });

  it("multipart(): 415 for another type, 400 without a boundary and for what is encoded, at once", () => {
    expect(refusal(() => make("/", URLENCODED, "a=1").multipart())).toBe("ERR_TW_MULTIPART_TYPE");
    expect(refusal(() => make("/", "", "").multipart())).toBe("ERR_TW_MULTIPART_TYPE");
    expect(refusal(() => make("/", "multipart/form-data", "").multipart())).toBe("ERR_TW_MULTIPART_BOUNDARY");
    const encoded = make("/", MULTIPART, "");
    encoded.headers.set("Content-Encoding", "br");
    expect(refusal(() => encoded.multipart())).toBe("ERR_TW_FORM_ENCODING");
    expect(() => make("/", MULTIPART, "").multipart({ maxParts: -1 })).toThrow(RangeError);
  });
});
