// Sections found by WebAssembly: the same as those found byte by byte, and none that has something wrong with it.
import { readFileSync } from "node:fs";
import { HTTPHeaders, HTTPInputError } from "@tw/httputil";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HTTP1Machine, resolveHTTP1Options } from "../src/index.js";
import { InputWindow } from "../src/input-window.js";
import { lines } from "../src/section-lines.js";
import { randomFrom, upTo } from "../src/testing/random.js";
import { scanWhole } from "../src/whole-sections.js";
import { bytes, OK, run } from "./helpers.js";

/** What is found, with its lines. */
type Found = { readonly length: number; readonly tokenEnds: number[]; readonly ends: number[] } | undefined;

const found = (length: number, { count, tokenEnds, ends } = lines): Found =>
  length <= 0
    ? undefined
    : { length, tokenEnds: [...tokenEnds.subarray(0, count)], ends: [...ends.subarray(0, count)] };

function windowOn(view: Uint8Array, at = 0): InputWindow {
  const input = new InputWindow();
  input.push(view);
  input.at = at;
  return input;
}

const whole = (view: Uint8Array, at = 0, stop = view.length): Found =>
  found(scanWhole(windowOn(view, at), stop));

/** The scanner of a runtime without WebAssembly. */
async function bytewise(): Promise<(view: Uint8Array, at?: number) => Found> {
  vi.stubGlobal("WebAssembly", undefined);
  vi.resetModules();
  const { scanSection } = await import("../src/section-scanner.js");
  const { lines } = await import("../src/section-lines.js");
  const other = await import("../src/whole-sections.js");
  vi.unstubAllGlobals();
  expect(other.scanWhole(windowOn(bytes("\r\n")), 2)).toBe(0);
  return (view, at = 0) => {
    try {
      const length = scanSection(windowOn(view, at), 1 << 20, () => new HTTPInputError("too large"));
      return found(length, lines);
    } catch {
      return undefined;
    }
  };
}

afterEach(() => vi.unstubAllGlobals());

it("is here at all: this runtime has WebAssembly with vectors", () => {
  expect(whole(bytes("GET / HTTP/1.1\r\nA: b\r\n\r\n"))).toEqual({
    length: 24,
    tokenEnds: [3, 17],
    ends: [14, 20],
  });
  expect(whole(bytes("\r\n"))).toEqual({ length: 2, tokenEnds: [], ends: [] });
});

it("is what its source says", async () => {
  const { compile } = await import("../wat/compile.mjs");
  expect(readFileSync(new URL("../src/section-scan.ts", import.meta.url), "utf8")).toBe(await compile());
});

