import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Poller } from "../src/index.js";
import { EAGAIN, EBADF, EPIPE, native, pair, pipe, runChild, tcpPair, turn } from "./helpers.js";

type Chunks = readonly (Uint8Array | string)[];

/** Writes everything, reading the other end whenever the kernel is full; what arrived, and each write's result. */
function transfer(
  poller: Poller,
  from: number,
  to: number,
  chunks: Chunks,
): { got: Buffer; results: number[] } {
  const parts: Buffer[] = [];
  const results: number[] = [];
  const room = new Uint8Array(65536);
  const drain = () => {
    for (let n = poller.read(to, room, 0, room.length); n > 0; n = poller.read(to, room, 0, room.length)) {
      parts.push(Buffer.from(room.subarray(0, n)));
    }
  };
  let list = [...chunks];
  let skip = 0;
  while (list.length > 0) {
    let taken = poller.writev(from, list, skip);
    results.push(taken);
    if (taken === -EAGAIN) taken = 0;
    if (taken < 0) throw new Error(poller.errnoName(taken));
    taken += skip;
    while (list.length > 0 && taken >= (list[0] as Uint8Array | string).length) {
      taken -= (list[0] as Uint8Array | string).length;
      list = list.slice(1);
    }
    skip = taken;
    drain();
  }
  drain();
  return { got: Buffer.concat(parts), results };
}

const plain = (chunks: Chunks): Buffer =>
  Buffer.concat(chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk)));

