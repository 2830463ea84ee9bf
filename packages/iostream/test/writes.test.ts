import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import { IOStream, type StreamOptions } from "../src/index.js";
import { memoryPair } from "../src/transports.js";
import { bytes, Notes, ScriptedTransport, testLoop, text, turn } from "./helpers.js";
import { TemporaryFiles } from "./temporary-files.js";

const small = new TemporaryFiles().make(bytes("small"));

function scripted(options: Omit<StreamOptions, "loop"> = {}) {
  const loop = testLoop();
  const transport = new ScriptedTransport();
  const stream = new IOStream(transport, { loop, ...options });
  /** The kernel has room for `bytes` more. */
  const drain = (room: number): void => {
    transport.room = room;
    transport.receiver.onDrain();
  };
  return { loop, transport, stream, drain };
}

/** Which of these promises have settled, and how. */
async function states(promises: readonly Promise<unknown>[]): Promise<string> {
  const found = promises.map(() => "pending");
  promises.forEach((promise, i) => {
    promise.then(
      () => (found[i] = "ok"),
      (error) => (found[i] = error.code),
    );
  });
  await turn();
  return found.join(" ");
}

describe("IOStream.write()", () => {
  it("resolves when that data went to the kernel, each write for itself and in order", async () => {
    const { stream, transport, drain } = scripted();
    transport.room = 5;
    const writes = [stream.write("abc"), stream.write(bytes("def")), stream.write("ghi")];
    expect(await states(writes)).toBe("ok pending pending");
    drain(1);
    expect(await states(writes)).toBe("ok ok pending");
    drain(0);
    drain(2);
    expect(await states(writes)).toBe("ok ok pending");
    drain(9);
    expect(await states(writes)).toBe("ok ok ok");
    expect(transport.calls).toEqual([
      "write abc|def|ghi took 5",
      "write f|ghi took 1",
      "write ghi took 0",
      "write ghi took 2",
      "write i",
    ]);
    expect(stream.bufferedAmount).toBe(0);
  });

  it("offers nothing while the transport is blocked, and cuts texts and bytes where it stopped", async () => {
    const { stream, transport, drain } = scripted();
    transport.room = 2;
    stream.send("text");
    await turn();
    stream.send(bytes("bytes"));
    await turn();
    expect(transport.calls).toEqual(["write text took 2"]);
    drain(4);
    drain(10);
    expect(transport.calls.slice(1)).toEqual(["write xt|bytes took 4", "write tes"]);
  });

  it("of nothing resolves at once", async () => {
    const { stream, transport } = scripted();
    await stream.write("");
    await stream.write(new Uint8Array(0));
    expect(stream.send("")).toBe(true);
    await turn();
    expect(transport.calls).toEqual([]);
  });

  it("refuses what is neither bytes nor latin1 text before anything is queued", () => {
    const { stream } = scripted();
    expect(() => stream.write(7 as never)).toThrow(TypeError);
    expect(() => stream.write([1] as never)).toThrow(TypeError);
    expect(() => stream.write("line\u010ainjected")).toThrow(RangeError);
    expect(stream.bufferedAmount).toBe(0);
  });

  it("beyond maxWriteBufferSize is refused whole; at the limit it is taken", async () => {
    const { stream, transport } = scripted({ maxWriteBufferSize: 1000 });
    transport.room = 0;
    await expect(stream.write("x".repeat(1001))).rejects.toMatchObject({ code: "ERR_TW_STREAM_BUFFER_FULL" });
    stream.write("x".repeat(900));
    expect(() => stream.send("x".repeat(101))).toThrow(
      expect.objectContaining({ code: "ERR_TW_STREAM_BUFFER_FULL" }),
    );
    expect(stream.send("x".repeat(100))).toBe(true);
    expect(stream.bufferedAmount).toBe(1000);
    expect(stream.closed).toBe(false);
  });

  it("on a stream that breaks rejects with the cause, for all that wait; nobody has to look", async () => {
    const { stream, transport } = scripted();
    transport.room = 1;
    const writes = [stream.write("abc"), stream.write("def")];
    await turn();
    transport.receiver.onClose(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await expect(writes[0]).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: { code: "EPIPE" } });
    await expect(writes[1]).rejects.toMatchObject({ cause: { code: "EPIPE" } });
    await expect(stream.write("x")).rejects.toMatchObject({ cause: { code: "EPIPE" } });
    expect(stream.error).toMatchObject({ code: "EPIPE" });
    expect(stream.send("x")).toBe(false);
    expect(stream.bufferedAmount).toBe(0);
  });

  it("10 MB to a peer that reads late arrive whole, and the promises resolve in order", async () => {
    const loop = testLoop();
    const [near, far] = memoryPair(loop);
    const stream = new IOStream(near, { loop });
    const peer = new IOStream(far, { loop });
    const order: number[] = [];
    stream.write(new Uint8Array(10_000_000).fill(7)).then(() => order.push(1));
    stream.write("!").then(() => order.push(2));
    await loop.settle();
    expect(order).toEqual([]);
    const all = peer.readBytes(10_000_001);
    all.catch(() => {});
    await loop.settle();
    const got = await all;
    expect([got.length, got[9_999_999], text(got.subarray(-1))]).toEqual([10_000_001, 7, "!"]);
    expect(order).toEqual([1, 2]);
  });
});

