import { concatBytes, utf8 } from "@tw/util";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type Codec,
  delimited,
  FrameDecoder,
  fixed,
  headed,
  json,
  jsonLines,
  lengthPrefixed,
  lines,
  map,
  type Prefix,
  pipe,
  regex,
  text,
} from "../src/framing.js";
import { IOStream } from "../src/index.js";
import { torture } from "../src/testing.js";
import { memoryPair } from "../src/transports.js";
import { bytes, testLoop } from "./helpers.js";

function decodeAll<T>(codec: Codec<T, never>, ...pieces: Uint8Array[]): T[] {
  const decoder = new FrameDecoder(codec);
  const messages: T[] = [];
  for (const piece of pieces) {
    decoder.push(piece);
    while (decoder.next()) messages.push(decoder.message);
  }
  decoder.end();
  return messages;
}

const long = bytes("x".repeat(300));
const records = [bytes(""), bytes("a"), bytes("\r\n\0\xff"), long];
const maxFrameSize = 512;

interface Subject {
  readonly codec: Codec<unknown, never>;
  readonly samples: readonly unknown[];
}

function subject<T, S>(codec: Codec<T, S>, samples: readonly S[]): Subject {
  return { codec: codec as Codec<unknown, never>, samples };
}

const typed = headed({
  head: map(fixed(1), { decode: (head) => head[0] as number, encode: (type) => Uint8Array.of(type) }),
  body: (type): Codec<Uint8Array> => {
    if (type === 0) return fixed(0);
    if (type === 1) return delimited("\n", { maxFrameSize: 64 });
    if (type === 2) return lengthPrefixed({ prefix: "u16be", maxFrameSize: 400 });
    throw new RangeError(`Unknown type ${type}`);
  },
  maxFrameSize,
});

const request = headed({
  head: lines({ maxFrameSize: 32 }),
  body: (line) => (line === "" ? fixed(0) : fixed(Number(line.split(" ")[1]))),
  maxFrameSize,
});

const CODECS: Record<string, Subject> = {
  "fixed(4)": subject(fixed(4), [bytes("abcd"), bytes("\0\xff\r\n")]),
  "lengthPrefixed u8": subject(lengthPrefixed({ prefix: "u8", maxFrameSize: 64 }), [bytes(""), bytes("ab")]),
  ...Object.fromEntries(
    (["u16be", "u16le", "u32be", "u32le", "varint"] as const).map((prefix) => [
      `lengthPrefixed ${prefix}`,
      subject(lengthPrefixed({ prefix, maxFrameSize }), records),
    ]),
  ),
  "lengthPrefixed u16be that includes itself": subject(
    lengthPrefixed({ prefix: "u16be", includesPrefix: true, maxFrameSize }),
    records,
  ),
  'delimited("\\0")': subject(delimited("\0", { maxFrameSize }), [bytes(""), bytes("ab\n"), long]),
  'delimited("--x")': subject(delimited("--x", { maxFrameSize }), [bytes("-"), bytes("a-b--c"), long]),
  lines: subject(lines({ maxFrameSize }), ["", "abc", "a\rb", "grüße 🌪", "x".repeat(300)]),
  "strict lines": subject(lines({ maxFrameSize, strict: true }), ["", "abc", "grüße 🌪", "x".repeat(300)]),
  "regex /\\r?\\n\\r?\\n/": subject(regex(/\r?\n\r?\n/, { maxFrameSize }), [
    bytes("\n\n"),
    bytes("a: b\r\n\r\n"),
    bytes(`${"x".repeat(300)}\n\r\n`),
  ]),
  "regex /;+[ab]*|stop/": subject(regex(/;+[ab]*|stop/, { maxFrameSize }), [
    bytes(";"),
    bytes("x;"),
    bytes("stop"),
  ]),
  jsonLines: subject(jsonLines({ maxFrameSize }), [null, 1, "a\nb", { a: [1, { b: "ü" }] }]),
  "a pipe to JSON": subject(pipe(lengthPrefixed({ maxFrameSize }), json()), [
    null,
    { a: "x".repeat(300) },
    [],
  ]),
  "a map to text": subject(map(lengthPrefixed({ prefix: "varint", maxFrameSize }), text()), ["", "ü", "abc"]),
  "headed by a type": subject(typed, [
    { head: 0, body: bytes("") },
    { head: 1, body: bytes("line") },
    { head: 2, body: long },
  ]),
  "headed by a line": subject(request, [
    { head: "", body: bytes("") },
    { head: "put 0", body: bytes("") },
    { head: "put 3", body: bytes("a\nb") },
  ]),
};

