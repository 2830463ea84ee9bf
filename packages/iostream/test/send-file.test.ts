// sendFile() with real files over every transport.
import { createHash } from "node:crypto";
import { readdirSync, truncateSync, unlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FileTooShortError, type IOStream, StreamClosedError } from "../src/index.js";
import { text, turn } from "./helpers.js";
import { settle, until } from "./node-pairs.js";
import { STREAM_PAIRS } from "./stream-pairs.js";
import { pattern, TemporaryFiles } from "./temporary-files.js";

const MIB = 1024 * 1024;
const PIECE = 128 * 1024;

const files = new TemporaryFiles();
const content = pattern(3 * MIB + 17);
const whole = files.make(content);

function hash(...parts: (Uint8Array | string)[]): string {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(typeof part === "string" ? Buffer.from(part, "latin1") : part);
  return sum.digest("hex");
}

/** A range of `whole`. */
function range(offset: number, length: number) {
  return { fd: whole.fd, offset, length };
}

/** What the promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<{ code?: string; cause?: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as { code?: string; cause?: unknown };
  }
  throw new Error("did not reject");
}

async function closeAll(...streams: IOStream[]): Promise<void> {
  for (const stream of streams) stream.abort();
  await Promise.all(streams.map((stream) => stream.whenClosed));
}

for (const [name, make] of Object.entries(STREAM_PAIRS)) {
  describe.skipIf(make === undefined)(`sendFile() over ${name}`, () => {
    const pair = make as NonNullable<typeof make>;

    it("sends exactly the range, at every length and offset around a piece", async () => {
      const [a, b] = await pair();
      const sizes = [1, 2, 4095, 4096, 4097, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1];
      for (const length of sizes) {
        for (const offset of [0, 1, 4096, content.length - length]) {
          const sent = a.sendFile(range(offset, length));
          const received = await b.readBytes(length);
          expect(content.subarray(offset, offset + length).equals(received)).toBe(true);
          await sent;
        }
      }
      await closeAll(a, b);
    });

    it("resolves at once for no bytes, and sends none", async () => {
      const [a, b] = await pair();
      await a.sendFile(range(0, 0));
      await a.sendFile({ fd: 0, offset: 2 ** 40, length: 0 });
      a.send("x");
      expect(text(await b.readBytes(1))).toBe("x");
      await closeAll(a, b);
    });

    it("keeps the order of what is written before, between and behind two files", async () => {
      const [a, b] = await pair();
      const done: string[] = [];
      const note = (what: string) => (): void => void done.push(what);
      const all = Promise.all([
        a.write("head").then(note("head")),
        a.sendFile(range(0, MIB)).then(note("first")),
        a.write("between").then(note("between")),
        a.sendFile(range(MIB, MIB)).then(note("second")),
        a.sendFile(range(7, 100)).then(note("third")),
        a.write(content.subarray(0, 300_000)).then(note("bytes")),
        a.write("tail").then(note("tail")),
      ]);
      const first = content.subarray(0, MIB);
      const second = content.subarray(MIB, 2 * MIB);
      const third = content.subarray(7, 107);
      const bytes = content.subarray(0, 300_000);
      const length = 4 + MIB + 7 + MIB + 100 + 300_000 + 4;
      const received = await b.readBytes(length);
      expect(hash(received)).toBe(hash("head", first, "between", second, third, bytes, "tail"));
      await all;
      expect(done).toEqual(["head", "first", "between", "second", "third", "bytes", "tail"]);
      expect([a.writing, a.bufferedAmount]).toEqual([false, 0]);
      await closeAll(a, b);
    });

    it("end() follows the file", async () => {
      const [a, b] = await pair();
      const sent = a.sendFile(range(0, content.length));
      a.end();
      expect(hash(await b.readUntilClose())).toBe(hash(content));
      await sent;
      await closeAll(a, b);
    });

    it("close() sends the file and what is behind it first", async () => {
      const [a, b] = await pair();
      const sent = a.sendFile(range(0, content.length));
      a.send("tail");
      const closed = a.close();
      expect(hash(await b.readUntilClose())).toBe(hash(content, "tail"));
      await Promise.all([sent, closed, b.close()]);
    });

    it("refuses a stream that is closed, or ended", async () => {
      const [a, b] = await pair();
      a.end();
      expect(await failureOf(a.sendFile(range(0, 1)))).toBeInstanceOf(StreamClosedError);
      await closeAll(a, b);
      expect(await failureOf(a.sendFile(range(0, 1)))).toBeInstanceOf(StreamClosedError);
    });

    it("a file that was deleted, and one that is sent twice at once, arrive whole", async () => {
      const [a, b] = await pair();
      const [c, d] = await pair();
      const file = files.make(content);
      unlinkSync(file.path);
      const sends = [a, c].map((stream) => stream.sendFile({ ...file, offset: 0, length: content.length }));
      const received = await Promise.all([b, d].map((stream) => stream.readBytes(content.length)));
      expect(received.map((bytes) => hash(bytes))).toEqual([hash(content), hash(content)]);
      await Promise.all(sends);
      await closeAll(a, b, c, d);
    });

    it("a file that is not in memory arrives whole", async () => {
      const [a, b] = await pair();
      const file = files.make(content);
      files.putOutOfMemory(file);
      const sent = a.sendFile({ fd: file.fd, offset: 0, length: content.length });
      expect(hash(await b.readBytes(content.length))).toBe(hash(content));
      await sent;
      await closeAll(a, b);
    });

    it("a file that ends before the range does is an error that ends the stream: nothing takes the place of what is missing", async () => {
      const [a, b] = await pair();
      const file = files.make(content.subarray(0, 1000));
      const sent = a.sendFile({ fd: file.fd, offset: 0, length: 1001 });
      const behind = a.write("tail");
      const received = await b.readBytes(1000, { partial: true });
      expect(content.subarray(0, received.length).equals(received)).toBe(true);
      const failure = await failureOf(sent);
      expect(failure).toBeInstanceOf(FileTooShortError);
      expect(a.error).toBe(failure);
      expect((await failureOf(behind)).cause).toBe(failure);
      const rest = await b.readUntilClose().catch(() => new Uint8Array());
      expect(Buffer.from(rest).includes("tail")).toBe(false);
      await closeAll(a, b);
    });

    it("a range behind the end is an error before a byte is sent", async () => {
      const [a, b] = await pair();
      expect(await failureOf(a.sendFile(range(content.length, 1)))).toMatchObject({
        code: "ERR_TW_FILE_TOO_SHORT",
      });
      await closeAll(a, b);
    });

    it("a file that is cut short while it is being sent is the same error", async () => {
      const [a, b] = await pair();
      const file = files.sparse(64 * MIB);
      const sent = a.sendFile({ fd: file.fd, offset: 0, length: 64 * MIB });
      await b.readBytes(PIECE);
      truncateSync(file.path, 10 * MIB);
      let received = 0;
      const reading = (async () => {
        for await (const chunk of b.chunks()) received += chunk.length;
      })();
      expect(await failureOf(sent)).toBeInstanceOf(FileTooShortError);
      await reading.catch(() => {});
      expect(received).toBeLessThan(64 * MIB - PIECE);
      await closeAll(a, b);
    });

    it.each([
      ["EBADF", () => 2 ** 31 - 1],
      ["EISDIR", () => files.open(files.folder).fd],
    ])("what cannot be read is an error with the cause %s, and ends the stream", async (code, open) => {
      const [a, b] = await pair();
      const failure = await failureOf(a.sendFile({ fd: open(), offset: 0, length: 10 }));
      expect(failure).toMatchObject({ code: "ERR_TW_FILE_READ", cause: { code } });
      expect(a.error).toBe(failure);
      await closeAll(a, b);
    });

    it("abort() before, while and after a peer takes nothing rejects with the reason, and the descriptor may be closed", async () => {
      const before = readdirSync("/dev/fd").length;
      for (let phase = 0; phase < 6; phase++) {
        const [a, b] = await pair();
        b.pause();
        const file = files.sparse(64 * MIB);
        const sent = a.sendFile({ fd: file.fd, offset: 0, length: 64 * MIB });
        const second = a.sendFile({ fd: file.fd, offset: 0, length: 1 });
        for (let i = 0; i < phase; i++) await (phase === 5 ? settle() : turn());
        const reason = new Error("enough");
        a.abort(reason);
        for (const promise of [sent, second]) {
          const failure = await failureOf(promise);
          expect(failure).toBeInstanceOf(StreamClosedError);
          expect(failure.cause).toBe(reason);
        }
        files.close(file.fd);
        await closeAll(a, b);
      }
      await until(() => readdirSync("/dev/fd").length <= before);
    });

    it("a signal ends it in every phase, and the stream with it; one that is aborted already changes nothing", async () => {
      const reason = new Error("no more");
      for (let phase = 0; phase < 5; phase++) {
        const [a, b] = await pair();
        b.pause();
        const file = files.sparse(64 * MIB);
        const controller = new AbortController();
        const all = { fd: file.fd, offset: 0, length: 64 * MIB };
        const sent = a.sendFile(all, { signal: controller.signal });
        for (let i = 0; i < phase; i++) await turn();
        controller.abort(reason);
        expect(await failureOf(sent)).toBe(reason);
        expect([a.closed, a.error]).toEqual([true, reason]);
        await closeAll(a, b);
      }
      const [a, b] = await pair();
      expect(await failureOf(a.sendFile(range(0, 9), { signal: AbortSignal.abort(reason) }))).toBe(reason);
      const late = new AbortController();
      const sent = a.sendFile(range(0, 9), { signal: late.signal });
      expect((await b.readBytes(9)).length).toBe(9);
      await sent;
      late.abort();
      expect(a.closed).toBe(false);
      await closeAll(a, b);
    });

    it("a peer that goes away ends it with the reason", async () => {
      const [a, b] = await pair();
      const file = files.sparse(64 * MIB);
      const sent = a.sendFile({ fd: file.fd, offset: 0, length: 64 * MIB });
      await b.readBytes(PIECE);
      b.abort();
      expect(await failureOf(sent)).toBeInstanceOf(StreamClosedError);
      await a.whenClosed;
      await closeAll(a, b);
    });

    it("tells an attached receiver by one onDrain when everything went", async () => {
      const [a, b] = await pair();
      const calls: string[] = [];
      a.attach({
        onBytes() {},
        onEnd() {},
        onDrain: () => void calls.push(`drain, ${a.bufferedAmount} left`),
        onClose() {},
      });
      const sent = a.sendFile(range(0, MIB)).then(() => calls.push("sent"));
      a.send("tail");
      expect((await b.readBytes(MIB + 4)).length).toBe(MIB + 4);
      await sent;
      await until(() => calls.length > 1);
      await settle();
      expect(calls.sort()).toEqual(["drain, 0 left", "sent"]);
      await closeAll(a, b);
    });

    it("a hundred MiB for a peer that reads slowly are not held in memory, and do not count for maxWriteBufferSize", async () => {
      const [a, b] = await pair({ maxWriteBufferSize: 1000 });
      const length = 100 * MIB;
      const file = files.sparse(length);
      const held = (): number => process.memoryUsage().arrayBuffers;
      const before = held();
      b.pause();
      const sent = a.sendFile({ fd: file.fd, offset: 0, length });
      expect(await failureOf(a.write(new Uint8Array(1001)))).toMatchObject({
        code: "ERR_TW_STREAM_BUFFER_FULL",
      });
      const behind = a.write(new Uint8Array(1000).fill(1));
      expect(a.bufferedAmount).toBe(1000);
      for (let i = 0; i < 20; i++) await settle();
      // Both ends are in this process: what the sender reads ahead, and one read of the receiver.
      expect(held() - before).toBeLessThan(2 * MIB);
      expect(a.bufferedAmount).toBe(1000);
      let received = 0;
      let last = 0;
      b.attach({
        onBytes(view) {
          received += view.length;
          last = view[view.length - 1] as number;
        },
        onEnd() {},
        onDrain() {},
        onClose() {},
      });
      b.resume();
      await Promise.all([sent, behind]);
      await until(() => received === length + 1000);
      expect(last).toBe(1);
      await closeAll(a, b);
    }, 60_000);
  });
}
