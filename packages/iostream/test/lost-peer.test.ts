// A peer that is gone before the loop has looked: what a read and a write are told then.
import { closeSync } from "node:fs";
import type { Poller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { lines } from "../src/framing.js";
import { type IOStream, PipeIOStream } from "../src/index.js";
import { type MakePair, STREAM_PAIRS } from "./stream-pairs.js";

const code = (error: unknown) => (error as { code?: unknown }).code;

for (const name of ["native, TCP", "node, TCP"]) {
  const make = STREAM_PAIRS[name] as MakePair;
  describe.skipIf(make === undefined)(`a reset that has not been polled, ${name}`, () => {
    /** Half a message is here, and a reset behind it. */
    const half = async (begin: (stream: IOStream) => Promise<unknown>) => {
      const [stream, peer] = await make();
      const read = begin(stream);
      read.catch(() => {});
      await peer.write("half");
      peer.abort();
      const write = stream.write("into the void");
      await expect(write).rejects.toMatchObject({
        code: "ERR_TW_STREAM_CLOSED",
        cause: { code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) },
      });
      await stream.whenClosed;
      expect(code(stream.error)).toMatch(/^(ECONNRESET|EPIPE)$/);
      return read;
    };

    it("rejects the first write, and readUntilClose(): half is not all", async () => {
      await expect(half((stream) => stream.readUntilClose())).rejects.toMatchObject({
        cause: { code: "ECONNRESET" },
      });
    });

    it("rejects readBytes() with the cause", async () => {
      await expect(half((stream) => stream.readBytes(100))).rejects.toMatchObject({
        cause: { code: "ECONNRESET" },
      });
    });

    it("ends no chunks() as if all had come", async () => {
      const all = async (stream: IOStream) => {
        for await (const _ of stream.chunks());
      };
      await expect(half(all)).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
    });
  });
}

for (const name of ["native, TCP", "native, Unix socket", "node, TCP", "memory"]) {
  const make = STREAM_PAIRS[name] as MakePair;
  describe.skipIf(make === undefined)(`what came before a peer was lost, ${name}`, () => {
    /** Some of a message is in the stream, which therefore reads no more, and the rest of it in the kernel. */
    const paused = async (options?: { maxBufferSize: number }) => {
      const [stream, peer] = await make(options);
      await peer.write("ab");
      expect(await stream.readBytes(1)).toEqual(Uint8Array.of(0x61));
      await peer.write("c".repeat(50_000));
      return { stream, peer };
    };
    const ways = {
      "it resets": async ({ peer }: { stream: IOStream; peer: IOStream }) => peer.abort(),
      "it has gone, and a write of ours finds that out": async ({
        stream,
        peer,
      }: {
        stream: IOStream;
        peer: IOStream;
      }) => {
        peer.end();
        await turns(2);
        peer.abort();
        await stream.write("x").catch(() => {});
      },
    };

    it.each(Object.entries(ways))("stays readable when %s", async (_, lose) => {
      const both = await paused();
      await lose(both);
      await turns(5);
      const { stream } = both;
      expect((await stream.readBytes(50_001)).length).toBe(50_001);
      await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await stream.whenClosed;
    });

    it("is what a read gets that waited behind a pause", async () => {
      const [stream, peer] = await make();
      const read = stream.readBytes(5);
      stream.pause();
      await peer.write("0123456789");
      peer.abort();
      await turns(5);
      // The node engine looks when it may read on.
      stream.resume();
      expect((await read).length).toBe(5);
      expect((await stream.readBytes(5)).length).toBe(5);
      stream.abort();
      await stream.whenClosed;
    });

    // Node throws away what it has read when it cannot write.
    if (!name.startsWith("node"))
      it("stays readable behind the read that waited when a write found the loss", async () => {
        const [stream, peer] = await make();
        const read = stream.readBytes(10);
        await peer.write("d".repeat(30_000));
        peer.abort();
        await stream.write("x").catch(() => {});
        expect((await read).length).toBe(10);
        expect((await stream.readBytes(29_990)).length).toBe(29_990);
        await stream.whenClosed;
      });

    it("is in the messages of frames(), all of them", async () => {
      const [stream, peer] = await make();
      const frames = stream.frames(lines({ maxFrameSize: 100 }))[Symbol.asyncIterator]();
      await peer.write("first\nsecond\n");
      expect((await frames.next()).value).toBe("first");
      await peer.write("line\n".repeat(2000));
      peer.abort();
      await turns(5);
      let count = 0;
      const all = async (): Promise<unknown> => {
        while ((await frames.next()).done !== true) count++;
        return "ended";
      };
      const end = await all().catch(code);
      expect([count, end]).toEqual([2001, name.includes("Unix") ? "ended" : "ERR_TW_STREAM_CLOSED"]);
      stream.abort();
      await stream.whenClosed;
    });

    it("stays readable as far as the buffer has room", async () => {
      const both = await paused({ maxBufferSize: 1000 });
      both.peer.abort();
      await turns(5);
      const { stream } = both;
      expect((await stream.readBytes(1000)).length).toBe(1000);
      stream.abort();
      await stream.whenClosed;
    });
  });
}

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number): unknown => (left === 0 ? resolve() : setImmediate(next, left - 1));
    next(count);
  });
}

for (const engine of ["native", "node"] as const) {
  describe.skipIf(!nativeAvailable)(`a pipe that nobody reads any more, ${engine}`, () => {
    it("rejects the first write", async () => {
      const { loadPoller } = await import("@tw/poller");
      const [reader, writer] = (loadPoller() as Poller).pipe() as [number, number];
      const stream = new PipeIOStream(writer, { engine });
      closeSync(reader);
      await expect(stream.write("x")).rejects.toMatchObject({ cause: { code: "EPIPE" } });
      await stream.whenClosed;
    });
  });
}