describe.each(Object.entries(CODECS))("%s", (_name, { codec, samples }) => {
  for (const { name, run } of torture(codec as Codec<unknown>, samples)) it(name, run);
});

/** What a codec makes of bytes: its messages or a code. */
function outcome(codec: Codec<unknown, never>, wire: string): unknown {
  try {
    return decodeAll(codec, bytes(wire));
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** The flag, which the language level of this project does not allow in a literal. */
const SETS = "v";

describe("lengthPrefixed()", () => {
  it.each<[Prefix, string]>([
    ["u8", "\x02ab"],
    ["u16be", "\0\x02ab"],
    ["u16le", "\x02\0ab"],
    ["u32be", "\0\0\0\x02ab"],
    ["u32le", "\x02\0\0\0ab"],
    ["varint", "\x02ab"],
  ])("writes and reads %s", (prefix, wire) => {
    const codec = lengthPrefixed({ prefix, maxFrameSize: 8 });
    expect(codec.encode(bytes("ab"))).toEqual(bytes(wire));
    expect(decodeAll(codec, bytes(wire))).toEqual([bytes("ab")]);
  });

  it("counts its own bytes if asked to, and refuses a length that is less", () => {
    const codec = lengthPrefixed({ prefix: "u16be", includesPrefix: true, maxFrameSize: 8 });
    expect(codec.encode(bytes("ab"))).toEqual(bytes("\0\x04ab"));
    expect(outcome(codec, "\0\x02")).toEqual([bytes("")]);
    expect(outcome(codec, "\0\x01")).toBe("ERR_TW_FRAME_MALFORMED");
  });

  it("takes no length for a negative one: it is too large", () => {
    expect(outcome(lengthPrefixed({ maxFrameSize: 8 }), "\xff\xff\xff\xff")).toBe("ERR_TW_FRAME_TOO_LARGE");
  });

  it.each([
    ["\x7f", 0x7f],
    ["\x80\x01", 0x80],
    ["\xff\x7f", 0x3fff],
    ["\x80\x80\x01", 0x4000],
  ])("reads the varint %j", (wire, length) => {
    const codec = lengthPrefixed({ prefix: "varint", maxFrameSize: 0x10000 });
    expect(codec.measure(bytes(wire), 0, wire.length, 0)).toBe(wire.length + length);
  });

  it("reads the largest varint, and refuses overlong ones and more than 32 bits", () => {
    const codec = lengthPrefixed({ prefix: "varint", maxFrameSize: 100 });
    expect(codec.measure(bytes("\xff\xff\xff\xff\x0f"), 0, 5, 0)).toBe(0xffff_ffff + 5);
    for (const wire of [
      "\x80\x00",
      "\x81\x80\x00",
      "\xff\xff\xff\xff\x1f",
      "\x80\x80\x80\x80\x80",
      "\xff\xff\xff\xff\x8f\0",
    ])
      expect([wire, outcome(codec, wire)]).toEqual([wire, "ERR_TW_FRAME_MALFORMED"]);
    expect(outcome(codec, "\xff\xff\xff\xff\x0f")).toBe("ERR_TW_FRAME_TOO_LARGE");
  });

  it("refuses a prefix that is none", () => {
    for (const prefix of ["u64be", "toString"] as never[])
      expect(() => lengthPrefixed({ prefix, maxFrameSize: 9 })).toThrow(TypeError);
  });

  it.each<[Prefix, boolean, number]>([
    ["u8", false, 1],
    ["u8", true, 1],
    ["u16be", false, 2],
    ["u16le", true, 2],
    ["u32be", false, 4],
    ["varint", false, 1],
  ])("refuses a limit without room for its own prefix: %s", (prefix, includesPrefix, width) => {
    expect(() => lengthPrefixed({ prefix, includesPrefix, maxFrameSize: width - 1 })).toThrow(
      new RangeError(`maxFrameSize must be a finite integer of at least ${width}, got ${width - 1}`),
    );
    const least = lengthPrefixed({ prefix, includesPrefix, maxFrameSize: width });
    expect(decodeAll(least, least.encode(bytes("")))).toEqual([bytes("")]);
  });

  it.each<[Prefix, boolean, number]>([
    ["u8", false, 256],
    ["u8", true, 255],
    ["u16be", false, 2 + 0xffff],
    ["u16le", true, 0xffff],
    ["u32le", false, 4 + 0xffff_ffff],
    ["u32be", true, 0xffff_ffff],
    ["varint", false, 5 + 0xffff_ffff],
  ])(
    "shows no limit beyond what its prefix can say: %s, including itself %s",
    (prefix, includesPrefix, most) => {
      for (const [limit, shown] of [
        [most - 1, most - 1],
        [most, most],
        [most + 1, most],
        [Number.MAX_SAFE_INTEGER, most],
      ] as const)
        expect(lengthPrefixed({ prefix, includesPrefix, maxFrameSize: limit }).maxFrameSize).toBe(shown);
    },
  );

  it("refuses to send more than its prefix can say", () => {
    const u8 = lengthPrefixed({ prefix: "u8", maxFrameSize: 1000 });
    expect(u8.encode(new Uint8Array(255))).toHaveLength(256);
    expect(() => u8.encode(new Uint8Array(256))).toThrow(
      expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }),
    );
  });
});

