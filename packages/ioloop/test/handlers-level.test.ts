// Level-triggered, seen through handlers on real descriptors: what fires, how long, with which bits.

import { loadPoller } from "@tw/poller";
import { describe, expect, it } from "vitest";
import { ERROR, IOLoop, READ, WRITE } from "../src/index.js";
import { close, fill, pair, pipe, poller, receive, send, tcpPair, turns } from "./handlers-support.js";

/** Notes what each call was told. */
function noting(loop: IOLoop, fd: number, mask: number): number[] {
  const seen: number[] = [];
  loop.addHandler(fd, (_, events) => seen.push(events), mask);
  return seen;
}

describe.skipIf(loadPoller() === undefined)("level-triggered handlers", () => {
  it.each(["pipe", "socket", "TCP"])("partial reads keep firing until all is read: %s", async (kind) => {
    const loop = new IOLoop();
    const [a, b] = kind === "TCP" ? await tcpPair() : kind === "pipe" ? pipe() : [...pair()].reverse();
    const [reader, writer] = kind === "pipe" ? [a as number, b as number] : [b as number, a as number];
    const seen: unknown[] = [];
    loop.addHandler(reader, (fd, events) => seen.push(events, receive(fd, 4)), READ);
    send(writer, "0123456789");
    await expect.poll(() => seen.length).toBe(6);
    await turns();
    expect(seen).toEqual([READ, "0123", READ, "4567", READ, "89"]);
    loop.removeHandler(reader);
  });

  it("WRITE fires while there is room, is silent when there is none, and fires again when the peer has read", async () => {
    const loop = new IOLoop();
    const [reader, writer] = pipe();
    let calls = 0;
    loop.addHandler(writer, () => calls++, WRITE);
    await turns(3);
    expect(calls).toBeGreaterThan(1);
    const filled = fill(writer);
    calls = 0;
    await turns();
    expect(calls).toBe(0);
    receive(reader, filled);
    await turns();
    expect(calls).toBeGreaterThan(0);
    loop.removeHandler(writer);
  });

  it("READ and WRITE that are ready at once come in one call, and only those asked for", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    send(b, "x");
    const seen: number[] = [];
    const masks = [READ, READ | WRITE, WRITE, READ | WRITE | ERROR, 0];
    loop.addHandler(
      a,
      (fd, events) => {
        seen.push(events);
        loop.updateHandler(fd, masks[seen.length] ?? 0);
      },
      READ,
    );
    await turns(12);
    // The fifth mask is 0, which is silent.
    expect(seen).toEqual([READ, READ | WRITE, WRITE, READ | WRITE]);
    loop.updateHandler(a, READ);
    await turns();
    expect(seen).toEqual([READ, READ | WRITE, WRITE, READ | WRITE, READ]);
    loop.removeHandler(a);
  });

  it("a peer that only stopped writing is READ, without ERROR, again and again", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    poller.shutdown(b);
    const seen = noting(loop, a, READ);
    await turns(3);
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen)).toEqual(new Set([READ]));
    expect(receive(a)).toBe("");
    loop.removeHandler(a);
  });

  it("a peer that only stopped writing is nothing to who waits for WRITE", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    fill(a);
    const seen = noting(loop, a, WRITE);
    poller.shutdown(b);
    await turns();
    expect(seen).toEqual([]);
    receive(b, 1 << 20);
    await turns(2);
    expect(new Set(seen)).toEqual(new Set([WRITE]));
    loop.removeHandler(a);
  });

  it("a half-close fetched for READ is no event, and no ERROR, for a handler changed to WRITE in that batch", async () => {
    const loop = new IOLoop();
    const ends = [pair(), pair()];
    const seen: [number, number][] = [];
    for (const [near] of ends) fill(near);
    for (const [near] of ends) {
      const other = ends.find(([fd]) => fd !== near)?.[0] as number;
      loop.addHandler(
        near,
        (fd, events) => {
          seen.push([fd, events]);
          loop.updateHandler(fd, 0);
          loop.updateHandler(other, WRITE);
        },
        READ,
      );
    }
    for (const [, far] of ends) poller.shutdown(far);
    await turns();
    expect(seen).toHaveLength(1);
    const first = seen[0]?.[0] as number;
    const second = ends.find(([fd]) => fd !== first)?.[0] as number;
    // It is not lost either: whoever asks for READ again hears of it.
    loop.updateHandler(second, READ);
    await turns(2);
    expect(seen[1]).toEqual([second, READ]);
    for (const [near] of ends) loop.removeHandler(near);
  });

  it.each([
    ["READ", READ],
    ["WRITE", WRITE],
    ["READ and WRITE", READ | WRITE],
  ])("a closed peer is ERROR with all that was asked for: %s", async (_, mask) => {
    const loop = new IOLoop();
    const [a, b] = pair();
    fill(a);
    const seen = noting(loop, a, mask);
    await turns();
    expect(seen).toEqual([]);
    close(b);
    await turns(3);
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen)).toEqual(new Set([mask | ERROR]));
    loop.removeHandler(a);
  });

  it("a reset is READ and ERROR", async () => {
    const loop = new IOLoop();
    const [client, server] = await tcpPair();
    const seen = noting(loop, client, READ);
    poller.setsockopt(server, "linger0", 1);
    close(server);
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set([READ | ERROR]));
    expect(poller.errnoName(poller.socketError(client))).toBe("ECONNRESET");
    loop.removeHandler(client);
  });

  it("a pipe without a reader is WRITE and ERROR, one without a writer READ and ERROR once it is empty and before", async () => {
    const loop = new IOLoop();
    const [reader, writer] = pipe();
    fill(writer);
    const broken = noting(loop, writer, WRITE);
    close(reader);
    await turns(2);
    expect(new Set(broken)).toEqual(new Set([WRITE | ERROR]));
    loop.removeHandler(writer);

    const [left, gone] = pipe();
    send(gone, "last");
    close(gone);
    const seen = noting(loop, left, READ);
    await turns(2);
    expect(receive(left)).toBe("last");
    await turns(2);
    expect(receive(left)).toBe("");
    expect(new Set(seen)).toEqual(new Set([READ | ERROR]));
    loop.removeHandler(left);
  });

  it("a connection that is refused is ERROR with WRITE", async () => {
    const loop = new IOLoop();
    const [listener, client] = [poller.socket(4), poller.socket(4)];
    poller.bind(listener, "127.0.0.1", 0);
    const name = poller.getsockname(listener);
    if (typeof name === "number") throw new Error(poller.errnoName(name));
    poller.connect(client, "127.0.0.1", name.port); // bound, and nobody listens
    const seen = noting(loop, client, WRITE);
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    expect(seen[0]).toBe(WRITE | ERROR);
    loop.removeHandler(client);
    for (const fd of [listener, client]) poller.closeFd(fd);
  });

  it.each([0, ERROR])("mask %i hears of nothing, hang-ups included, and spins nothing", async (mask) => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const seen = noting(loop, a, mask);
    send(b, "x");
    close(b);
    await turns(10);
    expect(seen).toEqual([]);
    loop.updateHandler(a, READ);
    await turns(2);
    expect(new Set(seen)).toEqual(new Set([READ | ERROR]));
    loop.removeHandler(a);
  });
});