describe("finds what is found byte by byte", () => {
  it("with each byte at each place of a line and of a vector", async () => {
    const expected = await bytewise();
    let refused = 0;
    for (let byte = 0; byte < 256; byte++) {
      for (let pad = 0; pad < 17; pad++) {
        const view = bytes(`${"n".repeat(pad)}-name: ${"v".repeat(pad)}-value\r\n-\r\n\r\nrest`);
        for (const place of [pad, pad + 8 + pad, view.length - 9, view.length - 8, view.length - 6]) {
          const changed = view.slice();
          changed[place] = byte;
          const result = whole(changed);
          expect(result, `0x${byte.toString(16)} at ${place}`).toEqual(expected(changed));
          if (result === undefined) refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });

  it.each([1, 2, 3])("in random bytes of the kinds that matter, at any place (seed %i)", async (seed) => {
    const expected = await bytewise();
    const random = randomFrom(seed);
    const parts = [
      "GET",
      " ",
      ":",
      "\r\n",
      "\r\n",
      "\r\n\r\n",
      "\t",
      "x".repeat(15),
      "x".repeat(16),
      "\xe9",
      "\x7f",
      "\n",
      "\r",
      "\0",
    ];
    let sections = 0;
    for (let i = 0; i < 20_000; i++) {
      let text = "";
      for (let n = upTo(random, 12); n >= 0; n--)
        text += parts[Math.min(upTo(random, 40), upTo(random, parts.length - 1))] ?? "";
      const view = bytes(text);
      const at = upTo(random, view.length);
      const result = whole(view, at);
      expect(result, JSON.stringify([text, at])).toEqual(expected(view, at));
      if (result !== undefined) sections++;
    }
    expect(sections).toBeGreaterThan(1000);
  });
});

it("says nothing of a section that is cut anywhere, whatever was there before", () => {
  const view = bytes("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/plain, */*\r\n\r\n");
  for (let stop = 0; stop <= view.length; stop++) {
    // The memory holds the whole of it just now.
    expect(whole(view)?.length).toBe(view.length);
    expect(whole(view.subarray(0, stop))?.length).toBe(stop === view.length ? stop : undefined);
    expect(whole(view, 0, stop)?.length).toBe(stop === view.length ? stop : undefined);
  }
});

it.each([
  ["4096 bytes", 4096, true],
  ["4097 bytes", 4097, false],
])("a section of %s", (_, size, is) => {
  const view = bytes(`A: ${"b".repeat(size - 7)}\r\n\r\n`);
  expect(view.length).toBe(size);
  expect(whole(view)?.length).toBe(is ? size : undefined);
  // Behind another one, with which it does not fit into one copy.
  const behind = bytes(`A: b\r\n\r\n${Buffer.from(view).toString("latin1")}`);
  const input = windowOn(behind);
  expect(scanWhole(input, behind.length)).toBe(8);
  input.at = 8;
  expect(scanWhole(input, behind.length)).toBe(is ? size : 0);
});

it.each([40, 4095, 4096, 4097])(
  "a head of maxHeadSize is read, and a longer one is not: %i bytes",
  (size) => {
    const get = (length: number): string =>
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(length - 32)}\r\n\r\n`;
    expect(get(size).length).toBe(size);
    for (const before of ["", get(40)]) {
      const wire = (length: number): string => `${before}${get(length)}${get(40)}`;
      const events = (length: number): string[] =>
        run({ role: "server", wire: wire(length), options: { maxHeadSize: size } }, [1e6]);
      expect(events(size).filter((line) => line.startsWith("request "))).toHaveLength(before === "" ? 2 : 3);
      expect(events(size + 1).at(-1)).toBe("error 431 ERR_TW_HEAD_TOO_LARGE");
    }
  },
);

it("a section of as many lines as there can be in a copy", async () => {
  const expected = await bytewise();
  const view = bytes(`${"a\r\n".repeat(1363)}abc\r\n\r\n`);
  expect(view.length).toBe(4096);
  expect(whole(view)?.ends.length).toBe(1364);
  expect(whole(view)).toEqual(expected(view));
});

describe("what a peer sends is copied once, whatever it is:", () => {
  const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
  it.each([
    ["requests of a few bytes", get("")],
    ["with blank lines in front", `\r\n${get("")}`],
    ["with bodies of a few bytes", `${get("Content-Length: 3\r\n")}abc`],
    ["with trailers", `${get("Transfer-Encoding: chunked\r\n")}1\r\na\r\n0\r\nA: b\r\n\r\n`],
    ["with many fields", get("a:\r\n".repeat(200))],
  ])("%s", (_, request) => {
    const wire = request.repeat(Math.ceil(50_000 / request.length));
    const set = vi.spyOn(Uint8Array.prototype, "set");
    const events = run({ role: "server", wire }, [wire.length]);
    // Those into the first 4096 bytes of a memory.
    const copies = set.mock.calls.filter((_, i) => (set.mock.contexts[i] as Uint8Array).length === 4096);
    set.mockRestore();
    expect(events.at(-1)).toMatch(/^(end| {2}A)/);
    // And some of it twice: the section that each copy cuts.
    const most = wire.length + copies.length * request.length;
    expect(copies.reduce((sum, [from]) => sum + from.length, 0)).toBeLessThanOrEqual(most);
    expect(copies.length).toBeLessThan(20);
  });
});

describe("all are found byte by byte where", () => {
  const view = bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  async function isFoundElsewhere(): Promise<void> {
    vi.resetModules();
    const whole = await import("../src/whole-sections.js");
    const { scanSection } = await import("../src/section-scanner.js");
    vi.unstubAllGlobals();
    expect(whole.scanWhole(windowOn(view), view.length)).toBe(0);
    expect(scanSection(windowOn(view), 100, () => new HTTPInputError("too large"))).toBe(view.length);
  }

  it.each([
    ["no address space is left for a memory", "Instance", RangeError],
    ["code may not be made, as a Content-Security-Policy says", "Module", Error],
  ])("%s", async (_, name, Refusal) => {
    const refused = class {
      constructor() {
        throw new Refusal("refused");
      }
    };
    const { Module, Instance } = Reflect.get(globalThis, "WebAssembly");
    vi.stubGlobal("WebAssembly", { Module, Instance, [name]: refused });
    await isFoundElsewhere();
  });

  it("the machine writes numbers from their high byte on, and WebAssembly does not", async () => {
    const { of } = Int32Array;
    vi.spyOn(Int32Array, "of").mockImplementation((number = 0) => of.call(Int32Array, number << 24));
    try {
      await isFoundElsewhere();
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe("the copy is of the bytes that are there now", () => {
  const request = (path: string): Uint8Array => bytes(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const machine = (): HTTP1Machine => new HTTP1Machine("server", resolveHTTP1Options());
  function answer(one: HTTP1Machine): void {
    expect(one.next()).toMatchObject({ type: "end" });
    one.writeHead(OK, new HTTPHeaders(), { contentLength: 0 });
    one.writeEnd();
    one.startNextCycle();
  }

  it("where the same view is filled again", () => {
    const view = request("/first");
    expect(whole(view)?.length).toBe(view.length);
    const input = windowOn(view);
    expect(scanWhole(input, view.length)).toBe(view.length);
    input.at = input.end;
    view.set(bytes("GET /oth\0r"));
    input.push(view);
    expect(scanWhole(input, view.length)).toBe(0);
  });

  it("where a machine is fed while another one is read", () => {
    const [one, two] = [machine(), machine()];
    one.receive(bytes("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /22 HTTP/1.1\r\nHost: bb\r\n\r\n"));
    expect(one.next()).toMatchObject({ type: "request", target: "/1" });
    two.receive(bytes("DELETE /333 HTTP/1.1\r\nHost: ccc\r\n\r\n"));
    expect(two.next()).toMatchObject({ type: "request", target: "/333" });
    answer(one);
    expect(one.next()).toMatchObject({ type: "request", method: "POST", target: "/22" });
  });

  it("where what is left was retained, and the view has others now", () => {
    const one = machine();
    const view = bytes("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    one.receive(view);
    expect(one.next()).toMatchObject({ target: "/1" });
    one.retain();
    view.fill(0);
    answer(one);
    expect(one.next()).toMatchObject({ target: "/second" });
  });

  it("where nothing is left, and the machine is asked again", () => {
    const one = machine();
    one.receive(bytes("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"));
    expect(one.next()).toMatchObject({ type: "request" });
    expect(one.next()).toBeUndefined();
    one.retain();
    expect(one.next()).toBeUndefined();
    one.receive(bytes("A: b\r\n\r\n"));
    const end = one.next();
    expect(end?.type === "end" && end.trailers?.get("A")).toBe("b");
  });

  it("is not held for a window that was cleared", () => {
    const view = request("/");
    const input = windowOn(view);
    scanWhole(input, view.length);
    input.clear();
    input.push(bytes("x".repeat(view.length)));
    expect(scanWhole(input, view.length)).toBe(0);
  });
});