describe("delimited()", () => {
  it("refuses to send a message that has the delimiter, alone or together with it", () => {
    const codec = delimited("aa", { maxFrameSize: 10 });
    expect(codec.encode(bytes("ab"))).toEqual(bytes("abaa"));
    for (const message of ["aa", "xaay", "ba"])
      expect(() => codec.encode(bytes(message))).toThrow(RangeError);
  });

  it("keeps a delimiter of its own", () => {
    const mark = bytes(";");
    const codec = delimited(mark, { maxFrameSize: 10 });
    mark[0] = 0x2c;
    expect(decodeAll(codec, bytes("a;b;"))).toEqual([bytes("a"), bytes("b")]);
  });
});

describe("lines()", () => {
  it("take LF and CRLF, and leave other CRs alone", () => {
    expect(outcome(lines({ maxFrameSize: 10 }), "a\nb\r\n\r\n\nc\rd\r\r\n")).toEqual([
      "a",
      "b",
      "",
      "",
      "c\rd\r",
    ]);
  });

  it("if strict take CRLF only", () => {
    const strict = lines({ maxFrameSize: 10, strict: true });
    expect(outcome(strict, "a\r\n\r\n")).toEqual(["a", ""]);
    for (const wire of ["a\n", "\n", "a\rb\r\n", "a\r\r\n", "a\r\rx", "ü\n"])
      expect([wire, outcome(strict, wire)]).toEqual([wire, "ERR_TW_FRAME_MALFORMED"]);
  });

  it("refuse malformed UTF-8, behind the lines before it", () => {
    const decoder = new FrameDecoder(lines({ maxFrameSize: 10 }));
    decoder.push(bytes("ok\n\xc3\x28\n"));
    expect([decoder.next(), decoder.message]).toEqual([true, "ok"]);
    expect(() => decoder.next()).toThrow(
      expect.objectContaining({ code: "ERR_TW_FRAME_MALFORMED", cause: expect.any(TypeError) }),
    );
  });

  it("send LF, if strict CRLF, and nothing that its receiver would see otherwise", () => {
    expect(lines({ maxFrameSize: 10 }).encode("ü")).toEqual(utf8("ü\n"));
    expect(lines({ maxFrameSize: 10, strict: true }).encode("a")).toEqual(bytes("a\r\n"));
    for (const line of ["a\nb", "a\r", "\ud800"])
      expect(() => lines({ maxFrameSize: 10 }).encode(line)).toThrow(RangeError);
    expect(() => lines({ maxFrameSize: 10, strict: true }).encode("a\rb")).toThrow(RangeError);
    expect(() => lines({ maxFrameSize: 10 }).encode(1 as never)).toThrow(TypeError);
  });
});