native("bytes", (poller) => {
  const room = new Uint8Array(256);

  it("read() fills exactly the range it is given, on sockets and pipes", () => {
    for (const [reader, writer] of [pair(poller), pipe(poller)]) {
      const buffer = new Uint8Array(8).fill(0xee);
      poller.writev(writer, ["abcdef"], 0);
      expect(poller.read(reader, buffer, 2, 3)).toBe(3);
      expect([...buffer]).toEqual([0xee, 0xee, 0x61, 0x62, 0x63, 0xee, 0xee, 0xee]);
      expect(poller.read(reader, buffer.subarray(4), 1, 3)).toBe(3);
      expect(Buffer.from(buffer.subarray(5)).toString()).toBe("def");
      expect(poller.read(reader, buffer, 0, 1)).toBe(-EAGAIN);
      poller.closeFd(writer);
      expect(poller.read(reader, buffer, 0, 1)).toBe(0);
      poller.closeFd(reader);
      expect(poller.read(reader, buffer, 0, 1)).toBe(-EBADF);
    }
  });

  it("read() refuses ranges outside the buffer, empty ranges and detached buffers", () => {
    const [a, b] = pair(poller);
    poller.writev(a, ["x"], 0);
    const buffer = new Uint8Array(8);
    const ranges = [
      [0, 9],
      [8, 1],
      [9, 1],
      [-1, 1],
      [0, 0],
      [0, -1],
      [0.5, 1],
      [0, 1.5],
      [Number.NaN, 1],
      [0, Number.NaN],
      [0, Infinity],
      [2 ** 53, 1],
    ];
    for (const [offset, length] of ranges) {
      expect(() => poller.read(b, buffer, offset as number, length as number)).toThrow(RangeError);
    }
    structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    expect(() => poller.read(b, buffer, 0, 8)).toThrow(RangeError);
    expect(() => poller.read(b, new Uint8Array(0), 0, 1)).toThrow(RangeError);
    expect(poller.read(b, new Uint8Array(1), 0, 1)).toBe(1);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() writes bytes and latin1 strings in order, from skip on", () => {
    const cases: [Chunks, number][] = [
      [["hello"], 0],
      [["hello"], 2],
      [["hello"], 5],
      [[new Uint8Array([0, 1, 255])], 0],
      [[new Uint8Array([0, 1, 255])], 1],
      [[new Uint8Array([0, 1, 255])], 3],
      [["caf\u00e9 \u0000\u00ff", new Uint8Array([128])], 3],
      [[new Uint8Array([1, 2]), "ab", new Uint8Array([3])], 1],
      [["", new Uint8Array(0), "x"], 0],
      [["a", "b", "c", "d", "e", new Uint8Array([9])], 1],
      [[], 0],
      [[""], 0],
      [[new Uint8Array(0)], 0],
      [[new Uint8Array(Buffer.from("window")).subarray(3)], 1],
    ];
    const [a, b] = pair(poller);
    for (const [chunks, skip] of cases) {
      const want = plain(chunks).subarray(skip);
      expect(poller.writev(a, chunks, skip)).toBe(want.length);
      const got = want.length === 0 ? 0 : poller.read(b, room, 0, room.length);
      expect(Buffer.from(room.subarray(0, got))).toEqual(want);
    }
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  const numbered = (count: number, size: number) =>
    Array.from({ length: count }, (_, i) =>
      i % 3 === 0 ? new Uint8Array(size).fill(i) : String.fromCharCode(i % 256).repeat(size),
    );
  const lists: Record<string, Chunks> = {
    "a string at, below and above the longest piece": [
      "a".repeat(16383),
      "b".repeat(16384),
      "c".repeat(16385),
    ],
    "strings that fill the scratch space to the byte": [
      "a".repeat(16384),
      "b".repeat(16384),
      "c".repeat(16384),
      "d".repeat(16383),
      "e",
      "f",
    ],
    "a string of a megabyte": ["x".repeat(1 << 20)],
    "a concatenated string of a megabyte between bytes": [
      new Uint8Array(3),
      `${"x".repeat(1 << 20)}y${"z".repeat(99)}`,
      new Uint8Array(3),
    ],
    "63 chunks": numbered(63, 5),
    "64 chunks": numbered(64, 5),
    "65 chunks": numbered(65, 5),
    "1000 chunks of 3000 bytes": numbered(1000, 3000),
    "four megabytes in one piece": [new Uint8Array(4 << 20).map((_, i) => i % 251)],
  };
  for (const [name, chunks] of Object.entries(lists)) {
    it(`writev() counts right when limits or the kernel cut the list: ${name}`, () => {
      for (const [reader, writer] of [pair(poller), pipe(poller)]) {
        const { got } = transfer(poller, writer, reader, chunks);
        expect(got.equals(plain(chunks))).toBe(true);
        for (const fd of [reader, writer]) poller.closeFd(fd);
      }
    });
  }

  it("writev() takes less than everything only when the kernel is full", () => {
    const [a, b] = pair(poller);
    const chunks = numbered(500, 100);
    expect(poller.writev(a, chunks, 0)).toBe(50_000);
    for (;;) {
      const taken = poller.writev(a, chunks, 0);
      if (taken === 50_000) continue;
      expect(taken === -EAGAIN || taken < 50_000).toBe(true);
      break;
    }
    expect(poller.writev(a, [new Uint8Array(100_000)], 0)).toBe(-EAGAIN);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() refuses characters that are not latin1, before a byte goes out", () => {
    const [a, b] = pair(poller);
    // Cut down to their low bytes these two are CR LF.
    for (const chunks of [
      ["\u010d\u010a"],
      ["ok", "\u010d\u010a"],
      ["ok", new Uint8Array(1), "\u20ac"],
      ["a", "b", "c", "d", "\u0100"],
    ]) {
      expect(() => poller.writev(a, chunks, 0)).toThrow(RangeError);
    }
    expect(poller.read(b, room, 0, 1)).toBe(-EAGAIN);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() finds the one character that is not latin1, wherever it stands, and names it", () => {
    const [a, b] = pair(poller);
    const wide = new Uint8Array(32_768);
    for (const length of [1, 2, 15, 16, 17, 31, 32, 33, 16_384]) {
      const text = "\u00ff".repeat(length);
      for (const at of new Set([0, 1, 15, 16, 17, length >> 1, length - 1])) {
        if (at >= length) continue;
        const bad = `${text.slice(0, at)}\u0100${text.slice(at + 1)}`;
        expect(() => poller.writev(a, [bad], 0)).toThrow(
          new RangeError(`Cannot write U+0100 at index ${at}: a string chunk is latin1 bytes`),
        );
      }
      expect(poller.writev(a, [text], 0)).toBe(length);
      expect(poller.read(b, wide, 0, wide.length)).toBe(length);
    }
    expect(poller.read(b, wide, 0, 1)).toBe(-EAGAIN);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() refuses a detached chunk, wherever it stands, before a byte of its batch goes out", () => {
    const [a, b] = pair(poller);
    const gone = new Uint8Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    for (const chunks of [[gone], ["x", gone], ["a", "b", "c", "d", gone]]) {
      expect(() => poller.writev(a, chunks, 0)).toThrow(TypeError);
    }
    expect(poller.read(b, room, 0, 1)).toBe(-EAGAIN);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() of a list whose getter detaches an earlier chunk reads no freed memory", () => {
    const [a, b] = pair(poller);
    const victim = new Uint8Array(1 << 20).fill(7);
    const chunks: (Uint8Array | string)[] = [victim, "a", "b", "c", "d"];
    Object.defineProperty(chunks, 4, {
      get() {
        if (victim.length > 0) structuredClone(victim.buffer, { transfer: [victim.buffer] });
        return "d";
      },
    });
    expect(() => poller.writev(a, chunks, 0)).toThrow(TypeError);
    expect(poller.read(b, room, 0, 1)).toBe(-EAGAIN);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() that meets a bad chunk after bytes went says how many; the next call throws", () => {
    const [a, b] = pair(poller);
    const chunks = [...Array.from({ length: 64 }, () => "x"), 5 as unknown as string];
    expect(poller.writev(a, chunks, 0)).toBe(64);
    expect(() => poller.writev(a, chunks.slice(64), 0)).toThrow(TypeError);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writev() refuses a skip behind the first chunk", () => {
    const [a, b] = pair(poller);
    for (const chunks of [
      ["abc"],
      ["abc", "d"],
      [new Uint8Array(3)],
      [new Uint8Array(3), "d"],
      [new Uint8Array(3), "x".repeat(20_000)],
    ]) {
      expect(() => poller.writev(a, chunks, 4)).toThrow(RangeError);
      expect(() => poller.writev(a, chunks, -1)).toThrow(RangeError);
      expect(() => poller.writev(a, chunks, 1.5)).toThrow(RangeError);
    }
    expect(poller.read(b, room, 0, 1)).toBe(-EAGAIN);
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("writes to a closed peer answer -EPIPE without SIGPIPE, even where SIGPIPE would kill", async () => {
    for (const [near, far] of [pair(poller), (([r, w]) => [w, r] as const)(pipe(poller))]) {
      poller.closeFd(far);
      expect(poller.writev(near, ["x"], 0)).toBe(-EPIPE);
      expect(poller.writev(near, ["x", "y"], 0)).toBe(-EPIPE);
      poller.closeFd(near);
    }
    expect(await runChild("sigpipe")).toEqual({
      code: 0,
      signal: null,
      out: "EPIPE EPIPE EPIPE alive",
      err: "",
    });
  });

  it("sendfile() sends a range, at most 256 KiB a call, and 0 at the end of the file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tw-poller-"));
    const content = Buffer.alloc(600_000).map((_, i) => i % 253);
    writeFileSync(join(folder, "file"), content);
    const file = openSync(join(folder, "file"), "r");
    const [client, server] = await tcpPair(poller);
    const parts: Buffer[] = [];
    const big = new Uint8Array(65536);
    let offset = 0;
    for (;;) {
      const sent = poller.sendfile(server, file, offset, 1 << 20);
      if (sent === 0) break;
      if (sent !== -EAGAIN) {
        expect(sent).toBeGreaterThan(0);
        expect(sent).toBeLessThanOrEqual(256 * 1024);
        offset += sent;
      }
      await turn();
      for (let n = poller.read(client, big, 0, 65536); n > 0; n = poller.read(client, big, 0, 65536))
        parts.push(Buffer.from(big.subarray(0, n)));
    }
    expect(offset).toBe(content.length);
    poller.closeFd(server);
    for (;;) {
      const n = poller.read(client, big, 0, 65536);
      if (n === 0) break;
      if (n > 0) parts.push(Buffer.from(big.subarray(0, n)));
      else await turn();
    }
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect(poller.sendfile(client, 19_990, 0, 1)).toBe(-EBADF);
    poller.closeFd(client);
    closeSync(file);
    rmSync(folder, { recursive: true });
  });
});
