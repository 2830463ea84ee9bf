import { describe, expect, it } from "vitest";
import { boundaryOf, MultipartParser } from "../src/index.js";
import { body, latin1, outcome, parse, raw, refusal } from "./multipart-support.js";
import { expectLinear } from "./support.js";

describe("MultipartParser: what it reads", () => {
  it("reads fields and files, with data of any bytes", () => {
    const every = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    expect(
      parse([
        body(
          ['name="a"', "1"],
          ['name="f"; filename="x.bin"', every, "Content-Type: image/png\r\nX-More: y\r\n"],
          ['name="a"', ""],
        ),
      ]),
    ).toEqual([
      { name: "a", filename: undefined, contentType: "text/plain", data: "1" },
      { name: "f", filename: "x.bin", contentType: "image/png", data: every },
      { name: "a", filename: undefined, contentType: "text/plain", data: "" },
    ]);
  });

  it("Q15: a file without a type is application/unknown, and an empty file's name makes a field", () => {
    const [file, field] = parse([body(['name="a"; filename="x"', "1"], ['name="b"; filename=""', "2"])]);
    expect(file?.contentType).toBe("application/unknown");
    expect(field).toMatchObject({ name: "b", filename: undefined, data: "2" });
  });

  it("Q15: filename* wins, and is UTF-8 or ISO-8859-1", () => {
    const [wins, first, latin, breaks] = parse([
      body(
        [`name="a"; filename="e.txt"; filename*=UTF-8''%E2%82%ac.txt`, ""],
        [`name="a"; filename*=utf-8'en'%E2%82%ac.txt; filename="e.txt"`, ""],
        ["name=\"a\"; filename*=iso-8859-1''%e9.txt", ""],
        [`name="a"; filename*=utf-8''a%09%0d%0Ab%20`, ""],
      ),
    ]);
    expect([wins?.filename, first?.filename, latin?.filename]).toEqual(["€.txt", "€.txt", "é.txt"]);
    expect(breaks?.filename).toBe("a\t\r\nb ");
  });

  it("Q15: `--B--` alone is a form without parts", () => {
    for (const text of ["--B--", "--B--\r\n", "\r\n--B--\r\n", "--B-- \t\r\nepilogue"])
      expect(parse([text])).toEqual([]);
  });

  it("reads names in UTF-8, and the escapes of browsers", () => {
    const [euro, marks, percent] = parse([
      body([raw('name="€"; filename="ü.txt"'), ""], ['name="a%22b%0D%0ac"', ""], ['name="100%20%zz%"', ""]),
    ]);
    expect([euro?.name, euro?.filename]).toEqual(["€", "ü.txt"]);
    expect(marks?.name).toBe('a"b\r\nc');
    expect(percent?.name).toBe("100%20%zz%");
  });

  it("keeps the backslashes of a file's name, but for those before a quote or a backslash", () => {
    const [path, quoted] = parse([
      body(['name="a"; filename="C:\\dir\\x.txt"', ""], ['name="a"; filename="a\\"b\\\\c"', ""]),
    ]);
    expect(path?.filename).toBe("C:\\dir\\x.txt");
    expect(quoted?.filename).toBe('a"b\\c');
  });

  it("gives the fields of a head as bytes: nothing that goes into another head can end its line", () => {
    const parser = new MultipartParser("B");
    parser.receive(latin1(body([raw('name="č"'), ""]))); // U+010D is CR in latin1 cut off to eight bits
    const event = parser.next();
    expect(event).toMatchObject({ type: "part", head: { name: "č" } });
    if (event?.type !== "part") return;
    expect(event.head.headers.get("content-disposition")).toBe('form-data; name="\xc4\x8d"');
  });

  it("RFC 2046 §5.1.1: skips blanks behind a boundary", () => {
    const text = body(['name="a"', "1"]).replaceAll("--B\r\n", "--B \t \r\n").replace("--B--", "--B--  ");
    expect(parse([text])).toMatchObject([{ name: "a", data: "1" }]);
  });

  it("RFC 2046 §5.1.2: ignores an epilogue, also one with line ends and beginnings of boundaries", () => {
    const text = `${body(['name="a"', "1"])}epilogue\r\n--\r\n--A\r\n\r`;
    expect(parse([text])).toMatchObject([{ name: "a", data: "1" }]);
  });

  it("takes an empty part whose empty line is the boundary's line end", () => {
    const text = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n--B--';
    expect(parse([text])).toMatchObject([{ name: "a", data: "" }]);
  });

  it("keeps data that almost is a boundary", () => {
    for (const data of [
      "\r",
      "\r\n",
      "\r\n-",
      "\r\n--",
      "\r\r\n--",
      "\r\n\r\n--A",
      "--B",
      "--Bx",
      "-",
      "\n--B\n",
      "\r\n--b",
    ]) {
      if (data.startsWith("--B")) continue;
      expect(parse([body(['name="a"', data])])[0]?.data).toBe(data);
      expect(parse([body(['name="a"', `x${data}`])])[0]?.data).toBe(`x${data}`);
    }
    expect(parse([body(['name="a"', "x--B\r\n"])])[0]?.data).toBe("x--B\r\n");
  });

  it("finds a boundary that repeats itself", () => {
    const text = body(['name="a"', "\r\n--aaaaa\r\n--aaaaab\r\n--aaaa"]).replace(/--B/g, "--aaaaaa");
    expect(parse([text], {}, "aaaaaa")[0]?.data).toBe("\r\n--aaaaa\r\n--aaaaab\r\n--aaaa");
  });

  it("gives data as views of the input: nothing is copied", () => {
    const input = latin1(body(['name="a"', "data"]));
    const parser = new MultipartParser("B");
    parser.receive(input);
    parser.next();
    const event = parser.next();
    expect(event?.type === "data" && event.bytes.buffer).toBe(input.buffer);
  });
});