describe("IOStream.send()", () => {
  it.each([
    [5],
    [Number.NaN],
    [null],
    [undefined],
    [{}],
    [{ length: 1 }],
    [[]],
    [[1, 2]],
    [new Uint16Array(2)],
  ])("refuses %j with the TypeError of write(), and sends nothing", async (none) => {
    const { stream, transport } = scripted();
    expect(() => stream.send(none as never)).toThrow(/^chunk must be a Uint8Array or a string/);
    stream.send("x");
    await turn();
    expect(transport.calls).toEqual(["write x"]);
    stream.abort();
    expect(() => stream.send(none as never)).toThrow(TypeError);
  });

  it("returns false above 64 KiB queued, and onDrain comes when everything went, once", async () => {
    const { stream, transport, drain } = scripted();
    const notes = new Notes();
    stream.attach(notes);
    transport.room = 10;
    expect(stream.send("x".repeat(65_536))).toBe(true);
    expect(stream.send("x")).toBe(false);
    expect(stream.send("x")).toBe(false);
    await turn();
    drain(65_000);
    expect(notes.calls).toEqual([]);
    drain(10_000);
    expect(notes.calls).toEqual(["drain"]);
    stream.send("y");
    await turn();
    expect(notes.calls).toEqual(["drain"]);
  });

  it("tells onDrain also when the kernel takes all at once, and never during send()", async () => {
    const { stream, transport } = scripted();
    const notes = new Notes();
    stream.attach(notes);
    expect(stream.send(new Uint8Array(70_000))).toBe(false);
    expect([transport.calls, notes.calls]).toEqual([[], []]);
    await turn();
    expect([transport.calls, notes.calls]).toEqual([["write 70000 took 70000"], ["drain"]]);
  });

  it("what onDrain sends leaves when it returns, and may ask for the next onDrain", async () => {
    const { stream, transport } = scripted();
    const notes = new Notes();
    let rounds = 0;
    notes.onDrain = () => {
      if (++rounds < 3) stream.send(new Uint8Array(70_000));
    };
    stream.attach(notes);
    stream.send(new Uint8Array(70_000));
    await turn();
    expect(rounds).toBe(3);
    expect(transport.calls).toEqual(Array(3).fill("write 70000 took 70000"));
  });

  it("keeps order among many small chunks of both kinds under short writes", async () => {
    const { stream, transport, drain } = scripted();
    let sent = "";
    transport.room = 0;
    for (let i = 0; i < 500; i++) {
      const part = `${i},`;
      sent += part;
      stream.send(i % 3 === 0 ? bytes(part) : part);
    }
    await turn();
    const got: string[] = [];
    transport.write = (chunks) => {
      const all = chunks.map((chunk) => (typeof chunk === "string" ? chunk : text(chunk))).join("");
      got.push(all.slice(0, 37));
      return Math.min(37, all.length);
    };
    for (let i = 0; i < 100; i++) drain(0);
    expect(got.join("")).toBe(sent);
    expect(stream.bufferedAmount).toBe(0);
  });
});

describe("IOStream.end()", () => {
  it("sends what is queued, then FIN, once; then nothing more is taken but reading goes on", async () => {
    const { stream, transport, drain } = scripted();
    transport.room = 1;
    stream.send("abc");
    stream.end();
    stream.end();
    expect(stream.send("late")).toBe(false);
    await expect(stream.write("late")).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    await turn();
    expect(transport.calls).toEqual(["write abc took 1"]);
    drain(10);
    expect(transport.calls).toEqual(["write abc took 1", "write bc", "end"]);
    expect(stream.closed).toBe(false);
    transport.receiver.onBytes(bytes("answer"));
    expect(text(await stream.readBytes(6))).toBe("answer");
  });

  it("inside a callback comes behind what the callback sent", () => {
    const { stream, transport } = scripted();
    const notes = new Notes();
    notes.onBytes = () => {
      stream.end();
    };
    stream.attach(notes);
    transport.receiver.onBytes(bytes("x"));
    expect(transport.calls).toEqual(["end"]);
  });
});

