import { describe, expect, it } from "vitest";
import { bytes, during, Notes, pair, text } from "./helpers.js";

describe("IOStream reads", () => {
  for (const [name, chunk] of [
    ["whole", undefined],
    ["byte by byte", () => 1],
    ["in threes", () => 3],
  ] as const) {
    it(`readUntil() and readBytes() take apart what arrives ${name}`, async () => {
      const { loop, stream, peer } = pair(chunk && { chunk });
      peer.send("hello\nworld\r\n\r\nxyz");
      expect(text(await during(loop, stream.readUntil("\n")))).toBe("hello\n");
      expect(text(await during(loop, stream.readUntil(bytes("\r\n\r\n"))))).toBe("world\r\n\r\n");
      expect(text(await during(loop, stream.readBytes(2)))).toBe("xy");
      expect(text(await during(loop, stream.readBytes(100, { partial: true })))).toBe("z");
    });
  }

  it("readBytes(0) resolves at once, also after the close", async () => {
    const { loop, stream } = pair();
    expect((await stream.readBytes(0)).length).toBe(0);
    stream.abort();
    await loop.settle();
    expect((await stream.readBytes(0)).length).toBe(0);
  });

  it("readBytes() and readUntil() refuse wrong arguments before anything changes", async () => {
    const { loop, stream, peer } = pair();
    for (const count of [-1, 1.5, Number.NaN, "3" as never])
      expect(() => stream.readBytes(count)).toThrow(RangeError);
    expect(() => stream.readUntil("")).toThrow(RangeError);
    expect(() => stream.readUntil("\u0100")).toThrow(RangeError);
    expect(() => stream.readUntil("\n", { maxBytes: -1 })).toThrow(RangeError);
    expect(() => stream.readUntil(7 as never)).toThrow(TypeError);
    peer.send("ok");
    expect(text(await during(loop, stream.readBytes(2)))).toBe("ok");
  });

  it("a second read and an attach() while one is pending fail with StreamBusyError, and the first goes on", async () => {
    const { loop, stream, peer } = pair();
    const first = stream.readBytes(2);
    await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_BUSY" });
    await expect(stream.readBytes(0)).rejects.toMatchObject({ code: "ERR_TW_STREAM_BUSY" });
    expect(() => stream.attach(new Notes())).toThrow(expect.objectContaining({ code: "ERR_TW_STREAM_BUSY" }));
    peer.send("ab");
    expect(text(await during(loop, first))).toBe("ab");
    stream.attach(new Notes());
    await expect(stream.readUntil("x")).rejects.toMatchObject({ code: "ERR_TW_STREAM_BUSY" });
  });

  it("readUntil() accepts exactly maxBytes, and refuses one more in the same packet", async () => {
    const good = pair();
    good.peer.send("12345\n");
    expect(text(await during(good.loop, good.stream.readUntil("\n", { maxBytes: 6 })))).toBe("12345\n");
    const bad = pair();
    bad.peer.send("123456\n");
    await expect(during(bad.loop, bad.stream.readUntil("\n", { maxBytes: 6 }))).rejects.toMatchObject({
      code: "ERR_TW_STREAM_CLOSED",
      cause: { code: "ERR_TW_UNSATISFIABLE_READ" },
    });
    expect(bad.stream.closed).toBe(true);
    expect(bad.stream.error).toMatchObject({ code: "ERR_TW_UNSATISFIABLE_READ" });
  });

  it("readUntil() still waits with exactly maxBytes and no delimiter, and fails at one more", async () => {
    const { loop, stream, peer } = pair();
    let settled = false;
    const read = stream.readUntil("\n", { maxBytes: 6 });
    read.catch(() => {}).finally(() => (settled = true));
    peer.send("123456");
    await loop.settle();
    expect(settled).toBe(false);
    peer.send("7");
    await expect(during(loop, read)).rejects.toMatchObject({ cause: { code: "ERR_TW_UNSATISFIABLE_READ" } });
  });

  it("maxBytes binds a delimiter that is buffered already", async () => {
    const { loop, stream, peer } = pair();
    peer.send("a\nlonger line\n");
    expect(text(await during(loop, stream.readUntil("\n")))).toBe("a\n");
    await expect(stream.readUntil("\n", { maxBytes: 5 })).rejects.toMatchObject({
      cause: { code: "ERR_TW_UNSATISFIABLE_READ" },
    });
  });

  it("a read that needs more than maxBufferSize closes the stream", async () => {
    const until = pair({}, { maxBufferSize: 1024 });
    until.peer.send("x".repeat(1024));
    const read = until.stream.readUntil("\n");
    await until.loop.settle();
    expect(until.stream.closed).toBe(false);
    until.peer.send("x");
    await expect(during(until.loop, read)).rejects.toMatchObject({
      cause: { code: "ERR_TW_STREAM_BUFFER_FULL" },
    });
    const exact = pair({}, { maxBufferSize: 1024 });
    await expect(exact.stream.readBytes(1025)).rejects.toMatchObject({
      cause: { code: "ERR_TW_STREAM_BUFFER_FULL" },
    });
    expect(exact.stream.closed).toBe(true);
  });

  it("a view larger than maxBufferSize serves small reads", async () => {
    const { loop, stream, peer } = pair({}, { maxBufferSize: 8 });
    peer.send("0123456789abcdef");
    expect(text(await during(loop, stream.readBytes(8)))).toBe("01234567");
    expect(text(await during(loop, stream.readBytes(8)))).toBe("89abcdef");
  });

  it("a delimiter split over packets is found", async () => {
    const { loop, stream, peer } = pair();
    const read = stream.readUntil("\r\n\r\n");
    for (const part of ["head\r", "\n\r\r\n", "\r", "\nrest"]) {
      peer.send(part);
      await loop.settle();
    }
    expect(text(await read)).toBe("head\r\n\r\r\n\r\n");
    expect(text(await stream.readBytes(4))).toBe("rest");
  });

  it("dripping a long line costs linear time: each byte is looked at a bounded number of times", async () => {
    const { ReadBuffer } = await import("../src/read-buffer.js");
    const { UntilRead } = await import("../src/reads.js");
    let looked = 0;
    class Counting extends ReadBuffer {
      override indexOf(needle: Uint8Array, from: number): number {
        looked += this.length - from;
        return super.indexOf(needle, from);
      }
    }
    const buffer = new Counting();
    const read = new UntilRead(bytes("\r\n"), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    const drip = bytes("x");
    for (let i = 0; i < 50_000; i++) {
      buffer.append(drip);
      expect(read.attempt(buffer)).toBeUndefined();
    }
    expect(looked).toBeLessThan(150_000);
  });

  it("buffered data stays readable after the peer closed; then comes StreamClosedError, and the stream closes", async () => {
    const { loop, stream, peer } = pair();
    peer.send("abcdef");
    peer.close();
    await loop.settle();
    expect(text(await stream.readBytes(3))).toBe("abc");
    expect(stream.closed).toBe(false);
    expect(text(await during(loop, stream.readBytes(3)))).toBe("def");
    await expect(during(loop, stream.readBytes(1))).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    expect(stream.closed).toBe(true);
    await expect(stream.write("x")).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    await expect(stream.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
  });

  it("a reset rejects the pending read with the system error as cause, and keeps buffered bytes", async () => {
    const { loop, stream, peer, far } = pair();
    peer.send("ab");
    await loop.settle();
    far.reset();
    await loop.settle();
    expect(stream.error).toMatchObject({ code: "ECONNRESET" });
    expect(text(await stream.readBytes(2))).toBe("ab");
    await expect(stream.readBytes(1)).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
    const second = pair();
    const read = second.stream.readUntil("\n");
    second.far.reset();
    await expect(during(second.loop, read)).rejects.toMatchObject({ cause: { code: "ECONNRESET" } });
  });

  it("a half-closed peer still gets the answer to its last line", async () => {
    const { loop, stream, peer } = pair();
    peer.send("last\n");
    peer.end();
    const line = await during(loop, stream.readUntil("\n"));
    await during(loop, stream.write(line));
    const answer = peer.readUntil("\n");
    expect(text(await during(loop, answer))).toBe("last\n");
  });

  it("with nobody reading the peer is held back after what fits the transport", async () => {
    const { loop, stream, peer } = pair({ capacity: 1000 });
    peer.send("x".repeat(10_000));
    await loop.settle();
    expect(peer.bufferedAmount).toBe(8000);
    expect((await stream.readBytes(999)).length).toBe(999);
    await loop.settle();
    expect(peer.bufferedAmount).toBe(8000);
    expect((await stream.readBytes(1)).length).toBe(1);
    await loop.settle();
    expect(peer.bufferedAmount).toBe(7000);
    expect((await during(loop, stream.readBytes(9000))).length).toBe(9000);
    await loop.settle();
    expect(peer.bufferedAmount).toBe(0);
  });

  it("pause() holds a pending read back and resume() lets it go on", async () => {
    const { loop, stream, peer } = pair();
    stream.pause();
    const read = stream.readBytes(1);
    let settled = false;
    read.finally(() => (settled = true));
    peer.send("x");
    await loop.settle();
    expect(settled).toBe(false);
    stream.resume();
    expect(text(await during(loop, read))).toBe("x");
  });

  it("a result is the reader's own: later packets do not change it", async () => {
    const { loop, stream, peer } = pair();
    peer.send("first");
    const first = await during(loop, stream.readBytes(5));
    peer.send("other");
    await during(loop, stream.readBytes(5));
    expect(text(first)).toBe("first");
  });
});
