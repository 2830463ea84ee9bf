// Bytes that another realm made, as a test runner's own global objects do.
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { delimited } from "../src/framing.js";
import { text } from "./helpers.js";
import { STREAM_PAIRS } from "./stream-pairs.js";

const foreign = (string: string): Uint8Array =>
  runInNewContext("Uint8Array.from(codes)", { codes: Array.from(string, (c) => c.charCodeAt(0)) });

for (const [kind, makePair] of Object.entries(STREAM_PAIRS)) {
  describe.skipIf(makePair === undefined)(`bytes of another realm: ${kind}`, () => {
    it("are bytes: written, sent, read into, and a delimiter", async () => {
      const [a, b] = await (makePair as NonNullable<typeof makePair>)();
      await a.write(foreign("one "));
      a.send(foreign("two "));
      a.send("three|");
      expect(text(await b.readUntil(foreign("|"), { maxBytes: 100 }))).toBe("one two three|");
      a.send("four");
      const target = foreign("....");
      await b.readInto(target);
      expect(text(target)).toBe("four");
      b.frames(delimited(foreign("|"), { maxFrameSize: 10 })).send(foreign("five"));
      expect(text(await a.readUntil("|", { maxBytes: 100 }))).toBe("five|");
      a.abort();
      b.abort();
      await Promise.all([a.whenClosed, b.whenClosed]);
    });
  });
}

it("a view of another realm that is none of bytes stays refused", async () => {
  const [a, b] = await (STREAM_PAIRS.memory as NonNullable<(typeof STREAM_PAIRS)[string]>)();
  for (const code of [
    "new Uint16Array(2)",
    "new DataView(new ArrayBuffer(2))",
    "new ArrayBuffer(2)",
    "[1, 2]",
  ])
    expect(() => a.write(runInNewContext(code)), code).toThrow(TypeError);
  a.abort();
  b.abort();
});
