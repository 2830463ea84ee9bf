import { describe, expect, it, vi } from "vitest";
import { createLogger, type LoggerOptions, type LogStream, nullLogger } from "../src/index.js";

const NOON = new Date(2026, 10, 21, 10, 11, 12).getTime();

class Lines implements LogStream {
  readonly texts: string[] = [];
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.texts.push(text);
  }

  get text(): string {
    return this.texts.join("");
  }
}

function pretty(options: LoggerOptions = {}) {
  const stream = new Lines();
  const logger = createLogger({
    name: "shop",
    clock: () => NOON,
    format: "pretty",
    color: false,
    stream,
    ...options,
  });
  return { stream, logger };
}

function json(options: LoggerOptions = {}) {
  const stream = new Lines();
  const logger = createLogger({ name: "shop", clock: () => NOON, format: "json", stream, ...options });
  return { stream, logger, parsed: () => JSON.parse(stream.text) as Record<string, unknown> };
}

describe("pretty lines", () => {
  it("look like Tornado's: level, local date and time, name, message, fields", () => {
    const { stream, logger } = pretty();
    logger.info({ port: 8888, host: "::1" }, "listening");
    logger.warn("slow");
    expect(stream.texts).toEqual([
      "[I 261121 10:11:12 shop] listening port=8888 host=::1\n",
      "[W 261121 10:11:12 shop] slow\n",
    ]);
  });

  it("pad single digits", () => {
    const { stream, logger } = pretty({ clock: () => new Date(2006, 0, 2, 3, 4, 5).getTime() });
    logger.error("x");
    expect(stream.text).toBe("[E 060102 03:04:05 shop] x\n");
  });

  it("show the error and its causes, each line indented by four", () => {
    const { stream, logger } = pretty();
    logger.error({ err: new Error("above", { cause: new Error("below") }) }, "failed");
    const lines = stream.text.split("\n");
    expect(lines[0]).toBe("[E 261121 10:11:12 shop] failed");
    expect(lines[1]).toBe("    Error: above");
    expect(lines).toContain("    Caused by: Error: below");
    for (const line of lines.slice(1, -1)) expect(line).toMatch(/^ {4}/);
  });

  it("colour the head on request, and only the head", () => {
    const { stream, logger } = pretty({ color: true });
    logger.error("x");
    expect(stream.text).toBe("\u001b[31m[E 261121 10:11:12 shop]\u001b[0m x\n");
  });
});