describe("MultipartParser: however the input is cut", () => {
  const text = [
    "\r\n",
    body(
      [raw('name="€"; filename="a\\"b"'), "\r\n--\r\n-\r\n--A\r\r\n--\r", "Content-Type: x/y\r\n"],
      ['name="b"', ""],
      ['name="c"', "--"],
    ),
    "epilogue\r\n--\r\n",
  ].join("");
  const whole = outcome(() => parse([text]));

  it("says the same at every split point, byte by byte, and in empty pieces", () => {
    expect(whole.startsWith("[")).toBe(true);
    for (let at = 0; at <= text.length; at++)
      expect(outcome(() => parse([text.slice(0, at), text.slice(at)]))).toBe(whole);
    expect(outcome(() => parse([...text]))).toBe(whole);
    expect(outcome(() => parse([...text].flatMap((byte) => [byte, ""])))).toBe(whole);
  });

  it("says the same at any two split points", () => {
    const short = body(['name="a"', "\r\n--\r\n--B".slice(0, 8)]);
    const expected = outcome(() => parse([short]));
    for (let i = 0; i <= short.length; i++) {
      for (let j = i; j <= short.length; j++) {
        expect(outcome(() => parse([short.slice(0, i), short.slice(i, j), short.slice(j)]))).toBe(expected);
      }
    }
  });
});

