import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { EAGAIN, ECONNRESET, EPIPE, native, pair, pipe, tcpPair } from "./helpers.js";

const SIZE = 16 * 1024;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

native("the page", (poller) => {
  const { page } = poller;
  const room = new Uint8Array(2 * SIZE);
  const read = (fd: number): string => {
    const count = poller.read(fd, room, 0, room.length);
    if (count < 0) throw new Error(poller.errnoName(count));
    return Buffer.from(room.subarray(0, count)).toString("latin1");
  };

  it("is written from in any range, to sockets and pipes, as often as one likes", () => {
    const end = page.putText("\u00e9\u00ff!", page.put(bytes("head "), 0));
    expect([end, page.size]).toEqual([8, SIZE]);
    for (const [reader, writer] of [pair(poller), pipe(poller)]) {
      expect(poller.writePage(writer, 0, 8)).toBe(8);
      expect(read(reader)).toBe("head \u00e9\u00ff!");
      expect(poller.writePage(writer, 3, 6)).toBe(3);
      expect(read(reader)).toBe("d \u00e9");
      expect(poller.writePage(writer, 8, 8)).toBe(0);
      expect(poller.read(reader, room, 0, 1)).toBe(-EAGAIN);
    }
    expect(Buffer.from(page.slice(5, 8)).toString("latin1")).toBe("\u00e9\u00ff!");
  });

  it("has room for its size and not a byte more, wherever that is put", () => {
    const all = new Uint8Array(SIZE).fill(0x61);
    const text = "b".repeat(SIZE);
    expect(page.put(all, 0)).toBe(SIZE);
    expect(page.putText(text, 0)).toBe(SIZE);
    expect(page.put(all.subarray(0, 0), SIZE)).toBe(SIZE);
    expect(page.putText("", SIZE)).toBe(SIZE);
    for (const at of [1, SIZE, -1, -SIZE, 2 ** 32, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(() => page.put(all, at), `bytes at ${at}`).toThrow(RangeError);
      expect(() => page.putText(text, at), `text at ${at}`).toThrow(RangeError);
    }
    expect(() => page.put(new Uint8Array(SIZE + 1), 0)).toThrow(RangeError);
    expect(() => page.putText(`${text}b`, 0)).toThrow(RangeError);
    expect(page.slice(0, SIZE).every((byte) => byte === 0x62)).toBe(true);
  });

  it("takes no text that is not latin1", () => {
    for (const text of ["\u0100", "a\u010a", "\ud83d\ude00", `${"x".repeat(500)}\u20ac`])
      expect(() => page.putText(text, 0)).toThrow(RangeError);
  });

  it("gives away copies only", () => {
    page.putText("abc", 0);
    const copy = page.slice(0, 3);
    copy.fill(0x7a);
    structuredClone(copy, { transfer: [copy.buffer] });
    const [reader, writer] = pair(poller);
    expect(poller.writePage(writer, 0, 3)).toBe(3);
    expect(read(reader)).toBe("abc");
  });

  it("writePage() throws for what is no range of it, and writes nothing", () => {
    const [reader, writer] = pair(poller);
    // biome-ignore lint/suspicious/noExplicitAny: the point is to pass what the types forbid
    const write = poller.writePage as any;
    for (const bad of [undefined, null, "0", {}, 0n, true, [0]]) {
      expect(() => write(writer, bad, 1), String(bad)).toThrow(TypeError);
      expect(() => write(writer, 0, bad), String(bad)).toThrow(TypeError);
    }
    for (const bad of [
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 31,
      2 ** 32 + 1,
      2 ** 53,
      SIZE + 1,
    ]) {
      expect(() => write(writer, bad, SIZE), String(bad)).toThrow(RangeError);
      expect(() => write(writer, 0, bad), String(bad)).toThrow(RangeError);
    }
    expect(() => write(writer, 2, 1)).toThrow(RangeError);
    expect(() => write(writer)).toThrow(TypeError);
    expect(poller.read(reader, room, 0, 1)).toBe(-EAGAIN);
  });

  it("tells what the kernel took, and why it took nothing", async () => {
    page.put(new Uint8Array(SIZE).fill(0x61), 0);
    const [reader, writer] = await tcpPair(poller);
    poller.setsockopt(writer, "sendBuffer", 4096);
    let sent = 0;
    let taken = poller.writePage(writer, 0, SIZE);
    for (; taken > 0; taken = poller.writePage(writer, 0, SIZE)) sent += taken;
    expect(taken).toBe(-EAGAIN);
    let received = 0;
    for (let n = 0; received < sent; received += Math.max(n, 0))
      n = poller.read(reader, room, 0, room.length);
    expect(received).toBe(sent);
    poller.closeFd(reader);
    let errno = 0;
    while (errno >= 0 || errno === -EAGAIN) errno = poller.writePage(writer, 0, 1);
    expect([-EPIPE, -ECONNRESET]).toContain(errno);
    expect(poller.closeFd(writer)).toBe(0);
  });

  it("is another one in each thread", async () => {
    page.putText("of this thread", 0);
    page.owner = page;
    const worker = new Worker(
      `const { loadPoller } = await import(${JSON.stringify(import.meta.resolve("@tw/poller"))});
       const { parentPort } = await import("node:worker_threads");
       const { page } = loadPoller();
       page.putText("of another one", 0);
       parentPort.postMessage(page.owner === undefined);`,
      { eval: true },
    );
    expect(await new Promise((resolve) => worker.once("message", resolve))).toBe(true);
    page.owner = undefined;
    expect(Buffer.from(page.slice(0, 14)).toString()).toBe("of this thread");
  });
});