describe("a sender whose peer takes everything", () => {
  /** How often `sendOnce` is done before a callback of the loop has its turn. */
  async function piecesPerTurn(sendOnce: (stream: IOStream) => Promise<void>) {
    const { loop, transport, stream } = scripted();
    transport.write = (chunks) => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    let pieces = 0;
    const sender = (async () => {
      for (; !stream.closed && pieces < 1000; pieces++) await sendOnce(stream);
    })().catch(() => {}); // the write during which it was closed
    await turn();
    const first = pieces;
    loop.addCallback(() => stream.abort());
    await loop.settle();
    await sender;
    return first;
  }

  it("leaves the loop to others after 256 KiB, when it awaits each write", async () => {
    expect(await piecesPerTurn((stream) => stream.write(new Uint8Array(65_536)))).toBe(4);
    expect(await piecesPerTurn((stream) => stream.write(new Uint8Array(65_537)))).toBe(4);
    expect(await piecesPerTurn((stream) => stream.write(new Uint8Array(65_535)))).toBe(5);
  });

  it("and when it awaits that onDrain says to go on, in order and without a loss", async () => {
    const { loop, transport, stream } = scripted();
    const taken: number[] = [];
    transport.write = (chunks) => {
      for (const chunk of chunks) taken.push(chunk[0] as number);
      return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    };
    let drained = new Deferred();
    const notes = new Notes();
    notes.onDrain = () => drained.resolve();
    stream.attach(notes);
    let done = false;
    void (async () => {
      for (let i = 0; i < 200; i++) {
        drained = new Deferred();
        if (!stream.send(new Uint8Array(30_000).fill(i))) await drained.promise;
      }
      done = true;
    })();
    await turn();
    expect(done).toBe(false);
    expect(taken.length).toBeGreaterThanOrEqual(9);
    expect(taken.length).toBeLessThan(13);
    for (let turns = 0; turns < 50 && !done; turns++) {
      await loop.settle();
      await turn();
    }
    expect(taken).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
});

describe("a transport that ends its stream while it is given bytes", () => {
  /** Whatever it is given, it aborts its stream and says that it took all. */
  function ending() {
    const { loop, transport, stream } = scripted();
    const reason = new Error("enough");
    const write = transport.write.bind(transport);
    transport.write = (chunks) => {
      const taken = write(chunks);
      stream.abort(reason);
      return taken;
    };
    return { loop, transport, stream, reason };
  }

  /** What the next streams that write find in their queues. */
  async function nextStreams() {
    const found: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const { stream, transport, drain } = scripted();
      transport.room = 0;
      stream.send("hello");
      await turn();
      found.push([stream.bufferedAmount, stream.flushedAmount]);
      drain(2);
      found.push([stream.bufferedAmount, stream.flushedAmount]);
      drain(9);
      found.push([stream.bufferedAmount, ...transport.calls]);
    }
    return found;
  }

  const CLEAN = [
    [5, 0],
    [3, 2],
    [0, "write hello took 0", "write hello took 2", "write llo"],
  ];

  it("has its write rejected, and the queue that went back to the pool is left alone", async () => {
    const { loop, transport, stream, reason } = ending();
    const written = stream.write("hello");
    await expect(written).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
    transport.receiver.onClose(reason);
    expect([stream.error, stream.bufferedAmount, loop.logged]).toEqual([reason, 0, []]);
    expect(await nextStreams()).toEqual([...CLEAN, ...CLEAN]);
  });

  it("likewise before a file, and within one", async () => {
    for (const ahead of ["head", ""]) {
      const { loop, transport, stream, reason } = ending();
      if (ahead !== "") stream.send(ahead);
      const sent = stream.sendFile({ fd: small.fd, offset: 0, length: 5 });
      await expect(sent).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED", cause: reason });
      transport.receiver.onClose(reason);
      expect([stream.error, stream.unsentAmount, loop.logged]).toEqual([reason, 0, []]);
      expect(await nextStreams()).toEqual([...CLEAN, ...CLEAN]);
    }
  });
});

describe("a sender that is always told to go on", () => {
  it("leaves the loop to others: what closes its stream is heard of", async () => {
    const { loop, transport, stream } = scripted();
    transport.write = (chunks) => chunks.reduce((sum, chunk) => sum + chunk.length, 0); // takes all, sends nothing
    let rounds = 0;
    const chunk = new Uint8Array(65_536);
    const notes = new Notes();
    const fill = (): void => {
      if (++rounds > 1000) throw new Error("the loop was never left");
      while (!stream.closed && stream.send(chunk));
    };
    notes.onDrain = fill;
    stream.attach(notes);
    fill();
    await turn();
    loop.addCallback(() => stream.abort(new Error("gone")));
    await loop.settle();
    expect(stream.error).toEqual(new Error("gone"));
    expect(rounds).toBeGreaterThanOrEqual(3);
    expect(rounds).toBeLessThan(50);
    const before = rounds;
    await loop.settle(1000);
    expect(rounds).toBe(before);
  });
});