describe("MultipartParser: what it refuses", () => {
  const SYNTAX = "ERR_TW_MULTIPART_SYNTAX";
  const HEAD = "ERR_TW_MULTIPART_HEAD";
  const TRUNCATED = "ERR_TW_MULTIPART_TRUNCATED";
  const head = (text: string) => `--B\r\n${text}\r\n\r\ndata\r\n--B--\r\n`;
  const cases: [name: string, code: string, text: string][] = [
    ["nothing", TRUNCATED, ""],
    ["no final boundary", TRUNCATED, body(['name="a"', "1"]).slice(0, -6)],
    ["half a final boundary", TRUNCATED, body(['name="a"', "1"]).slice(0, -3)],
    ["text before the first boundary", SYNTAX, `preamble\r\n${body(['name="a"', "1"])}`],
    ["two line ends before the first boundary", SYNTAX, `\r\n\r\n${body(['name="a"', "1"])}`],
    ["a blank before the first boundary", SYNTAX, ` ${body(['name="a"', "1"])}`],
    ["another boundary", SYNTAX, body(['name="a"', "1"]).replaceAll("--B", "--C")],
    ["a boundary that goes on", SYNTAX, body(['name="a"', "1\r\n--Bx\r\n"])],
    ["a final boundary that goes on", SYNTAX, `${body(['name="a"', "1"]).trimEnd()}x`],
    ["one dash behind a boundary", SYNTAX, "--B-\r\n"],
    ["a blank before the final dashes", SYNTAX, "--B --"],
    [
      "a boundary that ends in LF",
      SYNTAX,
      head('Content-Disposition: form-data; name="a"').replace("\r\n", "\n"),
    ],
    ["a final boundary that ends in LF", SYNTAX, "--B--\n"],
    ["a bare CR behind a boundary", SYNTAX, "--B\rx"],
    ["a boundary behind the final one", SYNTAX, `${body(['name="a"', "1"])}${body(['name="b"', "2"])}`],
    ["a boundary in the epilogue", SYNTAX, `${body(['name="a"', "1"])}x\r\n--B--`],
    ["no head", HEAD, "--B\r\n\r\ndata\r\n--B--"],
    ["no empty line", HEAD, '--B\r\nContent-Disposition: form-data; name="a"\r\n--B--\r\n\r\n'],
    ["no Content-Disposition", HEAD, head("Content-Type: text/plain")],
    [
      "two Content-Dispositions",
      HEAD,
      head('Content-Disposition: form-data; name="a"\r\ncontent-disposition: form-data; name="b"'),
    ],
    [
      "two Content-Types",
      HEAD,
      head('Content-Disposition: form-data; name="a"\r\nContent-Type: a/b\r\nContent-Type: a/b'),
    ],
    ["another disposition", HEAD, head('Content-Disposition: attachment; name="a"')],
    ["no name", HEAD, head("Content-Disposition: form-data")],
    ["an empty name", HEAD, head('Content-Disposition: form-data; name=""')],
    ["a name and another", HEAD, head('Content-Disposition: form-data; name="a"; name="b"')],
    [
      "a file's name and another",
      HEAD,
      head('Content-Disposition: form-data; name="a"; filename="b"; FileName="c"'),
    ],
    ["a name whose quote does not end", HEAD, head('Content-Disposition: form-data; name="a')],
    ["text behind a name", HEAD, head('Content-Disposition: form-data; name="a"b')],
    [
      "a broken escape in filename*",
      HEAD,
      head(`Content-Disposition: form-data; name="a"; filename*=UTF-8''%zz`),
    ],
    [
      "half an escape in filename*",
      HEAD,
      head(`Content-Disposition: form-data; name="a"; filename*=UTF-8''a%4`),
    ],
    [
      "what is not UTF-8 in filename*",
      HEAD,
      head(`Content-Disposition: form-data; name="a"; filename*=UTF-8''%ff`),
    ],
    ...["%00", "%08", "%0b", "%0c", "%0E", "%1b", "%1F", "%7f"].map((control): [string, string, string] => [
      `the control ${control} in filename*`,
      HEAD,
      head(`Content-Disposition: form-data; name="a"; filename*=UTF-8''a${control}b`),
    ]),
    [
      "an unknown charset in filename*",
      HEAD,
      head(`Content-Disposition: form-data; name="a"; filename*=x''a`),
    ],
    ["no charset in filename*", HEAD, head('Content-Disposition: form-data; name="a"; filename*="a"')],
    ["a head that is not UTF-8", HEAD, head('Content-Disposition: form-data; name="\xff"')],
    ["another field that is not UTF-8", HEAD, head('Content-Disposition: form-data; name="a"\r\nX: \xc3')],
    ["S-12 a bare CR in a head", HEAD, head('Content-Disposition: form-data; name="a"\r\nX: a\rb')],
    ["S-12 a bare CR at the end of a head", HEAD, head('Content-Disposition: form-data; name="a"\r')],
    ["S-12 a bare LF in a head", HEAD, head('Content-Disposition: form-data; name="a"\r\nX: a\nY: b')],
    ["S-12 a bare CR in a name", HEAD, head('Content-Disposition: form-data; name="a\r"')],
    ["a NUL in a head", HEAD, head('Content-Disposition: form-data; name="a\0"')],
    ["a folded line", HEAD, head('Content-Disposition: form-data;\r\n name="a"')],
    ["a blank before the colon", HEAD, head('Content-Disposition : form-data; name="a"')],
    ["a line without a colon", HEAD, head('Content-Disposition: form-data; name="a"\r\nX')],
    ["a line without a name", HEAD, head('Content-Disposition: form-data; name="a"\r\n: x')],
  ];
  it.each(cases)("%s: %s", (_name, code, text) => {
    expect(refusal(() => parse([text]))).toBe(code);
    expect(refusal(() => parse([...text]))).toBe(code);
  });

  it("Q16, S-12: takes maxParts and refuses one more: 100 unless told otherwise", () => {
    const parts = (count: number) => body(...Array<[string, string]>(count).fill(['name="a"', "1"]));
    expect(parse([parts(100)])).toHaveLength(100);
    expect(refusal(() => parse([parts(101)]))).toBe("ERR_TW_MULTIPART_TOO_MANY_PARTS");
    expect(parse([parts(3)], { maxParts: 3 })).toHaveLength(3);
    expect(refusal(() => parse([parts(4)], { maxParts: 3 }))).toBe("ERR_TW_MULTIPART_TOO_MANY_PARTS");
    expect(parse([body()], { maxParts: 0 })).toEqual([]);
  });

  it("S-12: takes a head of maxPartHeaderSize bytes and refuses one more: 10 240 unless told otherwise", () => {
    const sized = (size: number) => {
      const line = 'Content-Disposition: form-data; name="a"\r\nX: ';
      return head(line + "x".repeat(size - line.length));
    };
    for (const [limits, size] of [
      [undefined, 10_240],
      [{ maxPartHeaderSize: 100 }, 100],
    ] as const) {
      for (const cut of [(text: string) => [text], (text: string) => [...text]]) {
        expect(parse(cut(sized(size)), limits)).toHaveLength(1);
        expect(refusal(() => parse(cut(sized(size + 1)), limits))).toBe("ERR_TW_MULTIPART_HEAD_TOO_LARGE");
        expect(refusal(() => parse(cut(`--B\r\n${"x".repeat(size + 5)}`), limits))).toBe(
          "ERR_TW_MULTIPART_HEAD_TOO_LARGE",
        );
      }
    }
  });

  it("bounds the blanks behind a boundary", () => {
    expect(refusal(() => parse([`--B${" ".repeat(11)}`], { maxPartHeaderSize: 10 }))).toBe(SYNTAX);
    expect(refusal(() => parse([`--B--${" ".repeat(11)}`], { maxPartHeaderSize: 10 }))).toBe(SYNTAX);
    expect(parse([`--B--${" ".repeat(10)}`], { maxPartHeaderSize: 10 })).toEqual([]);
  });

  it("S-10: says the first error again and again, and nothing else", () => {
    const parser = new MultipartParser("B");
    parser.receive(latin1(`--B\r\nbad\r\n\r\n${"\r\n--B\r\nbad\r\n\r\n".repeat(100)}`));
    let first: unknown;
    for (const call of [
      () => parser.next(),
      () => parser.next(),
      () => parser.receive(latin1("x")),
      () => parser.receiveEnd(),
    ]) {
      try {
        call();
        expect.unreachable();
      } catch (error) {
        first ??= error;
        expect(error).toBe(first);
      }
    }
    expect(first).toMatchObject({ status: 400, code: HEAD });
  });

  it("refuses wrong arguments and wrong turns at once", () => {
    for (const boundary of ["", " ", "a ", "a\r\n", "ä", "a;b", 'a"', "x".repeat(71)]) {
      expect(() => new MultipartParser(boundary)).toThrow(RangeError);
    }
    expect(() => new MultipartParser(undefined as never)).toThrow(TypeError);
    expect(new MultipartParser("x".repeat(70))).toBeDefined();
    expect(() => new MultipartParser("B", { maxParts: -1 })).toThrow(RangeError);
    expect(() => new MultipartParser("B", { maxParts: Number.NaN })).toThrow(RangeError);
    expect(() => new MultipartParser("B", { maxPartHeaderSize: "1" as never })).toThrow(TypeError);
    const parser = new MultipartParser("B");
    parser.receive(latin1("--B--"));
    expect(() => parser.receive(latin1("x"))).toThrow(/every event/);
    expect(() => parser.receiveEnd()).toThrow(/every event/);
    expect(parser.next()).toEqual({ type: "end" });
    expect(parser.next()).toBeUndefined();
    parser.receiveEnd();
  });
});

