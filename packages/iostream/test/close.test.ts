import { MAX_DELAY_MS } from "@tw/ioloop";
import { describe, expect, it } from "vitest";
import { FREE_GRACES } from "../src/closing.js";
import { IOStream } from "../src/index.js";
import { memoryPair } from "../src/transports.js";
import { bytes, Notes, ScriptedTransport, testLoop, text, turn } from "./helpers.js";

function pair(capacity = 64 * 1024) {
  const loop = testLoop();
  const [near, far] = memoryPair(loop, { capacity });
  return { loop, stream: new IOStream(near, { loop }), peer: new IOStream(far, { loop }), far };
}

describe("IOStream.close()", () => {
  it("flushes, ends, waits for the peer's end, and resolves; the second call too", async () => {
    const { loop, stream, peer } = pair(10);
    stream.send("x".repeat(100));
    const closed = stream.close();
    const again = stream.close();
    expect(stream.closed).toBe(true);
    const all = peer.readBytes(100);
    await loop.settle();
    expect((await all).length).toBe(100);
    await expect(peer.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    await loop.settle();
    await Promise.all([closed, again, stream.whenClosed, peer.whenClosed]);
    expect([stream.error, peer.error]).toEqual([undefined, undefined]);
    expect(loop.timers.size).toBe(0);
  });

  it("rejects a pending read, delivers nothing more, and refuses writes", async () => {
    const { loop, stream, peer } = pair();
    const read = stream.readBytes(1);
    stream.close();
    await expect(read).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    const notes = new Notes();
    stream.attach(notes);
    peer.send("dropped");
    await loop.settle();
    await expect(stream.write("x")).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    peer.end();
    await loop.settle();
    expect(notes.calls).toEqual(["close"]);
  });

  it("reads and drops what the peer still sends, so that our last bytes are not lost to a reset", async () => {
    const { loop, stream, peer } = pair(100);
    peer.send("x".repeat(1000));
    await loop.settle();
    expect(peer.bufferedAmount).toBeGreaterThan(0);
    stream.send("goodbye");
    const closed = stream.close();
    await loop.settle();
    expect(peer.bufferedAmount).toBe(0);
    expect(text(await peer.readBytes(7))).toBe("goodbye");
    peer.close();
    await loop.settle();
    await closed;
  });

  it("gives a peer up that takes nothing for graceMs, and rejects: bytes were lost", async () => {
    const { loop, stream } = pair(10);
    const write = stream.write("x".repeat(100));
    await loop.settle();
    const closed = stream.close({ graceMs: 1000 });
    await loop.settle(999);
    expect(await Promise.race([closed, "waiting"])).toBe("waiting");
    await loop.settle(1);
    await expect(closed).rejects.toMatchObject({
      code: "ERR_TW_STREAM_CLOSED",
      cause: { code: "ERR_TW_CLOSE_TIMEOUT" },
    });
    await expect(write).rejects.toMatchObject({ cause: { code: "ERR_TW_CLOSE_TIMEOUT" } });
    await stream.whenClosed;
    expect(loop.timers.size).toBe(0);
  });

  it("waits as long as a slow peer makes progress", async () => {
    const { loop, stream, peer } = pair(10);
    stream.send("x".repeat(100));
    const closed = stream.close({ graceMs: 1000 });
    for (let i = 0; i < 10; i++) {
      await loop.settle(600);
      await peer.readBytes(10);
    }
    await loop.settle();
    peer.close();
    await loop.settle();
    await closed;
  });

  it("gives up a peer that takes a byte per graceMs, after 12 of them, and not one that takes 1 KiB/s", async () => {
    for (const [bytesPerGrace, patient] of [
      [1, false],
      [400, false],
      [1024, true],
    ] as const) {
      const { loop, stream, peer } = pair(1);
      stream.send("x".repeat(20_000));
      let failure: unknown;
      const closed = stream.close({ graceMs: 1000 }).catch((error) => {
        failure = error;
      });
      let seconds = 0;
      while (failure === undefined && stream.bufferedAmount > 0 && seconds < 150) {
        await loop.settle(500);
        const read = peer.readBytes(bytesPerGrace).catch(() => {});
        await loop.settle(500);
        await (failure === undefined && stream.bufferedAmount > 0 ? read : undefined);
        seconds++;
        if (seconds === FREE_GRACES) expect(failure).toBeUndefined();
      }
      if (patient) expect(stream.bufferedAmount).toBe(0);
      else expect(failure).toMatchObject({ cause: { code: "ERR_TW_CLOSE_TIMEOUT" } });
      if (bytesPerGrace === 1) expect(seconds).toBe(FREE_GRACES + 1);
      stream.abort();
      peer.abort();
      await loop.settle();
      await closed;
      expect(loop.timers.size).toBe(0);
    }
  });

  it("gives up a peer that took everything and never ends, and resolves: nothing was lost", async () => {
    const { loop, stream, peer } = pair();
    stream.send("all of it");
    const closed = stream.close({ graceMs: 1000 });
    await loop.settle(1999);
    expect(await Promise.race([closed, "waiting"])).toBe("waiting");
    await loop.settle(1);
    await closed;
    expect(stream.error).toBeUndefined();
    expect(text(await peer.readBytes(9))).toBe("all of it");
  });

  it("resolves after a reset when everything had been sent, rejects when not", async () => {
    const sent = pair();
    sent.stream.send("x");
    const fine = sent.stream.close();
    await sent.loop.settle();
    sent.far.reset();
    await sent.loop.settle();
    await fine;
    const unsent = pair(10);
    unsent.stream.send("x".repeat(100));
    const lost = unsent.stream.close();
    await unsent.loop.settle();
    unsent.far.reset();
    await unsent.loop.settle();
    await expect(lost).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  it("on a closed stream resolves, and refuses a wrong graceMs before anything changes", async () => {
    const { loop, stream } = pair();
    for (const graceMs of [-1, Number.POSITIVE_INFINITY, MAX_DELAY_MS + 1])
      expect(() => stream.close({ graceMs })).toThrow(RangeError);
    expect(stream.closed).toBe(false);
    stream.abort();
    await loop.settle();
    await stream.close();
  });

  it("`await using` closes", async () => {
    const { loop, stream, peer } = pair();
    peer.close();
    const closed = stream[Symbol.asyncDispose]();
    await loop.settle();
    await closed;
  });

  it("keeps what was buffered readable", async () => {
    const { loop, stream, peer } = pair();
    peer.send("kept");
    await loop.settle();
    stream.close();
    expect(text(await stream.readBytes(4))).toBe("kept");
  });
});

describe("IOStream.abort()", () => {
  it("drops what is queued, and everybody who waits learns the reason", async () => {
    const { loop, stream, peer } = pair(10);
    const reason = new Error("enough");
    const read = stream.readBytes(1);
    const write = stream.write("x".repeat(100));
    await loop.settle();
    stream.abort(reason);
    stream.abort(new Error("again"));
    await expect(read).rejects.toMatchObject({ cause: reason });
    await expect(write).rejects.toMatchObject({ cause: reason });
    expect([stream.closed, stream.error, stream.bufferedAmount]).toEqual([true, reason, 0]);
    await loop.settle();
    await stream.whenClosed;
    expect(peer.error).toMatchObject({ code: "ECONNRESET" });
  });
});

describe("IOStream.whenClosed", () => {
  it("resolves after a clean end, an abort and a reset alike, whenever it is asked for", async () => {
    const { loop, stream, peer, far } = pair();
    const before = stream.whenClosed;
    let done = false;
    before.then(() => (done = true));
    await loop.settle();
    expect(done).toBe(false);
    far.reset();
    await loop.settle();
    await before;
    await stream.whenClosed;
    await peer.whenClosed;
  });
});

describe("a new IOStream", () => {
  it("refuses sizes that are none, and passes the transport's facts on", () => {
    const loop = testLoop();
    const transport = new ScriptedTransport();
    for (const size of [-1, 1.5, Number.NaN]) {
      expect(() => new IOStream(transport, { loop, maxBufferSize: size })).toThrow(RangeError);
      expect(() => new IOStream(transport, { loop, maxWriteBufferSize: size })).toThrow(RangeError);
    }
    const stream = new IOStream(transport, { loop });
    expect(stream.info.remoteAddress).toBe("192.0.2.1");
    expect(stream.loop).toBe(loop);
    stream.setRef(false);
    expect(transport.calls).toEqual(["ref false"]);
    transport.receiver.onBytes(bytes("x"));
  });

  it("runs on IOLoop.current() when no loop is given", async () => {
    const { IOLoop } = await import("@tw/ioloop");
    expect(new IOStream(new ScriptedTransport()).loop).toBe(IOLoop.current());
    await turn();
  });
});
