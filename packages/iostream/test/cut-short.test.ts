// A read that the peer's end cuts short closes our side. What was received stays readable all the same, by every read.
import { closeSync, writeSync } from "node:fs";
import { loadPoller, type Poller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { type IOStream, PipeIOStream } from "../src/index.js";
import { during, pair, text } from "./helpers.js";
import { STREAM_PAIRS } from "./stream-pairs.js";

const CLOSED = { code: "ERR_TW_STREAM_CLOSED" };

/** Streams that have six bytes and the end before them. */
const SOURCES: Record<string, (() => Promise<IOStream>) | undefined> = {};
for (const [name, make] of Object.entries(STREAM_PAIRS)) {
  SOURCES[name] = make && (async () => ended(...(await make())));
}
for (const engine of ["native", "node"] as const) {
  SOURCES[`${engine}, pipe`] = nativeAvailable ? async () => endedPipe(engine) : undefined;
}

function ended(stream: IOStream, peer: IOStream): IOStream {
  peer.send("abcdef");
  peer.end();
  return stream;
}

function endedPipe(engine: "native" | "node"): IOStream {
  const [reader, writer] = (loadPoller() as Poller).pipe() as [number, number];
  writeSync(writer, "abcdef");
  closeSync(writer);
  return new PipeIOStream(reader, { engine });
}

for (const [name, make] of Object.entries(SOURCES)) {
  describe.skipIf(make === undefined)(`after a read that an end cut short, ${name}`, () => {
    async function cutShort(): Promise<IOStream> {
      const stream = await (make as () => Promise<IOStream>)();
      await expect(stream.readBytes(7)).rejects.toMatchObject(CLOSED);
      expect([stream.closed, stream.error]).toEqual([true, undefined]);
      return stream;
    }

    it("readUntilClose() has the rest, then nothing", async () => {
      const stream = await cutShort();
      expect(text(await stream.readBytes(2))).toBe("ab");
      expect(text(await stream.readUntilClose())).toBe("cdef");
      await stream.whenClosed;
      expect(text(await stream.readUntilClose())).toBe("");
    });

    it("chunks() ends behind the rest, and reads that want more go on rejecting", async () => {
      const stream = await cutShort();
      await stream.whenClosed;
      await expect(stream.readUntil("\n")).rejects.toMatchObject(CLOSED);
      const chunks: string[] = [];
      for await (const chunk of stream.chunks({ size: 4 })) chunks.push(text(chunk));
      expect(chunks).toEqual(["abcd", "ef"]);
      await expect(stream.readBytes(1)).rejects.toMatchObject(CLOSED);
    });
  });
}

describe("an end that cut a read short", () => {
  async function cutShort(begin: (stream: IOStream) => Promise<unknown>) {
    const { loop, stream, peer } = pair({ capacity: 1000 });
    peer.send("abcdef");
    peer.end();
    await expect(during(loop, begin(stream))).rejects.toMatchObject(CLOSED);
    return { loop, stream, peer };
  }

  it("counts the same when it had come before the read", async () => {
    const { loop, stream, peer } = pair();
    peer.send("abcdef");
    peer.end();
    await loop.settle();
    expect(text(await during(loop, stream.readBytes(1)))).toBe("a");
    await loop.settle();
    await expect(during(loop, stream.readBytes(6))).rejects.toMatchObject(CLOSED);
    expect(text(await during(loop, stream.readUntilClose()))).toBe("bcdef");
  });

  it("stays one when what we still had to send was never taken", async () => {
    const { loop, stream } = await cutShort((stream) => {
      stream.send("x".repeat(5000));
      return stream.readBytes(7);
    });
    await loop.settle(60_000);
    expect(stream.error).toMatchObject({ code: "ERR_TW_CLOSE_TIMEOUT" });
    expect(text(await stream.readUntilClose())).toBe("abcdef");
  });

  it("is none for who called abort() since, or close() before it", async () => {
    const aborted = await cutShort((stream) => {
      stream.send("x".repeat(5000));
      return stream.readBytes(7);
    });
    aborted.stream.abort();
    await aborted.loop.settle();
    await expect(aborted.stream.readUntilClose()).rejects.toMatchObject(CLOSED);
    const { loop, stream, peer } = pair();
    peer.send("abcdef");
    await loop.settle();
    stream.close();
    peer.end();
    await loop.settle();
    await expect(stream.readUntilClose()).rejects.toMatchObject(CLOSED);
  });
});
