import { describe, expect, it } from "vitest";
import { BodyAbortedError, BodyStream, type MultipartPart, readMultipart } from "../src/index.js";
import { all, body, fromLatin1, latin1 } from "./multipart-support.js";

const FORM = body(
  ['name="a"', "field"],
  ['name="f"; filename="x"', "0123456789".repeat(10), "Content-Type: x/y\r\n"],
  ['name="b"', ""],
);

/** A source that counts what is pulled out of it, and overwrites each piece when the next one is asked for. */
class Source implements AsyncIterable<Uint8Array> {
  readonly #pieces: readonly string[];
  pulled = 0;
  left = 0;
  failure: unknown;

  constructor(text: string, size = Math.max(1, text.length)) {
    this.#pieces = text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? [];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, undefined> {
    try {
      for (const piece of this.#pieces) {
        this.pulled++;
        const view = latin1(piece);
        yield view;
        view.fill(0xdb);
      }
      if (this.failure !== undefined) throw this.failure;
    } finally {
      this.left++;
    }
  }
}

async function text(part: AsyncIterable<Uint8Array>): Promise<string> {
  let read = "";
  for await (const view of part) read += fromLatin1(view);
  return read;
}

async function parts(source: AsyncIterable<Uint8Array>, limits = {}): Promise<[string, string][]> {
  const read: [string, string][] = [];
  for await (const part of readMultipart(source, "B", limits)) read.push([part.name, await text(part)]);
  return read;
}

describe("readMultipart", () => {
  it("gives parts with their bytes, whatever pieces the body comes in", async () => {
    const expected = [
      ["a", "field"],
      ["f", "0123456789".repeat(10)],
      ["b", ""],
    ];
    for (let size = 1; size <= FORM.length; size++)
      expect(await parts(new Source(FORM, size))).toEqual(expected);
  });

  it("tells heads before data: name, filename, type, fields", async () => {
    const heads: unknown[] = [];
    for await (const { name, filename, contentType, headers } of readMultipart(new Source(FORM), "B")) {
      heads.push([name, filename, contentType, headers.get("content-type")]);
    }
    expect(heads).toEqual([
      ["a", undefined, "text/plain", null],
      ["f", "x", "x/y", "x/y"],
      ["b", undefined, "text/plain", null],
    ]);
  });

  it("skips what is not read of a part: none of it, or some", async () => {
    for (let size = 1; size <= 40; size++) {
      const names: string[] = [];
      for await (const part of readMultipart(new Source(FORM, size), "B")) {
        names.push(part.name);
        if (part.name === "f") for await (const _ of part) break;
      }
      expect(names).toEqual(["a", "f", "b"]);
    }
  });

  it("pulls nothing that was not asked for", async () => {
    const source = new Source(FORM, 1);
    const reader = readMultipart(source, "B");
    expect(source.pulled).toBe(0);
    const { value: part } = await reader.next();
    const atHead = source.pulled;
    expect(atHead).toBe(FORM.indexOf("field"));
    const bytes = (part as MultipartPart)[Symbol.asyncIterator]();
    await bytes.next();
    expect(source.pulled).toBe(atHead + 1);
  });

  it("leaving the loop, in a part or between parts, leaves the source, once", async () => {
    for (const read of [false, true]) {
      const source = new Source(FORM, 7);
      for await (const part of readMultipart(source, "B")) {
        if (read) for await (const _ of part) break;
        break;
      }
      expect(source.left).toBe(1);
    }
  });

  it("checks the body to its end, and only then says that it is done", async () => {
    const source = new Source(`${FORM}epilogue`, 10);
    await parts(source);
    expect(source.pulled).toBe(Math.ceil((FORM.length + 8) / 10));
    await expect(parts(new Source(`${FORM}\r\n--B\r\n`, 10))).rejects.toMatchObject({
      code: "ERR_TW_MULTIPART_SYNTAX",
    });
    await expect(parts(new Source(FORM.slice(0, -6), 10))).rejects.toMatchObject({
      code: "ERR_TW_MULTIPART_TRUNCATED",
    });
  });

  it("S-10: throws the first error to whoever reads, leaves the source, and throws it again", async () => {
    const source = new Source(`${FORM.replace("\r\n--B--", "\r\n--Bad")}rest`.repeat(3), 10);
    const reader = readMultipart(source, "B");
    let error: unknown;
    try {
      for await (const part of reader) await text(part);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "ERR_TW_MULTIPART_SYNTAX", status: 400 });
    expect(source.left).toBe(1);
    await expect(reader.next()).rejects.toBe(error);
  });

  it("passes on how the source fails, in a part and between parts", async () => {
    const failure = new BodyAbortedError("gone");
    for (const cut of [FORM.indexOf("0123") + 5, FORM.indexOf("--B", 10) + 6]) {
      const source = new Source(FORM.slice(0, cut), 10);
      source.failure = failure;
      await expect(parts(source)).rejects.toBe(failure);
    }
  });

  it("throws at a wrong boundary and wrong limits at once", () => {
    expect(() => readMultipart(new Source(""), "")).toThrow(RangeError);
    expect(() => readMultipart(new Source(""), "B", { maxParts: -1 })).toThrow(RangeError);
  });

  it("takes maxParts and refuses one more", async () => {
    expect(await parts(new Source(FORM), { maxParts: 3 })).toHaveLength(3);
    await expect(parts(new Source(FORM), { maxParts: 2 })).rejects.toMatchObject({
      code: "ERR_TW_MULTIPART_TOO_MANY_PARTS",
    });
  });
});