describe("MultipartParser: its time grows with the input, not faster", () => {
  const boundary = "a".repeat(70);
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n`;
  const hostile: Record<string, (size: number) => string> = {
    "data of the boundary's own byte": (size) => "a".repeat(size),
    "beginnings of the boundary": (size) => `\r\n--${"a".repeat(69)}b`.repeat(size / 64),
    "carriage returns": (size) => "\r".repeat(size),
    "line ends": (size) => "\r\n".repeat(size / 2),
    dashes: (size) => "\r\n--".repeat(size / 4),
  };
  for (const [name, data] of Object.entries(hostile)) {
    it(`with ${name}, whole and in pieces of a few bytes`, () => {
      expectLinear((size) => read([start + data(size)], boundary));
      expectLinear((size) => read((start + data(size)).match(/[\s\S]{1,7}/g) ?? [], boundary));
    });
  }

  it("with a head that drips", () => {
    expectLinear((size) => read([...`--B\r\nX: ${"x".repeat(size)}`], "B", { maxPartHeaderSize: 1e9 }));
  });

  it("with a thousand parts", () => {
    expectLinear((size) => {
      parse([body(...Array<[string, string]>(size / 8).fill(['name="a"', "1"]))], { maxParts: 1e9 });
    });
  });

  function read(pieces: readonly string[], name: string, limits = {}): void {
    const parser = new MultipartParser(name, limits);
    for (const piece of pieces) {
      parser.receive(latin1(piece));
      while (parser.next() !== undefined);
    }
  }
});

describe("boundaryOf", () => {
  it("reads a boundary, quoted or not, beside other parameters, in any case of letters", () => {
    const types: [string, string][] = [
      ["multipart/form-data; boundary=abc", "abc"],
      ["Multipart/Form-Data;charset=utf-8;BOUNDARY=abc;x=y", "abc"],
      ['multipart/form-data; boundary="a b"', "a b"],
      ["multipart/form-data; boundary=----=_Part_1/x:?", "----=_Part_1/x:?"],
      [`multipart/form-data; boundary=${"x".repeat(70)}`, "x".repeat(70)],
    ];
    for (const [type, expected] of types) expect(boundaryOf(type)).toBe(expected);
  });

  it("refuses what has none, two, or one that may not be", () => {
    for (const type of [
      "multipart/form-data",
      "multipart/form-data; boundary",
      "multipart/form-data; boundary=",
      "multipart/form-data; boundary=a; boundary=b",
      'multipart/form-data; boundary="a',
      'multipart/form-data; boundary="a "',
      "multipart/form-data; boundary=a\u00e4",
      `multipart/form-data; boundary=${"x".repeat(71)}`,
    ]) {
      expect(refusal(() => boundaryOf(type))).toBe("ERR_TW_MULTIPART_BOUNDARY");
    }
    for (const type of [
      "",
      "text/plain",
      "multipart/mixed; boundary=a",
      "multipart/form-datax; boundary=a",
      "\u00a0multipart/form-data; boundary=a", // S-03
    ]) {
      expect(refusal(() => boundaryOf(type))).toBe("ERR_TW_MULTIPART_TYPE");
    }
  });
});