describe("regex()", () => {
  it("takes the shortest prefix with a match, however much is there", () => {
    expect(outcome(regex(/a+/, { maxFrameSize: 9 }), "xaaa")).toEqual(["xa", "a", "a"].map(bytes));
    expect(outcome(regex(/(?:ab){2,}|b\d+/, { maxFrameSize: 99 }), "ababab12b1")).toEqual(
      ["abab", "ab1", "2b1"].map(bytes),
    );
  });

  it("finds a match far behind, with what comes before the first look too", () => {
    const wire = `${"x".repeat(5000)}END`;
    expect(outcome(regex(/^x*END/, { maxFrameSize: 6000 }), wire + wire)).toEqual([bytes(wire), bytes(wire)]);
  });

  /** What the codec and the read say to a pattern. */
  function answers(pattern: RegExp): unknown[] {
    const [near] = memoryPair(testLoop());
    const stream = new IOStream(near);
    const calls = [() => void regex(pattern, { maxFrameSize: 9 }), () => void stream.readUntilRegex(pattern)];
    return calls.map((call) => {
      try {
        call();
      } catch (error) {
        return error;
      }
      return undefined;
    });
  }

  it.each([
    /a$/,
    /a\b/,
    /a\B/,
    /a(?=b)/,
    /a(?!b)/,
    /[[]a$/,
    new RegExp("[[a-z]&&[a-y]]$", SETS),
    /a*/,
    /(?:)/,
    /a*/g,
    /a/y,
    /a/gy,
  ])("refuses %s, as readUntilRegex() does", (pattern) => {
    pattern.lastIndex = 1;
    const [codec, read] = answers(pattern);
    expect(codec).toBeInstanceOf(RangeError);
    expect(codec).toEqual(read);
  });

  it("refuses what is no pattern, as readUntilRegex() does", () => {
    const [near] = memoryPair(testLoop());
    const stream = new IOStream(near);
    for (const none of ["a", undefined] as unknown as RegExp[]) {
      expect(() => stream.readUntilRegex(none)).toThrow(TypeError);
      expect(() => regex(none, { maxFrameSize: 9 })).toThrow(TypeError);
    }
  });

  it.each([
    /\$/,
    /[$]/,
    /\\[b]/,
    /[\b]/,
    /[(?=]/,
    /(?<=b)a/,
    /(?<!b)a/,
    /(?<$>a)b/,
    new RegExp("[[a-z]$]x", SETS),
    /a/g,
  ])("takes %s, as readUntilRegex() does", (pattern) => {
    expect(answers(pattern)).toEqual([undefined, undefined]);
  });

  it("has no memory of what it matched", () => {
    const pattern = /\n/g;
    pattern.lastIndex = 2;
    expect(outcome(regex(pattern, { maxFrameSize: 9 }), "ab\nc\n")).toEqual(["ab\n", "c\n"].map(bytes));
  });
});

describe("JSON", () => {
  it.each(["", "{", '{"a":1}}', "undefined", "\xff"])("refuses %j", (line) => {
    expect(outcome(jsonLines({ maxFrameSize: 20 }), `${line}\n`)).toBe("ERR_TW_FRAME_MALFORMED");
  });

  it("refuses to send what JSON has not", () => {
    for (const message of [undefined, () => 1, Symbol("x"), 1n])
      expect(() => jsonLines({ maxFrameSize: 20 }).encode(message)).toThrow(TypeError);
  });
});

describe("headed()", () => {
  it("makes a head that announces nothing known a malformed frame", () => {
    const decoder = new FrameDecoder(typed);
    decoder.push(bytes("\x07rest"));
    expect(() => decoder.next()).toThrow(
      expect.objectContaining({ code: "ERR_TW_FRAME_MALFORMED", cause: expect.any(RangeError) }),
    );
  });

  it("holds the limit of the body's codec as well as its own", () => {
    expect(outcome(typed, `\x01${"x".repeat(63)}\n`)).toHaveLength(1);
    expect(outcome(typed, `\x01${"x".repeat(64)}\n`)).toBe("ERR_TW_FRAME_TOO_LARGE");
    expect(outcome(typed, "\x02\xff\xff")).toBe("ERR_TW_FRAME_TOO_LARGE");
  });

  it("sends neither a head nor a body beyond the limit of its codec, also where that does not keep it", () => {
    const lax = (limit: number): Codec<Uint8Array> => ({
      ...lengthPrefixed({ prefix: "u8", maxFrameSize }),
      maxFrameSize: limit,
    });
    const codec = headed({ head: lax(3), body: () => lax(5), maxFrameSize });
    const of = (head: string, body: string) => () => codec.encode({ head: bytes(head), body: bytes(body) });
    expect(of("12", "1234")()).toHaveLength(8);
    for (const beyond of [of("123", "1234"), of("12", "12345")])
      expect(beyond).toThrow(expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }));
  });
});