describe("MultipartPart", () => {
  const first = async (data: string, size?: number) => {
    const { value } = await readMultipart(new Source(body(['name="a"', data]), size), "B").next();
    return value as MultipartPart;
  };

  it("bytes() and text() give all of it, the caller's own", async () => {
    const bytes = await (await first("\xc3\xa9\xff")).bytes();
    expect(bytes).toEqual(latin1("\xc3\xa9\xff"));
    expect(await (await first("\xc3\xa9", 1)).text()).toBe("é");
    expect(await (await first("")).text()).toBe("");
  });

  it("text() refuses what is not UTF-8", async () => {
    await expect((await first("\xff")).text()).rejects.toMatchObject({
      code: "ERR_TW_FORM_NOT_UTF8",
      status: 400,
    });
  });

  it("bytes() takes maxBytes and refuses one more with 413: 1 048 576 unless told otherwise", async () => {
    for (const size of [undefined, 3]) {
      expect(await (await first("x".repeat(10), size)).bytes({ maxBytes: 10 })).toHaveLength(10);
      const more = await first("x".repeat(11), size);
      await expect(more.bytes({ maxBytes: 10 })).rejects.toMatchObject({
        code: "ERR_TW_MULTIPART_PART_TOO_LARGE",
        status: 413,
      });
    }
    expect(await (await first("x".repeat(1_048_576), 65_536)).bytes()).toHaveLength(1_048_576);
    await expect((await first("x".repeat(1_048_577), 65_536)).text()).rejects.toMatchObject({ status: 413 });
    expect(await (await first("")).bytes({ maxBytes: 0 })).toHaveLength(0);
  });

  it("bytes() throws at a wrong maxBytes before anything is read", async () => {
    const part = await first("x");
    expect(() => part.bytes({ maxBytes: -1 })).toThrow(RangeError);
    expect(() => part.bytes({ maxBytes: "1" as never })).toThrow(TypeError);
    expect(await part.text()).toBe("x");
  });

  it("is read once: a second reader is ERR_TW_BODY_USED", async () => {
    const used = expect.objectContaining({ code: "ERR_TW_BODY_USED" });
    const part = await first("x");
    await part.bytes();
    expect(() => part.bytes()).toThrow(used);
    expect(() => part[Symbol.asyncIterator]()).toThrow(used);
    await expect(part.text()).rejects.toEqual(used);
  });

  it("is over when the next part was asked for, or the loop was left", async () => {
    const used = { code: "ERR_TW_BODY_USED" };
    const reader = readMultipart(new Source(FORM), "B");
    const { value } = await reader.next();
    const part = value as MultipartPart;
    await reader.next();
    await expect(part.bytes()).rejects.toMatchObject(used);
    const other = readMultipart(new Source(FORM), "B");
    const kept = (await other.next()).value as MultipartPart;
    await other.return?.();
    await expect(kept.bytes()).rejects.toMatchObject(used);
    expect(await other.next()).toEqual({ done: true, value: undefined });
  });

  it("the next part waits for nobody: asking while a part is read is ERR_TW_BODY_USED, and the part is read on", async () => {
    const stream = new BodyStream();
    const reader = readMultipart(stream, "B");
    const next = reader.next();
    const lease = stream.push(latin1(FORM.slice(0, FORM.indexOf("field"))));
    const part = (await next).value as MultipartPart;
    const reading = part.text();
    await expect(reader.next()).rejects.toMatchObject({ code: "ERR_TW_BODY_USED" });
    const twice = part.bytes.bind(part);
    expect(twice).toThrow(expect.objectContaining({ code: "ERR_TW_BODY_USED" }));
    await lease;
    const rest = stream.push(latin1(FORM.slice(FORM.indexOf("field"))));
    expect(await reading).toBe("field");
    await reader.return?.();
    await rest;
  });

  it("leaving the loop while a part is read ends that read with a typed error, and does not hang", async () => {
    const stream = new BodyStream();
    const reader = readMultipart(stream, "B");
    const next = reader.next();
    stream.push(latin1(FORM.slice(0, FORM.indexOf("field"))));
    const part = (await next).value as MultipartPart;
    const reading = part.text();
    await reader.return?.();
    await expect(reading).rejects.toMatchObject({ code: "ERR_TW_BODY_USED" });
    expect(stream.push(latin1("x"))).toBeUndefined();
  });

  it("a pull that ends behind a loop that was left is nobody's unhandled rejection", async () => {
    const reader = readMultipart(new Source(FORM.slice(0, 30)), "B");
    const next = reader.next();
    await reader.return?.();
    expect(await all({ [Symbol.asyncIterator]: () => reader })).toEqual([]);
    await next.catch(() => {});
  });
});
