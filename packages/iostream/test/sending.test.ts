// How a stream sends files through a transport whose every move is the test's.
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { StreamSentMessage } from "../src/channels.js";
import { PIECE_SIZE } from "../src/file-pieces.js";
import { IOStream, type StreamOptions } from "../src/index.js";
import { READ_FILE } from "../src/transport.js";
import { Notes, ScriptedTransport, type TestLoop, testLoop, text } from "./helpers.js";
import { settle, until } from "./node-pairs.js";
import { pattern, TemporaryFiles } from "./temporary-files.js";

const KIB = 1024;
const MIB = 1024 * KIB;

const files = new TemporaryFiles();
const content = pattern(PIECE_SIZE + 1000);
const { fd } = files.make(content);

/** Whether a write is to be continued at once, and what the kernel does with files. */
class FileTransport extends ScriptedTransport {
  /** What is answered to each call; then all is taken, up to 256 KiB at a time. */
  readonly answers: number[] = [];

  override write(chunks: readonly (Uint8Array | string)[], more?: boolean): number {
    if (chunks.length === 0) return 0;
    const taken = super.write(chunks);
    if (more === true) this.calls.push("more follows");
    return taken;
  }

  sendFile(file: number, offset: number, length: number): number {
    const taken = this.answers.shift() ?? Math.min(length, 256 * KIB, this.room);
    if (taken > 0) this.room -= taken;
    this.calls.push(`file ${file} ${offset}+${length}: ${taken}`);
    return taken;
  }
}

function streamOn<T extends ScriptedTransport>(transport: T, options: StreamOptions = {}) {
  const loop = testLoop();
  return { loop, transport, stream: new IOStream(transport, { loop, ...options }) };
}

const native = (options?: StreamOptions) => streamOn(new FileTransport(), options);

/** Ticks and microtasks, but no reading of files. */
const ticks = (loop: TestLoop): Promise<void> => loop.settle();

describe("sendFile() where the kernel sends", () => {
  it("announces the file with what is written before it, and sends what comes behind alone", async () => {
    const { loop, transport, stream } = native();
    stream.send("head");
    const sent = stream.sendFile({ fd: 7, offset: 3, length: 100 });
    stream.send("tail");
    await ticks(loop);
    expect(transport.calls).toEqual(["write head", "more follows", "file 7 3+100: 100", "write tail"]);
    await sent;
    expect([stream.writing, stream.bufferedAmount]).toEqual([false, 0]);
  });

  it("asks for the rest after a part, waits after 0, and goes on with onDrain", async () => {
    const { loop, transport, stream } = native();
    transport.answers.push(10, 20, 0);
    stream.send("before");
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 100 });
    const behind = stream.write("tail");
    await ticks(loop);
    expect(transport.calls.splice(0, 2)).toEqual(["write before", "more follows"]);
    expect(transport.calls.splice(0)).toEqual(["file 7 0+100: 10", "file 7 10+90: 20", "file 7 30+70: 0"]);
    expect([stream.bufferedAmount, stream.unsentAmount, stream.flushedAmount]).toEqual([4, 74, 36]);
    await ticks(loop);
    expect(transport.calls).toEqual([]);
    transport.answers.push(70);
    transport.receiver.onDrain();
    expect(transport.calls).toEqual(["file 7 30+70: 70", "write tail"]);
    await Promise.all([sent, behind]);
  });

  it("waits with the file until what is before it has gone", async () => {
    const { loop, transport, stream } = native();
    transport.room = 2;
    stream.send("head");
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 5 });
    await ticks(loop);
    expect(transport.calls.splice(0)).toEqual(["write head took 2", "more follows"]);
    transport.room = 100;
    transport.receiver.onDrain();
    expect(transport.calls).toEqual(["write ad", "more follows", "file 7 0+5: 5"]);
    await sent;
  });

  it("counts what has gone of a write that was under way when the file came", async () => {
    const { loop, transport, stream } = native();
    transport.room = 2;
    const head = stream.write("head");
    await ticks(loop);
    expect(stream.flushedAmount).toBe(2);
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 5 });
    expect([stream.flushedAmount, stream.bufferedAmount, stream.unsentAmount]).toEqual([2, 2, 7]);
    transport.room = 5;
    transport.receiver.onDrain();
    await head;
    expect([stream.flushedAmount, stream.bufferedAmount, stream.unsentAmount]).toEqual([7, 0, 2]);
    transport.room = 5;
    transport.receiver.onDrain();
    await sent;
    expect([stream.flushedAmount, stream.writing]).toEqual([0, false]);
  });

  it("gives the kernel a MiB, and then its neighbours their turn", async () => {
    const { loop, transport, stream } = native();
    const order: string[] = [];
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 3 * MIB + 1 });
    loop.addCallback(() => {
      const note = (): void => {
        order.push(`${transport.calls.length}`);
        if (order.length < 8) loop.addCallback(note);
      };
      note();
    });
    await ticks(loop);
    await sent;
    expect(transport.calls.length).toBe(13);
    expect(new Set(order)).toEqual(new Set(["4", "8", "12", "13"]));
  });

  it("shares that MiB among small files", async () => {
    const { loop, transport, stream } = native();
    const sends = Array.from({ length: 20 }, () => stream.sendFile({ fd: 7, offset: 0, length: 256 * KIB }));
    let first = 0;
    loop.addCallback(() => {
      first = transport.calls.length;
    });
    await ticks(loop);
    await Promise.all(sends);
    expect([first, transport.calls.length]).toEqual([4, 20]);
  });

  it("is held back by a cork, and let go by close()", async () => {
    const { loop, transport, stream } = native();
    stream.cork();
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 5 });
    await ticks(loop);
    expect(transport.calls).toEqual([]);
    stream.close();
    await ticks(loop);
    expect(transport.calls.slice(0, 2)).toEqual(["file 7 0+5: 5", "end"]);
    await sent;
  });

  it("reads what the kernel has not in memory, a piece, and asks it again", async () => {
    const { transport, stream } = native();
    transport.answers.push(READ_FILE, 500, READ_FILE);
    const sent = stream.sendFile({ fd, offset: 0, length: content.length });
    await sent;
    expect(transport.calls).toEqual([
      `file ${fd} 0+${content.length}: ${READ_FILE}`,
      `write ${PIECE_SIZE} took ${PIECE_SIZE}`,
      `file ${fd} ${PIECE_SIZE}+1000: 500`,
      `file ${fd} ${PIECE_SIZE + 500}+500: ${READ_FILE}`,
      "write 500 took 500",
    ]);
  });
});

