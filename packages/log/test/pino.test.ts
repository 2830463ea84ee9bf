// The methods of a pino logger and of ours fit where the other's are taken: in types, and when called.

import type { Logger } from "@tw/util";
import { type BaseLogger, pino } from "pino";
import { describe, expect, expectTypeOf, it } from "vitest";
import { createLogger, logContext, type StructuredLogger, withLogContext } from "../src/index.js";
import { jsonLogger, Lines } from "./support.js";

/** What programs written for pino ask for; fastify's `FastifyBaseLogger` is of this shape. */
type PinoLike = Pick<
  BaseLogger,
  "level" | "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent"
> & { child(bindings: object): PinoLike };

describe("a pino logger where ours is taken", () => {
  it("fits the type and hears all of it", () => {
    const stream = new Lines();
    const logger: Logger = pino({ level: "debug", base: null }, stream);
    logger.debug("d");
    logger.info({ port: 1 }, "i");
    logger.warn("w");
    logger.error({ err: new Error("no", { cause: new Error("below") }) }, "e");
    expect(stream.records).toMatchObject([
      { level: 20, msg: "d" },
      { level: 30, msg: "i", port: 1 },
      { level: 40, msg: "w" },
      { level: 50, msg: "e", err: { type: "Error", message: "no: below" } },
    ]);
  });

  it("takes the fields of the context through its mixin", () => {
    const stream = new Lines();
    const logger = pino({ mixin: () => ({ ...logContext() }) }, stream);
    withLogContext({ requestId: "a" }, () => logger.info("x"));
    expect(stream.records).toMatchObject([{ requestId: "a", msg: "x" }]);
  });
});

describe("ours where a pino logger is taken", () => {
  it("fits the type", () => {
    expectTypeOf<StructuredLogger>().toExtend<PinoLike>();
    expectTypeOf<StructuredLogger>().toExtend<Logger>();
    const fits: PinoLike = createLogger();
    expect(typeof fits.child({}).info).toBe("function");
  });

  const use = (logger: PinoLike): void => {
    const child = logger.child({ component: "db" });
    child.info("plain");
    child.info({ rows: 3 }, "read %d of %s", 3, "orders");
    child.error(new Error("lost"));
    child.error(new Error("lost"), "query failed");
    child.debug("hidden");
    logger.level = "debug";
    logger.debug({ big: [1] }, "shown");
    logger.silent("never");
    logger.fatal({ a: { b: 1 } }, "end %j", { c: 1 });
    for (const nothing of [undefined, null] as unknown as object[]) {
      logger.info(nothing, "the message");
      logger.info(nothing, "%d of %s", 3, "them");
    }
  };

  it("writes the same messages and fields as pino does", () => {
    const theirs = new Lines();
    use(pino({ base: null }, theirs) as PinoLike);
    const { stream, logger } = jsonLogger();
    use(logger);
    const comparable = (records: Record<string, unknown>[]) =>
      records.map(({ msg, component, rows, big, a, err }) => {
        const { type, message } = (err ?? {}) as { type?: string; message?: string };
        return { msg, component, rows, big, a, type, message };
      });
    expect(comparable(stream.records)).toEqual(comparable(theirs.records));
    expect(stream.records).toHaveLength(10);
  });
});
