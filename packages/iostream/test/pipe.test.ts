import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOLoop } from "@tw/ioloop";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterEach, describe, expect, it } from "vitest";
import { PipeIOStream, type PipeOptions } from "../src/index.js";
import { Notes, text } from "./helpers.js";
import { loop, settle, until } from "./node-pairs.js";

onEveryEngine((engine) => {
  const streams: PipeIOStream[] = [];
  const paths: string[] = [];

  afterEach(async () => {
    for (const stream of streams) stream.abort();
    await Promise.all(streams.splice(0).map((stream) => stream.whenClosed));
    for (const path of paths.splice(0)) unlinkSync(path);
  });

  function open(fd: number, options: PipeOptions = {}): PipeIOStream {
    const stream = new PipeIOStream(fd, { loop, engine, ...options });
    streams.push(stream);
    return stream;
  }

  /** Read end and write end of a FIFO. */
  function fifo(): [number, number] {
    const path = join(tmpdir(), `tw-${randomUUID()}.fifo`);
    execFileSync("mkfifo", [path]);
    paths.push(path);
    const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return [reading, openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)];
  }

  function isOpen(fd: number): boolean {
    try {
      fstatSync(fd);
      return true;
    } catch {
      return false;
    }
  }

  describe("PipeIOStream", () => {
    it("throws on a size that is none, and leaves the descriptor to its owner", () => {
      const [reading, writing] = fifo();
      expect(() => new PipeIOStream(reading, { loop, engine, maxBufferSize: -1 })).toThrow(RangeError);
      writeSync(writing, "x");
      expect(readSync(reading, new Uint8Array(4))).toBe(1);
      closeSync(reading);
      closeSync(writing);
    });

    it("carries bytes from one end to the other, in partial reads and up to the end (L20)", async () => {
      const [readFd, writeFd] = fifo();
      const [reading, writing] = [open(readFd), open(writeFd)];
      await writing.write("hello ");
      expect(text(await reading.readBytes(100, { partial: true }))).toBe("hello ");
      writing.send("world");
      await writing.close();
      expect(text(await reading.readUntilClose())).toBe("world");
      await reading.close();
      expect([reading.error, writing.error]).toEqual([undefined, undefined]);
      expect([isOpen(readFd), isOpen(writeFd)]).toEqual([false, false]);
    });

    it("carries more than a pipe holds, in order, with both ends waiting for each other", async () => {
      const [readFd, writeFd] = fifo();
      const [reading, writing] = [open(readFd), open(writeFd)];
      const sent = new Uint8Array(3_000_000).map((_, i) => i ^ (i >> 8));
      const closed = writing.write(sent).then(() => writing.close());
      const got = new Uint8Array(sent.length);
      let at = 0;
      for await (const chunk of reading.chunks()) {
        got.set(chunk, at);
        at += chunk.length;
        if (at % 5 === 0) await settle();
      }
      await closed;
      expect(Buffer.compare(got, sent)).toBe(0);
    });

    it("close() on a write end loses nothing of what was queued, and needs no grace", async () => {
      const [readFd, writeFd] = fifo();
      const [reading, writing] = [open(readFd), open(writeFd)];
      writing.send(new Uint8Array(1_000_000));
      const closed = writing.close();
      expect((await reading.readUntilClose()).length).toBe(1_000_000);
      await closed;
    });

    it("end() on a write end is the end for the reader, and closes it", async () => {
      const [readFd, writeFd] = fifo();
      const [reading, writing] = [open(readFd), open(writeFd)];
      writing.send("last");
      writing.end();
      expect(text(await reading.readUntilClose())).toBe("last");
      await writing.whenClosed;
      expect(writing.error).toBeUndefined();
    });

    it("a read end refuses writes, a write end has ended for a reader", async () => {
      const [readFd, writeFd] = fifo();
      const [reading, writing] = [open(readFd), open(writeFd)];
      await expect(reading.write("x")).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      expect(reading.send("x")).toBe(false);
      const notes = new Notes();
      writing.attach(notes);
      await until(() => notes.calls.length > 0);
      expect(notes.calls).toEqual(["end"]);
      writing.detach();
      await writing.write("still");
      expect(text(await reading.readBytes(5))).toBe("still");
    });

    it("a writer whose reader is gone gets EPIPE", async () => {
      const [readFd, writeFd] = fifo();
      const writing = open(writeFd);
      closeSync(readFd);
      if (engine === "node") writing.send("x");
      await writing.whenClosed;
      expect(writing.error).toMatchObject({ code: "EPIPE" });
      await expect(writing.write("y")).rejects.toMatchObject({ cause: { code: "EPIPE" } });
      expect(isOpen(writeFd)).toBe(false);
    });

    it("a write that waits rejects when the reader goes away", async () => {
      const [readFd, writeFd] = fifo();
      const writing = open(writeFd);
      const write = writing.write(new Uint8Array(1_000_000));
      await settle();
      closeSync(readFd);
      await expect(write).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: { code: "EPIPE" } });
    });

    it("a reader sees the end when the last writer closes, with what was written before", async () => {
      const [readFd, writeFd] = fifo();
      const reading = open(readFd);
      writeSync(writeFd, "abc");
      closeSync(writeFd);
      expect(text(await reading.readBytes(3))).toBe("abc");
      await expect(reading.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await reading.whenClosed;
    });

    it("a FIFO opened for both directions talks to itself, and close() waits for nobody", async () => {
      const path = join(tmpdir(), `tw-${randomUUID()}.fifo`);
      execFileSync("mkfifo", [path]);
      paths.push(path);
      const both = open(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
      await both.write("echo");
      expect(text(await both.readBytes(4))).toBe("echo");
      await both.close({ graceMs: 60_000 });
      expect(both.error).toBeUndefined();
    });

    it("reads and writes character devices that are always ready", async () => {
      const sink = open(openSync("/dev/null", "w"));
      await sink.write(new Uint8Array(100_000));
      await sink.close();
      const zeros = open(openSync("/dev/zero", "r"));
      expect([...(await zeros.readBytes(4))]).toEqual([0, 0, 0, 0]);
      await zeros.close();
      const empty = open(openSync("/dev/null", "r"));
      expect((await empty.readUntilClose()).length).toBe(0);
    });

    it.skipIf(!existsSync("/dev/full"))(
      "rejects a write that a device refuses, with what it says, and closes",
      async () => {
        const fd = openSync("/dev/full", "w");
        const full = open(fd);
        const refused = { code: "ERR_TW_STREAM_CLOSED", cause: { code: "ENOSPC" } };
        full.send("x");
        await expect(full.write("y")).rejects.toMatchObject(refused);
        await full.whenClosed;
        expect(full.error).toMatchObject({ code: "ENOSPC" });
        await expect(full.write("z")).rejects.toMatchObject(refused);
        expect(isOpen(fd)).toBe(false);
      },
    );

    it("closes a device that is still being read only when that is over", async () => {
      const fd = openSync("/dev/zero", "r+");
      const zeros = open(fd);
      const read = zeros.readBytes(1);
      zeros.abort();
      await expect(read).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await zeros.whenClosed;
      expect(isOpen(fd)).toBe(false);
    });

    it("works on a closed loop, and leaves no descriptor behind", async () => {
      const closed = new IOLoop();
      await closed.close();
      const [readFd, writeFd] = fifo();
      const reading = open(readFd, { loop: closed });
      const writing = open(writeFd, { loop: closed });
      writing.send("still");
      await writing.close();
      expect(text(await reading.readUntilClose())).toBe("still");
      await reading.close();
      expect([isOpen(readFd), isOpen(writeFd)]).toEqual([false, false]);
    });

    it("refuses what is no descriptor, or one of a file, and leaves it open", () => {
      for (const wrong of [-1, 1.5, Number.NaN, "0", undefined])
        expect(() => open(wrong as never)).toThrow(/^fd must be an integer/);
      expect(() => open(1_000_000)).toThrow(expect.objectContaining({ code: "EBADF" }));
      const fd = openSync(import.meta.filename, "r");
      expect(() => open(fd)).toThrow(/node:fs/);
      expect(isOpen(fd)).toBe(true);
      expect(() => open(fd, { access: "neither" as never })).toThrow(TypeError);
      closeSync(fd);
    });
  });
});
