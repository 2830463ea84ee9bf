import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { MAX_RECORD_LENGTH, MAX_TEXT_LENGTH } from "../src/budget.js";
import { MAX_CAUSES } from "../src/error-text.js";
import { createLogger } from "../src/index.js";
import { MAX_DEPTH, MAX_ENTRIES } from "../src/values.js";
import { jsonLogger, Lines } from "./support.js";

function logged(value: unknown): unknown {
  const { stream, logger } = jsonLogger();
  logger.info({ value }, "x");
  expect(stream.texts).toHaveLength(1);
  return stream.records[0]?.value;
}

const fail = (): never => {
  throw new Error("no");
};

describe("values of fields", () => {
  it("are said as plain JSON", () => {
    expect(logged(new Map([["a", { b: new Set([1]) }]]))).toEqual([["a", { b: [1] }]]);
    expect(logged([undefined, () => 1, null])).toEqual([null, "[function ]", null]);
    expect(logged([Number.NaN, Number.POSITIVE_INFINITY, -0, 10n ** 30n])).toEqual([
      "NaN",
      "Infinity",
      0,
      String(10n ** 30n),
    ]);
    expect(logged(new Date(0))).toBe("1970-01-01T00:00:00.000Z");
    expect(logged(new URL("http://a/b"))).toBe("http://a/b");
    expect(logged([new Uint16Array(4), new ArrayBuffer(3)])).toEqual(["[8 bytes]", "[3 bytes]"]);
    expect(logged(JSON.parse('{"__proto__":{"x":1}}'))).toEqual(JSON.parse('{"__proto__":{"x":1}}'));
  });

  it("that throw cost themselves only", () => {
    const getter = Object.defineProperty({ good: 1 }, "bad", { get: fail, enumerable: true });
    expect(logged(getter)).toEqual({ good: 1, bad: "[threw Error: no]" });
    expect(logged({ toJSON: fail })).toBe("[threw Error: no]");
    expect(logged(new Date(Number.NaN))).toBe(null);
    const traps = {
      ownKeys: fail,
      get: fail,
      getPrototypeOf: fail,
      has: fail,
      getOwnPropertyDescriptor: fail,
    };
    expect(logged({ ok: 1, proxy: new Proxy({}, traps) })).toMatchObject({
      ok: 1,
      proxy: "[threw Error: no]",
    });
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    expect(logged([1, revoked.proxy])).toEqual([1, expect.stringContaining("[threw TypeError")]);
    const unspeakable = {
      toJSON: () => {
        throw { toString: fail };
      },
    };
    expect(logged(unspeakable)).toBe("[threw [unreadable]]");
  });

  it("of which a getter throws at the top of the record leave the others", () => {
    const { stream, logger } = jsonLogger();
    logger.info(Object.defineProperty({ good: 1 }, "bad", { get: fail, enumerable: true }), "x");
    expect(stream.records[0]).toMatchObject({ msg: "x", good: 1, bad: "[threw Error: no]" });
  });

  it("that refer to themselves are said once, and twice where they stand twice", () => {
    const twice = { a: 1 };
    const cycle: Record<string, unknown> = { first: twice, second: twice };
    cycle.self = [cycle];
    expect(logged(cycle)).toEqual({ first: { a: 1 }, second: { a: 1 }, self: ["[circular]"] });
    const endless = (): object => ({ toJSON: endless });
    expect(logged(endless())).toBe("[Object]");
  });

  it(`are written ${MAX_DEPTH} objects deep`, () => {
    const nest = (depth: number): object => (depth === 0 ? [] : { x: nest(depth - 1) });
    expect(JSON.stringify(logged(nest(MAX_DEPTH - 1)))).toContain("[]");
    expect(JSON.stringify(logged(nest(MAX_DEPTH)))).toContain('"[Array]"');
  });

  it(`are written with ${MAX_ENTRIES} entries, and say how many more there are`, () => {
    expect(logged(Array(MAX_ENTRIES).fill(0))).toHaveLength(MAX_ENTRIES);
    expect((logged(Array(MAX_ENTRIES + 1).fill(0)) as unknown[]).at(-1)).toBe("… (1 more)");
    const wide = (size: number) => Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i]));
    expect(logged(wide(MAX_ENTRIES))).toEqual(wide(MAX_ENTRIES));
    expect(logged(wide(MAX_ENTRIES + 1))).toMatchObject({ "…": "(1 more)" });
  });

  it(`are cut at ${MAX_TEXT_LENGTH} characters each, keys included`, () => {
    expect(logged("v".repeat(MAX_TEXT_LENGTH))).toHaveLength(MAX_TEXT_LENGTH);
    expect(logged("v".repeat(MAX_TEXT_LENGTH + 1))).toMatch(/v… \(1 more\)$/);
    expect(Object.keys(logged({ ["k".repeat(MAX_TEXT_LENGTH + 1)]: 1 }) as object)[0]).toMatch(
      /k… \(1 more\)$/,
    );
  });

  it.each(["json", "pretty"] as const)("of one record are bounded together: %s", (format) => {
    const stream = new Lines();
    const logger = createLogger({ stream, format, color: false });
    const long = Array.from({ length: 60 }, () => "v".repeat(10_000));
    logger.info(
      { long, ...Object.fromEntries(long.map((text, i) => [`f${i}`, text])), err: new Error("kept") },
      "x",
    );
    const wide: unknown = Array.from({ length: 7 }).reduce(
      (inner: unknown) => Array(100).fill(inner),
      "leaf",
    );
    logger.info({ wide }, "x");
    const hollow: unknown = Array.from({ length: 3 }).reduce((inner: unknown) => Array(100).fill(inner), {});
    logger.info({ hollow }, "x");
    for (const text of stream.texts) expect(text.length).toBeLessThan(3 * MAX_RECORD_LENGTH);
    if (format === "pretty") expect(stream.texts[0]).toContain("Error: kept");
  });
});

