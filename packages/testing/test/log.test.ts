// What the logger promises, kept by the loop and the streams: contexts follow, and records of later turns are expected.

import type { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { createLogger, withLogContext } from "@tw/log";
import { TCPClient, TCPServer } from "@tw/tcp";
import { expect, it } from "vitest";
import { ExpectLog, simulate } from "../src/index.js";

it("withLogContext() follows a connection through reads, timers and callbacks, beside others", async () => {
  const lines: { msg: string; requestId: string; expected: string }[] = [];
  const log = createLogger({ stream: { write: (text) => lines.push(JSON.parse(text)) }, format: "json" });
  const after = (loop: IOLoop, ms: number) => new Promise<void>((resolve) => loop.callLater(ms, resolve));

  async function serve(stream: IOStream, loop: IOLoop): Promise<void> {
    const expected = new TextDecoder().decode(await stream.readBytes(2));
    await withLogContext({ requestId: expected }, async () => {
      log.info({ expected }, "read");
      await after(loop, 10);
      log.info({ expected }, "slept");
      loop.addCallback(() => log.info({ expected }, "called back"));
      await stream.write("ok");
      await stream.readUntilClose();
      log.info({ expected }, "the end");
    });
    log.info({ expected: "none" }, "outside");
    await stream.close();
  }

  await simulate(
    async ({ loop }) => {
      const server = new TCPServer((stream) => serve(stream, loop));
      await server.listen(7);
      await Promise.all(
        ["r1", "r2", "r3"].map(async (id) => {
          const stream = await new TCPClient().connect("localhost", 7);
          await stream.write(id);
          await stream.readBytes(2);
          await stream.close();
        }),
      );
      await after(loop, 100);
      await server.stop();
    },
    { latencyMs: [1, 30], pieces: "bytes" },
  );
  expect(lines).toHaveLength(15);
  for (const { requestId, expected } of lines) expect(requestId ?? "none").toBe(expected);
});

it("ExpectLog hears of what a callback of the loop throws, in the turn in which it does", async () => {
  await simulate(async ({ loop }) => {
    await using expected = new ExpectLog("tw.application", /Exception in callback/, { level: "error" });
    loop.callLater(3_600_000, () => {
      throw new Error("on purpose");
    });
    const { fields } = await expected.whenMatched;
    expect([(fields.err as Error).message, loop.time()]).toEqual(["on purpose", 3_600_000]);
    expect(expected.loggedStack).toBe(true);
  });
});
