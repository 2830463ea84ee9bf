import { describe, expect, it, vi } from "vitest";
import { MAX_READ_PAGES, READ_PAGE_SIZE, ReadPages } from "../src/read-pages.js";

const source = Uint8Array.from({ length: 2 * READ_PAGE_SIZE }, (_, i) => i % 251);

/** A page that is in use: the first piece needs none. */
function warm(): ReadPages {
  const pages = new ReadPages();
  pages.cut(source, 0, 1024);
  return pages;
}

/** Whether two pieces of 1 KiB come from one page. */
function shares(pages: ReadPages): boolean {
  const piece = pages.cut(source, 0, 1024);
  return pages.cut(source, 0, 1024).buffer === piece.buffer;
}

describe("ReadPages", () => {
  it("gives copies: neither what they were cut from nor another piece changes with them", () => {
    const bytes = source.slice();
    const pages = warm();
    const pieces = Array.from({ length: 20 }, (_, i) => pages.cut(bytes, i * 7, i * 7 + 300));
    for (const [i, piece] of pieces.entries()) {
      expect([...piece]).toEqual([...source.subarray(i * 7, i * 7 + 300)]);
      piece.fill(0);
    }
    expect(bytes).toEqual(source);
    expect([...pages.cut(bytes, 5, 305)]).toEqual([...source.subarray(5, 305)]);
  });

  it("cuts small pieces from a page: neither tiny ones, which would keep it alive, nor large ones", () => {
    const cases = [
      [READ_PAGE_SIZE / 32 - 1, false],
      [READ_PAGE_SIZE / 32, true],
      [READ_PAGE_SIZE / 4, true],
      [READ_PAGE_SIZE / 4 + 1, false],
    ] as const;
    for (const [length, cut] of cases) {
      const pages = warm();
      const piece = pages.cut(source, 3, 3 + length);
      expect([...piece]).toEqual([...source.subarray(3, 3 + length)]);
      expect(piece.buffer.byteLength, String(length)).toBe(cut ? READ_PAGE_SIZE : length);
    }
  });

  it("fills a page to its end, and takes another", () => {
    const pages = warm();
    const quarter = READ_PAGE_SIZE / 4;
    const pieces = Array.from({ length: 6 }, () => pages.cut(source, 0, quarter));
    expect(pieces.map((piece) => piece.byteOffset / quarter)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(new Set(pieces.map((piece) => piece.buffer)).size).toBe(2);
  });

  it("needs none for whoever reads but once", () => {
    expect(new ReadPages().cut(source, 0, 1024).buffer.byteLength).toBe(1024);
  });

  it("shares no memory between streams", () => {
    const memory = Array.from({ length: 10 }, () => warm().cut(source, 0, 1024).buffer);
    expect(new Set(memory).size).toBe(10);
  });

  it("makes a copy of a Buffer too, whose own slice() is a view", () => {
    const buffer = Buffer.from(source);
    for (const length of [10, 1024, 5000]) {
      const piece = new ReadPages().cut(buffer, 0, length);
      buffer[0] = 77;
      expect(piece[0]).toBe(0);
      buffer[0] = 0;
    }
  });

  it("so many have a page at a time; whoever has stopped cutting makes room for those who come", async () => {
    vi.resetModules();
    const fresh = await import("../src/read-pages.js"); // nobody has a page yet
    const holders = Array.from({ length: MAX_READ_PAGES }, () => new fresh.ReadPages());
    for (let i = 0; i < 3; i++) for (const pages of holders) pages.cut(source, 0, 1024);
    const late = new fresh.ReadPages();
    late.cut(source, 0, 1024);
    // Each piece that it gets without a page moves the hand on by one: once round, everybody is busy.
    for (let i = 0; i < MAX_READ_PAGES; i++)
      expect(late.cut(source, 0, 1024).buffer.byteLength, String(i)).toBe(1024);
    const [idle, ...others] = holders as [ReadPages, ...ReadPages[]];
    for (const pages of others) pages.cut(source, 0, 1024);
    expect(late.cut(source, 0, 1024).buffer.byteLength).toBe(READ_PAGE_SIZE);
    for (const pages of [late, ...others]) expect(shares(pages)).toBe(true);
    expect(idle.cut(source, 0, 1024).buffer.byteLength).toBe(1024);
  });
});
