// Content codings undone: whatever the pieces, whoever takes them, and however they were tampered with.
import { AsyncLocalStorage } from "node:async_hooks";
import zlib, { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { HTTPInputError } from "@tw/httputil";
import { dice } from "@tw/tooling-testing/dice";
import { expectLinear } from "@tw/tooling-testing/growth";
import { concatBytes, Deferred, utf8 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { type ContentCoding, contentCodings, parseContentCodings } from "../src/content/codings.js";
import { ContentDecoder } from "../src/content/content-decoder.js";
import { ZstdFrames } from "../src/content/zstd-frames.js";

const encoders: Record<ContentCoding, (bytes: Uint8Array) => Buffer> = {
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: (bytes) => (zlib as never as { zstdCompressSync(bytes: Uint8Array): Buffer }).zstdCompressSync(bytes),
};

const text = utf8("Twenty tornadoes turned towards Tulsa. ".repeat(200));
const LIMIT = 1_000_000;

/** Decodes the pieces, and gives all of it. */
async function decode(
  codings: readonly ContentCoding[],
  pieces: readonly Uint8Array[],
  maxSize = LIMIT,
  rawDeflate = false,
): Promise<Uint8Array> {
  const taken: Uint8Array[] = [];
  const decoder = new ContentDecoder(codings, (piece) => void taken.push(piece), { maxSize, rawDeflate });
  try {
    for (const piece of pieces) await decoder.write(piece);
    await decoder.end();
  } finally {
    decoder.close();
  }
  return concatBytes(taken);
}

function encode(codings: readonly ContentCoding[], bytes: Uint8Array): Uint8Array {
  return codings.reduce((coded, coding) => encoders[coding](coded), bytes);
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

const mistake = (code: string, status: number) => expect.objectContaining({ code, status });
const broken = mistake("ERR_TW_CONTENT_CODING", 400);

describe("parseContentCodings()", () => {
  it.each([
    ["gzip", ["gzip"]],
    ["GZip", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["deflate, br", ["deflate", "br"]],
    [" gzip\t,\tgzip ", ["gzip", "gzip"]],
    ["identity", []],
    ["identity, gzip, identity", ["gzip"]],
    // RFC 9110 §5.6.1.2 (1), (2): empty members.
    ["", []],
    ["gzip,", ["gzip"]],
    [" ,gzip,\t,br", ["gzip", "br"]],
    ["gzip,,,,,,,", ["gzip"]],
  ])("takes %j", (value, codings) => {
    expect(parseContentCodings(value, contentCodings)).toEqual(codings);
  });

  it.each([
    "gzip,,,,,,,,br",
    `${"identity,".repeat(8)}gzip`,
    "compress",
    "x-deflate",
    "gzip;q=1",
    "gzip gzip",
    "gzip, gzip, gzip",
    "*",
    ",".repeat(60_000),
    "toString",
  ])("refuses %.20j", (value) => {
    expect(parseContentCodings(value, contentCodings)).toBeUndefined();
  });

  it("takes time linear in the field", () => {
    for (const piece of [" ", "\t", ",", " x", "x "])
      expectLinear((size) => parseContentCodings(`gzip${piece.repeat(size)}x`, contentCodings));
  });

  it("knows what it is given only, and zstd where this Node does", () => {
    expect(parseContentCodings("br", ["gzip"])).toBeUndefined();
    expect(parseContentCodings("x-gzip", ["br"])).toBeUndefined();
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    const has = major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15);
    expect(contentCodings.includes("zstd")).toBe(has);
  });
});

describe("new ContentDecoder()", () => {
  it.each([-1, 1.5, Number.NaN])("refuses a size of %s", (maxSize) => {
    expect(() => new ContentDecoder(["gzip"], () => {}, { maxSize })).toThrow(RangeError);
  });
});

const chains: ContentCoding[][] = [
  ...contentCodings.map((coding) => [coding]),
  ["gzip", "br"],
  ["br", "deflate"],
  ["gzip", "gzip"],
];

describe.each(chains.map((chain) => [chain.join(", "), chain] as const))("%s", (_name, chain) => {
  const coded = encode(chain, text);

  it("whole, byte by byte, and in pieces: the same", async () => {
    expect(await decode(chain, [coded])).toEqual(text);
    for (const size of [1, 7, 31]) expect(await decode(chain, cut(coded, size))).toEqual(text);
  });

  it("nothing at all is no content, and an empty content is one", async () => {
    expect(await decode(chain, [])).toHaveLength(0);
    expect(await decode(chain, [new Uint8Array(0)])).toHaveLength(0);
    expect(await decode(chain, [encode(chain, new Uint8Array(0))])).toHaveLength(0);
  });

  it("rejects every truncation", async () => {
    for (let size = 1; size < coded.length; size++)
      await expect(decode(chain, [coded.subarray(0, size)]), `${size} bytes`).rejects.toEqual(broken);
  });

  it("rejects what stands behind the end, in the same piece or later", async () => {
    for (const behind of [Uint8Array.of(0), utf8("garbage"), Uint8Array.of(0, 0, 0, 0)]) {
      await expect(decode(chain, [concatBytes([coded, behind])])).rejects.toEqual(broken);
      await expect(decode(chain, [coded, behind])).rejects.toEqual(broken);
      await expect(decode(chain, cut(concatBytes([coded, behind]), 1))).rejects.toEqual(broken);
    }
  });

  it("allows maxSize bytes, and not one more", async () => {
    // Between two codings there may be a few more than at the end.
    const all = Uint8Array.from({ length: 5000 }, (_, i) => i % 7);
    const size = Math.max(
      all.length,
      ...chain.slice(0, -1).map((_, i) => encode(chain.slice(0, i + 1), all).length),
    );
    expect(await decode(chain, [encode(chain, all)], size)).toHaveLength(all.length);
    await expect(decode(chain, [encode(chain, all)], all.length - 1)).rejects.toEqual(
      mistake("ERR_TW_BODY_TOO_LARGE", 413),
    );
  });

  it("random bytes, and any byte changed: decoded, or an HTTPInputError, and never a hang", async () => {
    const random = dice(11);
    for (let round = 0; round < 150; round++) {
      const bytes = Uint8Array.from(coded);
      for (let flips = random(3) + 1; flips > 0; flips--) bytes[random(bytes.length)] = random(256);
      const pieces = cut(round % 5 === 0 ? bytes.map(() => random(256)) : bytes, 1 + random(bytes.length));
      await decode(chain, pieces).catch((error) => expect(error).toBeInstanceOf(HTTPInputError));
    }
  });

  it("S-08: a small body that would be a gigabyte ends at the limit, holding no more than a few pieces", async () => {
    const zeros = bomb(chain);
    expect(zeros.length).toBeLessThan(2_000_000);
    let size = 0;
    let largest = 0;
    let held = 0;
    const before = process.memoryUsage().arrayBuffers;
    const decoder = new ContentDecoder(
      chain,
      (piece) => {
        size += piece.length;
        largest = Math.max(largest, piece.length);
        held = Math.max(held, process.memoryUsage().arrayBuffers - before);
      },
      { maxSize: LIMIT },
    );
    const feeding = (async () => {
      for (const piece of cut(zeros, 65_536)) await decoder.write(piece);
    })();
    await expect(feeding).rejects.toEqual(mistake("ERR_TW_BODY_TOO_LARGE", 413));
    expect(size).toBeLessThanOrEqual(LIMIT);
    expect(largest).toBeLessThanOrEqual(65_536);
    // What was not collected yet is counted too; a decoder without a limit would be at a thousand times as much.
    expect(held).toBeLessThan(64 * 1024 * 1024);
    await decoder.write(zeros);
    await decoder.end();
    expect(size).toBeLessThanOrEqual(LIMIT);
  });

  it("takes no more while a piece is being taken, and write() waits for it", async () => {
    const big = new Uint8Array(600_000).fill(65);
    const gates: Deferred[] = [];
    let taken = 0;
    const decoder = new ContentDecoder(
      chain,
      (piece) => {
        taken += piece.length;
        const gate = new Deferred();
        gates.push(gate);
        return gate.promise;
      },
      { maxSize: LIMIT },
    );
    let over = false;
    const writing = decoder.write(encode(chain, big)).then(() => {
      over = true;
    });
    for (let i = 0; taken < big.length; i++) {
      while (gates.length <= i) await new Promise(setImmediate);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      expect([gates.length, over]).toEqual([i + 1, false]);
      gates[i]?.resolve();
    }
    await writing;
    await decoder.end();
    expect(taken).toBe(big.length);
  });

  it("what take() throws or rejects with is what write() rejects with, and nothing is taken afterwards", async () => {
    for (const asynchronous of [false, true]) {
      const fault = new Error("the taker's own");
      let calls = 0;
      const decoder = new ContentDecoder(
        chain,
        () => {
          calls++;
          if (asynchronous) return Promise.reject(fault);
          throw fault;
        },
        { maxSize: LIMIT },
      );
      await expect(decoder.write(encode(chain, new Uint8Array(500_000)))).rejects.toBe(fault);
      await decoder.write(coded);
      await decoder.end();
      expect(calls).toBe(1);
    }
  });

  it("close() ends a write that waits, at any moment, and is idempotent", async () => {
    for (const turns of [0, 1, 3]) {
      let calls = 0;
      const decoder = new ContentDecoder(
        chain,
        () => {
          calls++;
          return new Promise(() => {});
        },
        { maxSize: LIMIT },
      );
      const writing = decoder.write(encode(chain, new Uint8Array(500_000)));
      for (let i = 0; i < turns; i++) await new Promise(setImmediate);
      decoder.close();
      decoder.close();
      await writing;
      await decoder.end();
      for (let i = 0; i < 5; i++) await new Promise(setImmediate);
      expect(calls).toBeLessThanOrEqual(1);
    }
  });

  it("keeps the async context of whoever wrote first", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = new Set<string | undefined>();
    await storage.run("mine", async () => {
      const decoder = new ContentDecoder(
        chain,
        async () => {
          seen.add(storage.getStore());
        },
        { maxSize: LIMIT },
      );
      for (const piece of cut(encode(chain, new Uint8Array(300_000)), 100)) await decoder.write(piece);
      await decoder.end();
    });
    expect([...seen]).toEqual(["mine"]);
  });
});

it("gzip: members one after the other are one content, RFC 1952 §2.2, wherever they are cut", async () => {
  const wire = concatBytes([gzipSync("one "), gzipSync(""), gzipSync("two")]);
  for (const size of [1, 2, 13, 24, wire.length])
    expect(Buffer.from(await decode(["gzip"], cut(wire, size))).toString()).toBe("one two");
  const first = gzipSync("one ").length;
  for (const end of [first + 1, first + 10, wire.length - 1])
    await expect(decode(["gzip"], [wire.subarray(0, end)])).rejects.toEqual(broken);
});

it("S-08: what one coding makes for the next is counted, though it decodes to nothing", async () => {
  const empty = gzipSync("");
  const members = concatBytes(Array.from({ length: 2000 }, () => empty));
  expect(await decode(["gzip", "br"], [brotliCompressSync(members)], members.length)).toHaveLength(0);
  await expect(decode(["gzip", "br"], [brotliCompressSync(members)], members.length - 1)).rejects.toEqual(
    mistake("ERR_TW_BODY_TOO_LARGE", 413),
  );
});

it("deflate without its wrapper is refused, and taken with rawDeflate", async () => {
  const raw = deflateRawSync(text);
  await expect(decode(["deflate"], [raw])).rejects.toEqual(broken);
  expect(await decode(["deflate"], cut(raw, 9), LIMIT, true)).toEqual(text);
  expect(await decode(["deflate"], cut(deflateSync(text), 9), LIMIT, true)).toEqual(text);
});

it("br: a window beyond RFC 7932's is refused", async () => {
  const large = brotliCompressSync(text, {
    params: { [zlib.constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [zlib.constants.BROTLI_PARAM_LGWIN]: 30 },
  });
  await expect(decode(["br"], [large])).rejects.toEqual(broken);
});

describe("frames of zstd", () => {
  const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
  // A frame that is one segment of 3 bytes in a raw block; the same with a checksum; and one to be skipped.
  const plain = [...MAGIC, 0x20, 3, 0x19, 0, 0, 65, 66, 67];
  const summed = [...MAGIC, 0x24, 3, 0x19, 0, 0, 65, 66, 67, 1, 2, 3, 4];
  const repeated = [...MAGIC, 0x00, 0x08, 0x03 | (200 << 3), (200 << 3) >> 8, 0, 65];
  const skipped = [0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
  const everything = [...MAGIC, 0xe7, ...new Array(12).fill(1), 0x01, 0, 0, 1, 2, 3, 4];

  it.each([
    ["one segment", plain],
    ["with a checksum", summed],
    ["a repeated byte", repeated],
    ["to be skipped", skipped],
    ["every field", everything],
  ])("%s: its end is found wherever it is cut, and no end before", (_what, frame) => {
    const bytes = Uint8Array.from([...frame, ...plain]);
    for (let at = 1; at < frame.length; at++) {
      const frames = new ZstdFrames();
      expect(frames.scan(bytes.subarray(0, at), 0)).toBe(at);
      expect(frames.complete).toBe(false);
      expect(frames.scan(bytes, at)).toBe(frame.length);
      expect(frames.complete).toBe(true);
      expect(frames.scan(bytes, frame.length)).toBe(bytes.length);
      expect(frames.complete).toBe(true);
    }
  });

  it("none is not complete, and an empty block is one", () => {
    expect(new ZstdFrames().complete).toBe(false);
    const frames = new ZstdFrames();
    frames.scan(Uint8Array.from([...MAGIC, 0x20, 0, 0x01, 0, 0]), 0);
    expect(frames.complete).toBe(true);
  });

  it.each([
    ["another magic", [0x28, 0xb5, 0x2f, 0xfe]],
    ["a reserved bit", [...MAGIC, 0x28]],
    ["a reserved block", [...MAGIC, 0x20, 0, 0x07, 0, 0]],
  ])("refuses %s", (_what, bytes) => {
    expect(() => new ZstdFrames().scan(Uint8Array.from(bytes), 0)).toThrow(broken);
  });

  it("agrees with the decoder, where there is one", async () => {
    if (!contentCodings.includes("zstd")) return expect(contentCodings).toHaveLength(3);
    const wire = Uint8Array.from([...plain, ...skipped, ...repeated, ...plain]);
    const expected = `ABC${"A".repeat(200)}ABC`;
    for (const size of [1, 5, 12, wire.length])
      expect(Buffer.from(await decode(["zstd"], cut(wire, size))).toString()).toBe(expected);
    // A window of 16 MiB.
    const large = [...MAGIC, 0x00, 14 << 3, 0x19, 0, 0, 65, 66, 67];
    await expect(decode(["zstd"], [Uint8Array.from(large)])).rejects.toEqual(broken);
    const allowed = [...MAGIC, 0x00, 13 << 3, 0x19, 0, 0, 65, 66, 67];
    expect(await decode(["zstd"], [Uint8Array.from(allowed)])).toHaveLength(3);
  });
});

/** A gigabyte of zeros as gzip, of which members may be repeated; an eighth of it in the others. */
function bomb(chain: readonly ContentCoding[]): Uint8Array {
  const [first, ...others] = chain as [ContentCoding, ...ContentCoding[]];
  let whole = bombs.get(first);
  if (whole === undefined) {
    const zeros = new Uint8Array(2 ** 27);
    // As strong as by default it takes seconds, and makes the same of zeros.
    whole = first === "br" ? brotliCompressSync(zeros, FAST) : encoders[first](zeros);
    if (first === "gzip") whole = concatBytes(new Array<Uint8Array>(8).fill(whole));
    bombs.set(first, whole);
  }
  return others.reduce<Uint8Array>((coded, coding) => encoders[coding](coded), whole);
}

const FAST = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };
const bombs = new Map<ContentCoding, Uint8Array>();