describe("map()", () => {
  it("refuses a mapping that is none, at once: no peer is to blame for it", () => {
    const { decode, encode } = text();
    for (const mapping of [undefined, {}, { decode }, { encode }] as never[])
      expect(() => map(fixed(1), mapping)).toThrow(TypeError);
  });
});

describe("types", () => {
  it("of messages follow from the codec", () => {
    interface Call {
      readonly id: number;
    }
    const calls = pipe(lengthPrefixed({ maxFrameSize }), json<Call>());
    expectTypeOf(calls).toEqualTypeOf<Codec<Call>>();
    const numbers = { decode: (from: string) => Number(from), encode: (message: number) => String(message) };
    expectTypeOf(pipe(fixed(1), text(), numbers)).toEqualTypeOf<Codec<number>>();
    expectTypeOf(jsonLines({ maxFrameSize })).toEqualTypeOf<Codec<unknown>>();
    expectTypeOf(
      headed({ head: lines({ maxFrameSize }), body: () => fixed(1), maxFrameSize }).decode,
    ).returns.toEqualTypeOf<{ readonly head: string; readonly body: Uint8Array }>();
    // @ts-expect-error a limit has no default
    expect(() => lines({})).toThrow(RangeError);
    // @ts-expect-error text is no payload of bytes: map it
    expect(() => fixed(1).encode("x")).toThrow(TypeError);
  });
});

describe("every codec", () => {
  it("wants a finite limit", () => {
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, undefined as never]) {
      const options = { maxFrameSize: limit };
      for (const make of [
        () => lengthPrefixed(options),
        () => lengthPrefixed({ prefix: "varint", ...options }),
        () => delimited("x", options),
        () => lines(options),
        () => jsonLines(options),
        () => regex(/x/, options),
        () => headed({ head: fixed(1), body: () => fixed(1), ...options }),
      ])
        expect(make).toThrow(RangeError);
    }
    for (const size of [-1, 1.5, Number.POSITIVE_INFINITY]) expect(() => fixed(size)).toThrow(RangeError);
  });

  it("refuses a message of another type", () => {
    for (const codec of [
      fixed(1),
      lengthPrefixed({ maxFrameSize: 9 }),
      delimited("x", { maxFrameSize: 9 }),
      regex(/x/, { maxFrameSize: 9 }),
    ])
      expect(() => codec.encode("x" as never)).toThrow(TypeError);
    expect(() => fixed(2).encode(bytes("x"))).toThrow(RangeError);
    expect(() => regex(/x/, { maxFrameSize: 9 }).encode(bytes("xy"))).toThrow(RangeError);
  });

  it("takes Node's Buffers, whose slice is a view, and gives out plain arrays of its own", () => {
    const buffer = Buffer.from(concatBytes([bytes("\x02ab"), bytes("\x02cd")]));
    const messages = decodeAll(lengthPrefixed({ prefix: "u8", maxFrameSize: 9 }), buffer);
    buffer.fill(0);
    expect(messages).toEqual([bytes("ab"), bytes("cd")]);
    expect(messages[0]?.constructor).toBe(Uint8Array);
  });

  it("frames a Buffer in bytes of their own, and keeps no Buffer that it was given as a delimiter", () => {
    const mark = Buffer.from(";");
    const codecs = [fixed(5), regex(/o/, { maxFrameSize: 9 }), delimited(mark, { maxFrameSize: 9 })];
    mark.fill("x");
    for (const codec of codecs) {
      const message = Buffer.from("hello");
      const frame = codec.encode(message);
      message.fill(0);
      expect(new TextDecoder().decode(frame).replace(";", "")).toBe("hello");
    }
  });
});
