// Beside another encoder and another parser of forms: those that Node brings along.

import { describe, expect, it } from "vitest";
import { boundaryOf, isFieldText, MultipartParser } from "../src/index.js";
import { body, fromUtf8, latin1, outcome, parse, type ReadPart, raw, utf8 } from "./multipart-support.js";
import { dice, garbage } from "./support.js";

interface Entry {
  readonly name: string;
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
  readonly data: string;
}

/** What Node makes of a form: bytes and their type. */
async function encode(entries: readonly Entry[]): Promise<[bytes: Uint8Array, contentType: string]> {
  const form = new FormData();
  for (const { name, filename, contentType, data } of entries) {
    if (filename === undefined) form.append(name, data);
    else form.append(name, new Blob([utf8(data)], { type: contentType ?? "" }), filename);
  }
  const response = new Response(form);
  return [new Uint8Array(await response.arrayBuffer()), response.headers.get("content-type") ?? ""];
}

/** What Node reads out of a form, or `undefined` when it refuses. */
async function decode(bytes: Uint8Array, contentType: string): Promise<Entry[] | undefined> {
  try {
    const form = await new Response(bytes, { headers: { "Content-Type": contentType } }).formData();
    return await Promise.all(
      [...form].map(async ([name, value]) =>
        typeof value === "string"
          ? { name, filename: undefined, contentType: undefined, data: value }
          : { name, filename: value.name, contentType: value.type, data: await value.text() },
      ),
    );
  } catch {
    return undefined;
  }
}

const text = (part: ReadPart) => fromUtf8(latin1(part.data));

describe("a form that Node has encoded", () => {
  it("is read as it was meant, whatever is in its names and values", async () => {
    const pieces = [
      "a",
      "€",
      '"',
      "\r\n",
      "\r",
      "\n",
      "--",
      ";",
      "=",
      " ",
      "%",
      "%41",
      "'",
      "é",
      "\u{1f600}",
      "\0",
      "\t",
    ];
    const texts = [...garbage(pieces, 600)];
    for (let i = 0; i + 3 <= texts.length; i += 3) {
      const [name = "", filename = "", data = ""] = texts.slice(i, i + 3);
      if (!isFieldText(raw((name + filename).replace(/[\r\n]/g, "")))) continue; // controls, which no head may hold
      const entries: Entry[] = [
        { name: `n${name}`, filename: undefined, contentType: undefined, data },
        { name: "f", filename: `x${filename}`, contentType: "text/x", data },
      ];
      const [bytes, contentType] = await encode(entries);
      const parts = parse([bytes], {}, boundaryOf(contentType));
      // HTML normalises the line ends of names and of text values; it escapes CR, LF and the quote, but no percent sign.
      const lines = (value: string) => value.replace(/\r\n|\r|\n/g, "\r\n");
      expect(parts.map((part) => [part.name, part.filename, text(part)])).toEqual([
        [`n${lines(name)}`, undefined, lines(data)],
        ["f", `x${filename}`, data],
      ]);
      expect(parts[1]?.contentType).toBe("text/x");
    }
  });
});

describe("a form that both read", () => {
  const seeds = [
    body(['name="a"', "1"], ['name="f"; filename="x.txt"', "data", "Content-Type: text/plain\r\n"]),
    body([raw('name="€"'), "\r\n--\r\n"], ['name="b%22"', ""]),
    body(['name="a"; filename=""', ""], ["name=b", "--"]),
  ];
  const mutations = [
    "\r",
    "\n",
    "\r\n",
    "-",
    "--",
    "--B",
    "\r\n--B",
    "--B--",
    '"',
    ";",
    ":",
    " ",
    "\\",
    "%22",
    "\0",
    "\xff",
    "x",
    "=",
  ];

  /** One or a few changes at random places: something removed, put in, repeated, or turned around. */
  function* mutants(count: number): Generator<string> {
    const random = dice(7);
    for (let i = 0; i < count; i++) {
      let mutant = seeds[random(seeds.length)] as string;
      for (let n = random(3); n >= 0; n--) {
        const at = random(mutant.length + 1);
        const end = Math.min(mutant.length, at + random(8));
        const put = random(2) === 0 ? "" : (mutations[random(mutations.length)] as string);
        const repeated = random(8) === 0 ? mutant.slice(0, at) : "";
        mutant = mutant.slice(0, at) + put + mutant.slice(random(3) === 0 ? at : end) + repeated;
      }
      yield mutant;
    }
  }

  it("for all bytes: parts or an HTTPInputError, never another error; and cutting them never changes which", () => {
    const random = dice(11);
    let accepted = 0;
    for (const mutant of mutants(20_000)) {
      const whole = outcome(() => parse([mutant]));
      if (whole.startsWith("[")) accepted++;
      const at = random(mutant.length + 1);
      const second = at + random(mutant.length - at + 1);
      expect(
        outcome(() => parse([mutant.slice(0, at), mutant.slice(at, second), mutant.slice(second)])),
      ).toBe(whole);
      if (random(20) === 0) expect(outcome(() => parse([...mutant]))).toBe(whole);
    }
    expect(accepted).toBeGreaterThan(1000);
  });

  it("has the same parts for both: nobody is shown another form than a filter in front has seen", async () => {
    let compared = 0;
    for (const mutant of mutants(4000)) {
      let parts: ReadPart[];
      try {
        parts = parse([mutant]);
      } catch {
        continue;
      }
      const entries = await decode(latin1(mutant), "multipart/form-data; boundary=B");
      if (entries === undefined) continue;
      compared++;
      expect(entries.map(({ name, filename, data }) => [name, filename || undefined, data])).toEqual(
        parts.map((part) => [part.name, part.filename, text(part)]),
      );
    }
    expect(compared).toBeGreaterThan(300);
  });
});

describe("garbage", () => {
  it("is refused with an HTTPInputError wherever it stands in a head", () => {
    const pieces = [
      "form-data",
      ";",
      "name",
      "=",
      '"',
      "\\",
      "filename*",
      "UTF-8''",
      "%",
      "%e2",
      "\t",
      ":",
      "a",
      "filename=",
    ];
    for (const piece of garbage(pieces, 5000)) {
      const parser = new MultipartParser("B");
      parser.receive(utf8(`--B\r\nContent-Disposition: ${piece}\r\n\r\n`));
      try {
        expect(parser.next()).toMatchObject({ type: "part" });
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_TW_MULTIPART_HEAD", status: 400 });
      }
    }
  });
});