describe("what a client can put into a line", () => {
  const attack = "a\r\n[E 261121 10:11:12 shop] forged\u001b[2J\u009b2J\u007f\u2028\u202e\u0000\t";
  const shown = "a\\r\\n[E 261121 10:11:12 shop] forged\\u001b[2J\\u009b2J\\u007f\\u2028\\u202e\\u0000\\t";

  it("is escaped in the message, the fields, their names and the logger's name", () => {
    const { stream, logger } = pretty({ name: "n\n" });
    logger.info({ path: attack, [attack]: 1, deep: { x: attack } }, attack);
    expect(stream.text).toContain(`n\\n] ${shown} path="${shown}" "${shown}"=1 deep=`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about them
    expect(stream.text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  });

  it("cannot pass for two fields by its name", () => {
    const { stream, logger } = pretty();
    logger.warn({ "x=1 user=root": "no", 'say "hi"': 1, "": 2, "content-type": "a b", name: "n" }, "m");
    expect(stream.text).toBe(
      `[W 261121 10:11:12 shop] m "x=1 user=root"=no "say \\"hi\\""=1 ""=2 content-type="a b" name=n\n`,
    );
  });

  it("cannot begin a record from within an error's message", () => {
    const { stream, logger } = pretty();
    logger.error({ err: new Error(attack) }, "failed");
    for (const line of stream.text.split("\n").slice(1, -1)) expect(line).toMatch(/^ {4}/);
    expect(stream.text).not.toContain("\u001b");
    expect(stream.text).not.toContain("\r");
  });

  it("is one parseable line in JSON, and comes back unchanged", () => {
    const { stream, logger, parsed } = json();
    logger.info({ path: attack }, attack);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test is about them
    expect(stream.text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(parsed()).toMatchObject({ path: attack, msg: attack });
  });

  it("is cut at 16384 characters, and says by how much", () => {
    const { stream, logger } = pretty();
    logger.info("m".repeat(16_384));
    logger.info("m".repeat(16_385));
    logger.info({ f: "f".repeat(20_000), err: new Error("e".repeat(20_000)) }, "x");
    expect(stream.texts[0]).toMatch(/ m{16384}\n$/);
    expect(stream.texts[1]).toMatch(/ m{16384}… \(1 more\)\n$/);
    expect(stream.texts[2]?.length).toBeLessThan(34_000);
  });
});

describe("JSON lines", () => {
  it("carry time, level, name, message and fields, which cannot replace the first four", () => {
    const { logger, parsed } = json();
    logger.warn({ a: 1, level: "fake", time: 0, msg: "fake", name: "fake", gone: undefined }, "real");
    const own = { time: NOON, level: "warn", name: "shop", msg: "real" };
    expect(parsed()).toEqual({ ...own, a: 1, level_: "fake", time_: 0, msg_: "fake", name_: "fake" });
  });

  it("carry a field of such a name under one that no other field has", () => {
    const { logger, parsed, stream } = json();
    logger.child({ name: "ann" }).info({ name_: "bob", name__: "cid", msg: undefined, time_: 1 }, "x");
    expect(parsed()).toEqual({
      time: NOON,
      level: "info",
      name: "shop",
      msg: "x",
      name___: "ann",
      name_: "bob",
      name__: "cid",
      time_: 1,
    });
    expect(stream.text.match(/"name_*":/g)).toHaveLength(4);
  });

  it("carry errors with type, code, message and stack", () => {
    const { logger, parsed } = json();
    const err = Object.assign(new TypeError("bad", { cause: new Error("below") }), { code: "ECONNRESET" });
    logger.error({ err }, "x");
    expect(parsed().err).toMatchObject({ type: "TypeError", code: "ECONNRESET", message: "bad" });
    expect((parsed().err as { stack: string }).stack).toContain("Caused by: Error: below");
  });

  it("survive BigInt, symbols, functions, bytes, cycles, throwing getters and toJSON", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const bad = {
      toJSON: () => {
        throw new Error("no");
      },
    };
    const { logger, parsed } = json();
    logger.info(
      { big: 10n, sym: Symbol("s"), fn: function named() {}, bytes: new Uint8Array(3), cycle, bad },
      "x",
    );
    expect(parsed()).toMatchObject({
      big: "10",
      sym: "Symbol(s)",
      fn: "[function named]",
      bytes: "[3 bytes]",
      cycle: { self: "[circular]" },
      bad: "[threw Error: no]",
    });
  });

  it("end with errors whose causes go round in a circle", () => {
    const err = new Error("a");
    err.cause = err;
    const { logger, stream } = json();
    logger.error({ err }, "x");
    expect(stream.texts).toHaveLength(1);
    expect(JSON.parse(stream.text).err.stack).toMatch(/Caused by: \[circular\]$/);
  });
});

describe("createLogger()", () => {
  it.each([
    ["trace", 6],
    ["debug", 5],
    ["info", 4],
    ["warn", 3],
    ["error", 2],
    ["fatal", 1],
    ["silent", 0],
  ] as const)("at level %s writes %i of six records", (level, count) => {
    const { stream, logger } = pretty({ level });
    logger.silent("s");
    logger.trace("t");
    logger.fatal("f");
    logger.debug("d");
    logger.info("i");
    logger.warn("w");
    logger.error("e");
    expect(stream.texts).toHaveLength(count);
  });

  it("leaves debug out by default", () => {
    const { stream, logger } = pretty();
    logger.debug("d");
    expect(stream.texts).toEqual([]);
  });

  it("writes for people on a terminal and JSON elsewhere", () => {
    vi.stubEnv("NO_COLOR", "1");
    const terminal = new Lines(true);
    const file = new Lines(false);
    createLogger({ stream: terminal }).info("x");
    createLogger({ stream: file }).info("x");
    expect(terminal.text).toMatch(/^\[I \d{6} .* tw\.application\] x\n$/);
    expect(JSON.parse(file.text)).toMatchObject({ msg: "x", name: "tw.application" });
  });

  it("colours a terminal unless NO_COLOR is set to something", () => {
    vi.stubEnv("NO_COLOR", "");
    const colored = new Lines(true);
    createLogger({ stream: colored }).info("x");
    vi.stubEnv("NO_COLOR", "1");
    const plain = new Lines(true);
    createLogger({ stream: plain }).info("x");
    expect(colored.text).toContain("\u001b[32m");
    expect(plain.text).not.toContain("\u001b");
  });

  it("throws TypeError on what are no options and on a name that is no string", () => {
    expect(() => createLogger("shop" as never)).toThrow('got "shop": give { name: "shop" }');
    for (const bad of [5, null, []]) expect(() => createLogger(bad as never)).toThrow(TypeError);
    for (const bad of [5, null, {}])
      expect(() => createLogger({ name: bad as never })).toThrow(/^name must be a string, got /);
  });

  it("throws TypeError on what is no stream or clock, with which it would say nothing for ever", () => {
    for (const bad of [5, null, {}, "x", () => true])
      expect(() => createLogger({ stream: bad as never })).toThrow(/^stream must have write\(\), got /);
    for (const bad of [5, null, {}])
      expect(() => createLogger({ clock: bad as never })).toThrow(/^clock must be a function, got /);
  });

  it("throws RangeError on an unknown level or format", () => {
    expect(() => createLogger({ level: "loud" as never })).toThrow(RangeError);
    expect(() => createLogger({ level: "toString" as never })).toThrow(RangeError);
    expect(() => createLogger({ format: "xml" as never })).toThrow(RangeError);
  });

  it("never throws into the code that logs, whatever clock, fields or stream do", () => {
    const fail = () => {
      throw new Error("broken");
    };
    const fields = Object.defineProperty({}, "x", { get: fail, enumerable: true });
    expect(() => pretty({ clock: fail }).logger.info("x")).not.toThrow();
    expect(() => pretty({ stream: { write: fail } }).logger.info("x")).not.toThrow();
    expect(() => pretty().logger.info(fields, "x")).not.toThrow();
    expect(() => json().logger.info(undefined as never, undefined as never)).not.toThrow();
  });

  it("reads the wall clock where no clock is given", () => {
    const { parsed, logger } = json({ clock: undefined as never });
    const before = Date.now();
    logger.info("x");
    expect(parsed().time).toBeGreaterThanOrEqual(before);
    expect(parsed().time).toBeLessThanOrEqual(Date.now());
  });

  it("has methods that work when taken off it", () => {
    const { stream, logger } = pretty();
    const { info } = logger;
    info("x");
    expect(stream.texts).toHaveLength(1);
  });
});

it("nullLogger drops everything", () => {
  const write = vi.spyOn(process.stderr, "write");
  nullLogger.error({ err: new Error("x") }, "y");
  expect(write).not.toHaveBeenCalled();
  write.mockRestore();
});
