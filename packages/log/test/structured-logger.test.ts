import { describe, expect, it } from "vitest";
import { nullLogger } from "../src/index.js";
import { jsonLogger } from "./support.js";

describe("StructuredLogger.level", () => {
  it("changes what is written from then on", () => {
    const { stream, logger } = jsonLogger();
    logger.debug("a");
    logger.level = "debug";
    logger.debug("b");
    logger.level = "silent";
    logger.fatal("c");
    expect(stream.records.map(({ msg }) => msg)).toEqual(["b"]);
    expect(logger.level).toBe("silent");
  });

  it("is followed by children until they are given their own", () => {
    const { stream, logger } = jsonLogger();
    const child = logger.child({ id: 1 });
    const own = logger.child({}, { level: "error" });
    logger.level = "debug";
    child.debug("follows");
    own.warn("does not");
    child.level = "warn";
    logger.level = "trace";
    child.info("not any more");
    expect(stream.records.map(({ msg }) => msg)).toEqual(["follows"]);
    expect([logger.level, child.level, own.level]).toEqual(["trace", "warn", "error"]);
  });

  it.each(["loud", "toString", "", undefined, 3])("refuses %s, and stays what it was", (bad) => {
    const { logger } = jsonLogger({ level: "warn" });
    expect(() => {
      logger.level = bad as never;
    }).toThrow(RangeError);
    expect(() => logger.child({}, { level: "loud" as never })).toThrow(RangeError);
    expect(logger.level).toBe("warn");
  });

  it("is asked by isLevelEnabled()", () => {
    const { logger } = jsonLogger({ level: "warn" });
    expect(
      (["debug", "warn", "fatal", "silent"] as const).map((level) => logger.isLevelEnabled(level)),
    ).toEqual([false, true, true, false]);
    expect(nullLogger.isLevelEnabled("fatal")).toBe(false);
  });
});

describe("StructuredLogger.child()", () => {
  it("adds its fields to each record, over those of its parent and under those of the record", () => {
    const { stream, logger } = jsonLogger();
    const child = logger.child({ a: 1, b: 1, c: 1 }).child({ b: 2, c: 2 }, { name: "inner" });
    child.info({ c: 3 }, "x");
    expect(stream.records[0]).toMatchObject({ name: "inner", a: 1, b: 2, c: 3 });
    expect(child.bindings()).toEqual({ a: 1, b: 2, c: 2 });
    logger.info("y");
    expect(stream.records[1]).not.toHaveProperty("a");
  });

  it("takes an object only", () => {
    for (const bad of [undefined, null, "x", 1]) {
      expect(() => jsonLogger().logger.child(bad as never)).toThrow(TypeError);
    }
  });

  it("throws TypeError on what are no options and on a name that is no string, with which it would say nothing", () => {
    const { logger } = jsonLogger();
    for (const bad of [null, "x", 1]) expect(() => logger.child({}, bad as never)).toThrow(TypeError);
    for (const name of [null, 5, {}])
      expect(() => logger.child({}, { name: name as never })).toThrow(/^name must be a string, got /);
  });
});

describe("the arguments of a record", () => {
  const said = (log: (logger: ReturnType<typeof jsonLogger>["logger"]) => void) => {
    const { stream, logger } = jsonLogger();
    log(logger);
    return stream.records[0] as { msg: string; err?: { message: string } };
  };

  it("fill the places of the message", () => {
    const circular: unknown[] = [];
    circular.push(circular);
    expect(
      said((log) => log.info("%s is %d of %i, %f, %%, %j %o", "a", "4", 7.9, 0.5, { x: 1n }, circular)).msg,
    ).toBe('a is 4 of 7, 0.5, %, {"x":"1"} ["[circular]"]');
    expect(said((log) => log.info({ a: 1 }, "%s", "x")).msg).toBe("x");
    expect(said((log) => log.info("%d %i %s %s", Symbol("s"), 3n, null)).msg).toBe("NaN 3 null %s");
  });

  it("leave a message without arguments as it is, %s of a client included", () => {
    expect(said((log) => log.info("100%d %s %%")).msg).toBe("100%d %s %%");
  });

  it("may be an error alone, one before the message, or one behind it", () => {
    const error = new Error("no stock");
    expect(said((log) => log.error(error))).toMatchObject({ msg: "no stock", err: { message: "no stock" } });
    expect(said((log) => log.error(error, "failed"))).toMatchObject({
      msg: "failed",
      err: { message: "no stock" },
    });
    expect(said((log) => log.error("failed", error))).toMatchObject({
      msg: "failed",
      err: { message: "no stock" },
    });
    expect(said((log) => log.error("%s failed", "x", error)).err).toMatchObject({ message: "no stock" });
  });

  it("may begin with no fields, and nothing behind that is lost", () => {
    for (const nothing of [undefined, null] as never[]) {
      expect(said((log) => log.info(nothing, "%s!", "done")).msg).toBe("done!");
      expect(said((log) => log.error(nothing, new Error("no stock") as never))).toMatchObject({
        msg: "no stock",
        err: { message: "no stock" },
      });
      expect(said((log) => log.info(nothing, { a: 1 } as never, "done"))).toMatchObject({
        msg: "done",
        a: 1,
      });
      expect(said((log) => log.child({ b: 2 }).info(nothing, "done"))).toMatchObject({ msg: "done", b: 2 });
    }
  });

  it("are left as they were, and an error behind them is added to a copy", () => {
    const fields = Object.freeze({ a: 1 });
    const { stream, logger } = jsonLogger();
    logger.error(fields, "failed", new Error("no stock"));
    logger.error({ ...fields, err: "kept" }, "failed", new Error("no stock"));
    expect(stream.records).toMatchObject([
      { a: 1, err: { message: "no stock" } },
      { a: 1, err: "kept" },
    ]);
  });

  it("cannot reach a prototype by their names", () => {
    const { stream, logger } = jsonLogger();
    const hostile = JSON.parse('{"__proto__":{"polluted":1}}') as object;
    logger.child({ x: 1 }).info(hostile, "x");
    expect(stream.text).toContain('"__proto__":{"polluted":1}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("may be nothing, or nonsense", () => {
    for (const bad of [undefined, null, 7, Symbol("s"), () => 1, Object.create(null), []]) {
      const record = said((log) => log.info(bad as never));
      expect(typeof record.msg).toBe("string");
    }
  });
});

it("a record whose making logs is written, and one whose making logs for ever ends", () => {
  const { stream, logger } = jsonLogger();
  const fields = {
    get x(): number {
      logger.info(fields, "inner");
      return 1;
    },
  };
  logger.info(fields, "outer");
  expect(stream.records.map(({ msg }) => msg)).toEqual(["inner", "inner", "outer"]);
});

it("flush() calls back at once", () => {
  let called = 0;
  jsonLogger().logger.flush(() => called++);
  jsonLogger().logger.flush();
  expect(called).toBe(1);
});