describe("sendFile() where it is read", () => {
  it("sends what is before the file in one call with its first piece", async () => {
    const { transport, stream } = streamOn(new ScriptedTransport());
    const written: string[] = [];
    const write = transport.write.bind(transport);
    transport.write = (chunks) => {
      if (chunks.length > 0)
        written.push(chunks.map((chunk) => (typeof chunk === "string" ? chunk : text(chunk))).join("|"));
      return write(chunks);
    };
    stream.send("head");
    const sent = stream.sendFile({ fd, offset: 97, length: 3 });
    stream.send("tail");
    await sent;
    expect(written).toEqual(["head|abc", "tail"]);
  });

  it.each([1, 3, 4, 5, 6, 7])("offers again what was not taken, after %i bytes", async (room) => {
    const { transport, stream } = streamOn(new ScriptedTransport());
    transport.room = room;
    stream.send("head");
    const sent = stream.sendFile({ fd, offset: 97, length: 3 });
    const behind = stream.write("tail");
    await until(() => transport.room === 0);
    expect(stream.flushedAmount).toBe(room === 7 ? 7 : room);
    transport.room = 100;
    transport.receiver.onDrain();
    await Promise.all([sent, behind]);
    const all = transport.calls.map((call) => /write (\S+)/.exec(call)?.[1]?.replaceAll("|", "") ?? "");
    expect(all[0]).toBe("headabc");
    if (room < 7) expect(all[1]).toBe("headabc".slice(room));
    expect(all.at(-1)).toBe("tail");
  });

  it("reads nothing more while the peer takes nothing", async () => {
    const { transport, stream } = streamOn(new ScriptedTransport());
    transport.room = 0;
    const sent = stream.sendFile({ fd, offset: 0, length: content.length });
    await until(() => transport.calls.length > 0);
    expect(transport.calls).toEqual([`write ${PIECE_SIZE} took 0`]);
    transport.room = content.length;
    transport.receiver.onDrain();
    await sent;
    expect(transport.calls[1]).toBe(`write ${PIECE_SIZE} took ${PIECE_SIZE}`);
  });

  it("an abort waits for a read that is under way before the promise settles, and reads no more", async () => {
    const { transport, stream } = streamOn(new ScriptedTransport());
    let settled = false;
    const own = files.make(content);
    const sent = stream.sendFile({ fd: own.fd, offset: 0, length: 10 });
    sent.catch(() => {
      settled = true;
    });
    // Ticks alone: what the thread pool answers comes in the next turn.
    const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
    await tick();
    const reason = new Error("enough");
    stream.abort(reason);
    for (let i = 0; i < 5; i++) await tick();
    expect([stream.closed, settled]).toEqual([true, false]);
    await expect(sent).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
    files.close(own.fd);
    expect(transport.calls.filter((call) => call.startsWith("write"))).toEqual([]);
    expect(() => closeSync(own.fd)).toThrow("EBADF");
  });

  it("abort() tells everybody: who wrote before, who sends, and who wrote behind", async () => {
    const { loop, transport, stream } = native();
    transport.room = 0;
    const reason = new Error("enough");
    const all = [
      stream.write("head"),
      stream.sendFile({ fd: 7, offset: 0, length: 5 }),
      stream.write("between"),
      stream.sendFile({ fd: 7, offset: 0, length: 5 }),
      stream.write("tail"),
    ];
    await loop.settle();
    stream.abort(reason);
    for (const { status, ...rest } of await Promise.allSettled(all))
      expect([status, (rest as PromiseRejectedResult).reason.cause]).toEqual(["rejected", reason]);
    expect([stream.bufferedAmount, stream.unsentAmount]).toEqual([0, 0]);
  });

  it("rejects at once where no read is under way", async () => {
    const { loop, transport, stream } = streamOn(new ScriptedTransport());
    transport.room = 0;
    const first = stream.sendFile({ fd, offset: 0, length: 10 });
    const second = stream.sendFile({ fd, offset: 0, length: 10 });
    await until(() => transport.calls.length > 0);
    const rejected: string[] = [];
    for (const [name, promise] of Object.entries({ first, second })) promise.catch(() => rejected.push(name));
    stream.abort();
    await loop.settle();
    expect(rejected).toEqual(["first", "second"]);
  });

  it.each([
    ["a file that is read", () => new ScriptedTransport(), fd, PIECE_SIZE + 5],
    ["a file that needs many turns", () => new FileTransport(), 7, 5 * MIB],
  ] as const)(
    "keeps the sender's async context in onDrain, and no other's: %s",
    async (_, make, file, length) => {
      const store = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const streams = ["a", "b"].map((name) =>
        store.run(name, () => {
          const { stream, loop } = streamOn(make());
          stream.attach({
            onBytes() {},
            onEnd() {},
            onDrain: () => void seen.push(`${name} in ${store.getStore()}`),
            onClose() {},
          });
          return { stream, loop };
        }),
      );
      for (const [i, { stream }] of streams.entries())
        store.run(["a", "b"][i] as string, () => stream.sendFile({ fd: file, offset: 0, length }));
      for (let i = 0; i < 500 && seen.length < 2; i++) {
        for (const { loop } of streams) await loop.settle();
        await settle();
      }
      expect(seen.sort()).toEqual(["a in a", "b in b"]);
    },
  );
});