describe("errors", () => {
  const asJson = (err: unknown) => logged(err) as Record<string, unknown>;

  it("are written with their code, causes and own properties", () => {
    const below = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const err = Object.assign(new TypeError("above", { cause: below }), { code: "ERR_SHOP", port: 1 });
    expect(asJson(err)).toMatchObject({ type: "TypeError", code: "ERR_SHOP", message: "above", port: 1 });
    expect(asJson(err).stack).toMatch(
      /^TypeError: above \[ERR_SHOP\]\n[\s\S]*\nCaused by: Error: connect ECONNREFUSED\n/,
    );
  });

  it("are written with the errors they are an aggregate of", () => {
    const err = new AggregateError([new Error("first"), "second"], "all failed");
    expect(asJson(err).stack).toMatch(
      /^AggregateError: all failed\n[\s\S]*\n1 of 2: Error: first\n[\s\S]*\n2 of 2: second$/,
    );
  });

  it("of another realm are errors too", () => {
    expect(asJson(runInNewContext("new RangeError('far')"))).toMatchObject({
      type: "RangeError",
      message: "far",
    });
  });

  it(`are written with ${MAX_CAUSES} causes`, () => {
    const chain = (length: number): Error =>
      new Error(`e${length}`, length === 0 ? {} : { cause: chain(length - 1) });
    expect(String(asJson(chain(20)).stack).match(/Caused by/g)).toHaveLength(MAX_CAUSES);
  });

  it("that hide behind getters are still said", () => {
    const err = new Error("x");
    for (const key of ["stack", "name", "message", "code", "cause", "errors", "own"]) {
      Object.defineProperty(err, key, { get: fail, enumerable: true });
    }
    expect(asJson(err)).toMatchObject({
      type: "[unreadable]",
      message: "[unreadable]",
      own: "[threw Error: no]",
    });
  });

  it.each([
    ["null", null],
    ["text", "text"],
    ['{"a":1}', { a: 1 }],
  ])("may be no errors: %s", (text, err) => {
    const stream = new Lines();
    createLogger({ stream, format: "pretty" }).error({ err }, "failed");
    expect(stream.text).toContain(`failed\n    ${text}\n`);
  });
});

it("pretty fields that could be read as two are quoted", () => {
  const stream = new Lines();
  createLogger({ stream, format: "pretty" }).info(
    { a: "x admin=true", b: "", c: 'say "hi"', d: "plain/ü", e: undefined },
    "m",
  );
  expect(stream.text).toMatch(/ m a="x admin=true" b="" c="say \\"hi\\"" d=plain\/ü\n$/);
});
