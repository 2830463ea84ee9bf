import { describe, expect, it } from "vitest";
import { Leases, MAX_LEASED } from "../src/transports/leases.js";
import { READ_SIZE, SlabPool } from "../src/transports/slab.js";

describe("SlabPool", () => {
  it("carves from the same place again when a range was given back at once", () => {
    const pool = new SlabPool();
    const slab = pool.current();
    for (let i = 0; i < 1000; i++) {
      const view = pool.reserve(slab, 100);
      expect(view.byteOffset).toBe(0);
      pool.release(slab, view, 100);
    }
    expect(pool.current()).toBe(slab);
  });

  it("reserves the range while a receiver runs, so that a nested read lands behind it", () => {
    const pool = new SlabPool();
    const slab = pool.current();
    const outer = pool.reserve(slab, 100);
    const nested = pool.reserve(pool.current(), 50);
    expect(nested.byteOffset).toBe(100);
    pool.release(slab, nested, 50);
    expect(pool.at).toBe(100);
    pool.release(slab, outer, 100);
    expect(pool.at).toBe(0);
  });

  it("leaves a leased range alone until its lease ends, also behind one that was given back", () => {
    const pool = new SlabPool();
    const slab = pool.current();
    const outer = pool.reserve(slab, 100);
    const leased = pool.reserve(slab, 50);
    pool.release(slab, outer, 100);
    expect(pool.at).toBe(150);
    expect(pool.reserve(slab, 10).byteOffset).toBe(150);
    expect(leased.byteOffset).toBe(100);
  });

  it("retires a slab that has no room for a read, and takes a fresh one", () => {
    const pool = new SlabPool();
    const first = pool.current();
    for (let i = 0; i < 3; i++) pool.reserve(first, READ_SIZE);
    pool.reserve(first, 1);
    const second = pool.current();
    expect(second).not.toBe(first);
    expect(pool.at).toBe(0);
  });

  it("takes a fresh slab when a receiver detached the buffer", () => {
    const pool = new SlabPool();
    const slab = pool.current();
    structuredClone(slab.bytes.buffer, { transfer: [slab.bytes.buffer as ArrayBuffer] });
    expect(pool.current() === slab).toBe(false);
    expect(pool.current().bytes.length).toBeGreaterThanOrEqual(READ_SIZE);
  });

  it("takes a fresh slab when a range may never be given back, and hears no more of the one before", () => {
    const pool = new SlabPool();
    const slab = pool.current();
    const view = pool.reserve(slab, 100);
    pool.abandon(slab);
    expect(pool.current()).not.toBe(slab);
    expect(pool.at).toBe(0);
    const next = pool.reserve(pool.current(), 10);
    pool.release(slab, view, 100);
    pool.abandon(slab);
    expect([pool.at, next.byteOffset]).toEqual([10, 0]);
  });

  it("gives up a few slabs at most that somebody holds, until they are let go", () => {
    const pool = new SlabPool();
    const held = [];
    for (;;) {
      const slab = pool.current();
      const view = pool.reserve(slab, 1);
      pool.abandon(slab);
      if (pool.current() === slab) break;
      held.push({ slab, view });
    }
    expect(held.length).toBe(8);
    const [first] = held as [(typeof held)[0]];
    pool.release(first.slab, first.view, 1);
    const last = pool.current();
    pool.abandon(last);
    expect(pool.current()).not.toBe(last);
  });

  it("begins at the start again when ranges were given back out of order", () => {
    const pool = new SlabPool();
    const slab = pool.current();
    const [first, second] = [pool.reserve(slab, 100), pool.reserve(slab, 50)];
    pool.release(slab, first, 100);
    expect(pool.at).toBe(150);
    pool.release(slab, second, 50);
    expect(pool.at).toBe(0);
  });

  it("reads to a place that somebody else has too, and tells it of each fresh slab", () => {
    const buffers: ArrayBuffer[] = [];
    const place = { at: 0, into: (buffer: ArrayBuffer) => buffers.push(buffer) };
    const pool = new SlabPool(place);
    const first = pool.current();
    pool.reserve(first, 100);
    expect(place.at).toBe(100);
    pool.reserve(first, first.bytes.length - READ_SIZE);
    const second = pool.current();
    expect(buffers).toEqual([first.bytes.buffer, second.bytes.buffer]);
    expect(place.at).toBe(0);
    second.bytes.set([1, 2, 3]);
    const copy = pool.copy(2);
    second.bytes.fill(0);
    expect(copy).toEqual(Uint8Array.of(1, 2));
  });

  it("overwrites what was given back when poisoned", () => {
    const pool = new SlabPool();
    pool.poison = true;
    const slab = pool.current();
    const view = pool.reserve(slab, 4);
    view.set([1, 2, 3, 4]);
    pool.release(slab, view, 4);
    expect([...view]).toEqual([0xdb, 0xdb, 0xdb, 0xdb]);
  });
});

describe("Leases", () => {
  it("has an error for whoever holds one byte more than the limit, and room when somebody has given back", () => {
    const leases = new Leases();
    expect(leases.begin(MAX_LEASED)).toBe(undefined);
    expect(leases.begin(1)).toMatchObject({ code: "ERR_TW_LEASE_LIMIT" });
    leases.end(1);
    leases.end(MAX_LEASED);
    expect(leases.begin(MAX_LEASED)).toBe(undefined);
  });
});