describe("sendFile()", () => {
  it.each<[string, unknown, unknown]>([
    ["no range", undefined, TypeError],
    ["null", null, TypeError],
    ["no fd", { offset: 0, length: 1 }, TypeError],
    ["a FileHandle's fd as text", { fd: "3", offset: 0, length: 1 }, TypeError],
    ["fd -1, of a handle that is closed", { fd: -1, offset: 0, length: 1 }, RangeError],
    ["fd 2^31", { fd: 2 ** 31, offset: 0, length: 1 }, RangeError],
    ["no offset", { fd: 3, length: 1 }, TypeError],
    ["offset -1", { fd: 3, offset: -1, length: 1 }, RangeError],
    ["length -1", { fd: 3, offset: 0, length: -1 }, RangeError],
    ["length 1.5", { fd: 3, offset: 0, length: 1.5 }, RangeError],
    ["no length", { fd: 3, offset: 0 }, TypeError],
    ["an end above 2^53 - 1", { fd: 3, offset: 1, length: 2 ** 53 - 1 }, RangeError],
  ])("throws for %s before anything has changed", async (_, range, error) => {
    const { loop, transport, stream } = native();
    expect(() => stream.sendFile(range as never)).toThrow(error as never);
    expect(() => stream.sendFile({ fd: 3, offset: 0, length: 1 }, { signal: 5 as never })).toThrow(TypeError);
    expect(stream.writing).toBe(false);
    await loop.settle();
    expect(transport.calls).toEqual([]);
  });

  it("maxWriteBufferSize binds what waits around a file, together, and to the byte", async () => {
    const { transport, stream } = native({ maxWriteBufferSize: 10 });
    transport.room = 0;
    stream.send("1234");
    stream.sendFile({ fd: 7, offset: 0, length: 1000 });
    stream.send("567");
    stream.sendFile({ fd: 7, offset: 0, length: 1000 });
    stream.send("890");
    expect(stream.bufferedAmount).toBe(10);
    expect(() => stream.send("x")).toThrow(expect.objectContaining({ code: "ERR_TW_STREAM_BUFFER_FULL" }));
    stream.abort();
  });

  it("a peer that takes some of the file in each grace is not given up by close(), one that takes none is", async () => {
    const { loop, transport, stream } = native();
    transport.answers.push(0);
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 200_000 });
    await loop.settle();
    const closed = stream.close({ graceMs: 1000 });
    for (let i = 0; i < 5; i++) {
      transport.answers.push(10_000, 0);
      transport.receiver.onDrain();
      await loop.settle(1000);
      expect(transport.calls).not.toContain("abort");
    }
    await loop.settle(2000);
    expect(transport.calls.at(-1)).toBe("abort Peer did not take 150000 bytes in time");
    transport.receiver.onClose();
    await expect(closed).rejects.toMatchObject({ cause: { code: "ERR_TW_CLOSE_TIMEOUT" } });
    await expect(sent).rejects.toMatchObject({ cause: { code: "ERR_TW_CLOSE_TIMEOUT" } });
  });

  it("TLS cannot be started while a file is being sent", async () => {
    const { loop, transport, stream } = native();
    transport.answers.push(0);
    stream.sendFile({ fd: 7, offset: 0, length: 10 });
    await loop.settle();
    await expect(stream.startTls({ servername: "localhost" })).rejects.toMatchObject({
      code: "ERR_TW_START_TLS",
      message: "Cannot start TLS: 10 bytes are unsent",
    });
    stream.abort();
  });

  it("onDrain may send the next file, and is told once for each", async () => {
    const { loop, transport, stream } = native();
    let left = 3;
    const notes = new Notes();
    notes.onDrain = () => {
      notes.calls.push("drain");
      if (--left > 0) stream.sendFile({ fd: 7, offset: 0, length: 1 });
    };
    stream.attach(notes);
    stream.sendFile({ fd: 7, offset: 0, length: 1 });
    await loop.settle();
    expect(notes.calls).toEqual(["drain", "drain", "drain"]);
    expect(transport.calls.length).toBe(3);
  });

  it("tells a receiver nothing that was attached when the file had gone", async () => {
    const { loop, stream } = native();
    await Promise.all([stream.sendFile({ fd: 7, offset: 0, length: 5 }), loop.settle()]);
    const notes = new Notes();
    stream.attach(notes);
    await loop.settle();
    expect(notes.calls).toEqual([]);
  });

  it("tells observers of nothing that the kernel did not take", async () => {
    const sizes: number[] = [];
    const observer = (message: unknown): void => void sizes.push((message as StreamSentMessage).size);
    subscribe("tw:iostream:sent", observer);
    try {
      const { loop, transport, stream } = native();
      transport.room = 0;
      stream.send("head");
      stream.sendFile({ fd: 7, offset: 3, length: 9 });
      await loop.settle();
      transport.room = 4;
      transport.receiver.onDrain();
      expect(sizes).toEqual([4]);
      stream.abort();
    } finally {
      unsubscribe("tw:iostream:sent", observer);
    }
  });

  it("tells observers of every byte once, and which came from a file; one may abort", async () => {
    const seen: unknown[] = [];
    let abort = false;
    const observer = (message: unknown): void => {
      const { stream, size, chunks, file } = message as StreamSentMessage;
      seen.push(file ?? `${size} of ${chunks.map(String).join("|")}`);
      if (abort) stream.abort();
    };
    subscribe("tw:iostream:sent", observer);
    try {
      const { loop, stream } = native();
      stream.send("head");
      stream.sendFile({ fd: 7, offset: 3, length: 9 });
      stream.send("tail");
      await loop.settle();
      expect(seen).toEqual(["4 of head", { fd: 7, offset: 3, length: 9 }, "4 of tail"]);
      abort = true;
      const sent = stream.sendFile({ fd: 7, offset: 0, length: 3 * MIB });
      await loop.settle();
      await expect(sent).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    } finally {
      unsubscribe("tw:iostream:sent", observer);
    }
  });

  it("a transport that throws ends the stream, not the process", async () => {
    const { loop, transport, stream } = native();
    const fault = new Error("broken transport");
    transport.sendFile = () => {
      throw fault;
    };
    const sent = stream.sendFile({ fd: 7, offset: 0, length: 3 });
    await loop.settle();
    await expect(sent).rejects.toMatchObject({ cause: fault });
    expect(loop.logged).toEqual([fault]);
  });
});
