// Handlers that change handlers, themselves or their neighbours of the same batch of events.

import { loadPoller } from "@tw/poller";
import { describe, expect, it } from "vitest";
import { IOLoop, READ, WRITE } from "../src/index.js";
import { close, pair, receive, send, turns } from "./handlers-support.js";
import { recorder } from "./support.js";

describe.skipIf(loadPoller() === undefined)("handlers within a batch", () => {
  it("one that removes itself is not called again, although its descriptor stays ready", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    let calls = 0;
    loop.addHandler(
      a,
      (fd) => {
        calls++;
        loop.removeHandler(fd);
        loop.removeHandler(fd);
      },
      READ,
    );
    send(b, "x");
    await turns();
    expect(calls).toBe(1);
    expect(loop.metrics().handlers).toBe(0);
  });

  it("one that replaces itself is followed by its successor, from the next turn on", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const log: string[] = [];
    loop.addHandler(
      a,
      (fd) => {
        log.push("first");
        loop.removeHandler(fd);
        loop.addHandler(fd, () => log.push(`second ${receive(a)}`), READ);
        log.push("replaced");
      },
      READ,
    );
    send(b, "x");
    await turns();
    expect(log).toEqual(["first", "replaced", "second x"]);
    loop.removeHandler(a);
  });

  it("one that throws after it removed itself is logged, and its neighbour is called in the same turn", async () => {
    const logger = recorder();
    const loop = new IOLoop({ logger });
    const ends = [pair(), pair()];
    let calls = 0;
    for (const [near, far] of ends) {
      loop.addHandler(
        near,
        (fd) => {
          calls++;
          loop.removeHandler(fd);
          throw new Error("after all");
        },
        READ,
      );
      send(far, "x");
    }
    await turns(1);
    expect([calls, logger.records.length]).toEqual([2, 2]);
  });

  it("one that is updated by a neighbour hears only of what it waits for now", async () => {
    const loop = new IOLoop();
    const ends = [pair(), pair()];
    const seen: number[] = [];
    for (const [near, far] of ends) {
      loop.addHandler(
        near,
        (fd, events) => {
          seen.push(events);
          loop.removeHandler(fd);
          for (const [other] of ends) if (other !== fd && seen.length === 1) loop.updateHandler(other, WRITE);
        },
        READ | WRITE,
      );
      send(far, "x");
    }
    await turns();
    expect(seen).toEqual([READ | WRITE, WRITE]);
  });

  it.each(["removed, then closed", "closed, then removed"])(
    "a number that a neighbour frees and the kernel gives out again gets no event of the old one: %s",
    async (order) => {
      const loop = new IOLoop();
      const ends = [pair(), pair()];
      const first: number[] = [];
      const fresh: unknown[] = [];
      let heirs: readonly [number, number] = [-1, -1];
      let victim = -1;
      for (const [near, far] of ends) {
        loop.addHandler(
          near,
          (fd) => {
            first.push(fd);
            loop.removeHandler(fd);
            victim = ends.find(([other]) => other !== fd)?.[0] as number;
            if (order === "removed, then closed") loop.removeHandler(victim);
            close(victim);
            heirs = pair();
            loop.removeHandler(victim);
            for (const heir of heirs)
              loop.addHandler(heir, (which) => fresh.push(which, receive(which)), READ);
          },
          READ,
        );
        send(far, "for the old one");
      }
      await turns();
      expect(first).toHaveLength(1);
      expect(heirs).toContain(victim);
      expect(fresh).toEqual([]);
      const other = heirs[0] === victim ? heirs[1] : heirs[0];
      send(other, "for the new one");
      await turns();
      expect(fresh).toEqual([victim, "for the new one"]);
      for (const heir of heirs) loop.removeHandler(heir);
    },
  );

  it("a number whose handler was not removed before it was closed is refused, until it is removed", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    let stale = 0;
    loop.addHandler(a, () => stale++, READ);
    send(b, "x");
    close(a);
    const [c, d] = pair();
    expect([c, d]).toContain(a);
    expect(() => loop.updateHandler(a, READ | WRITE)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_REFUSED", fd: a }),
    );
    expect(() => loop.addHandler(a, () => undefined, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_EXISTS" }),
    );
    loop.removeHandler(a);
    const fresh: unknown[] = [];
    loop.addHandler(a, (fd) => fresh.push(receive(fd)), READ);
    send(c === a ? d : c, "new");
    await turns();
    expect([stale, fresh]).toEqual([0, ["new"]]);
    loop.removeHandler(a);
  });

  it("of more than one batch all are called, and those that stay ready do not keep the others waiting", async () => {
    const loop = new IOLoop();
    const calls = new Map<number, number>();
    const ends = Array.from({ length: 150 }, pair);
    for (const [near, far] of ends) {
      loop.addHandler(near, (fd) => calls.set(fd, (calls.get(fd) ?? 0) + 1), READ);
      send(far, "left unread");
    }
    await turns(3); // 3 × 64 ≥ 150
    expect(calls.size).toBe(150);
    for (const [near] of ends) loop.removeHandler(near);
  });

  it("microtasks of a handler run before the next handler of the batch", async () => {
    const loop = new IOLoop();
    const log: string[] = [];
    for (const [near, far] of [pair(), pair(), pair()]) {
      loop.addHandler(
        near,
        async (fd) => {
          loop.removeHandler(fd);
          log.push("called");
          await undefined;
          log.push("continued");
        },
        READ,
      );
      send(far, "x");
    }
    await turns(1);
    expect(log).toEqual(["called", "continued", "called", "continued", "called", "continued"]);
  });

  it("what was registered comes back itself, object or number, and its close() is the caller's to call", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    let closed = 0;
    class Resource {
      fileno(): number {
        return a;
      }
      close(): void {
        closed++;
        close(a);
      }
    }
    const resource = new Resource();
    const seen: Resource[] = [];
    loop.addHandler(resource, (which) => seen.push(which), READ);
    send(b, "x");
    await turns(1);
    loop.updateHandler(resource, 0);
    expect(seen).toEqual([resource]);
    expect(seen[0]).toBe(resource);
    // The number names the same registration.
    loop.updateHandler(a, READ);
    await turns(1);
    expect(seen[1]).toBe(resource);
    loop.removeHandler(resource);
    expect(closed).toBe(0);
    resource.close();
    expect(closed).toBe(1);
  });

  it("a fileno() that throws, or is no descriptor, changes nothing", () => {
    const loop = new IOLoop();
    const failing = {
      fileno: (): number => {
        throw new Error("no descriptor any more");
      },
    };
    expect(() => loop.addHandler(failing, () => undefined, READ)).toThrow("no descriptor any more");
    for (const bad of ["3", undefined, null])
      expect(() => loop.addHandler({ fileno: () => bad as never }, () => undefined, READ)).toThrow(TypeError);
    for (const bad of [-1, 0.5, Number.NaN])
      expect(() => loop.addHandler({ fileno: () => bad }, () => undefined, READ)).toThrow(RangeError);
    expect(loop.metrics().handlers).toBe(0);
  });

  it("two loops of a thread may not watch one descriptor", () => {
    const [first, second] = [new IOLoop(), new IOLoop()];
    const [a] = pair();
    first.addHandler(a, () => undefined, READ);
    expect(() => second.addHandler(a, () => undefined, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_REFUSED", message: expect.stringContaining("EEXIST") }),
    );
    second.removeHandler(a); // not its own: harmless
    expect([first.metrics().handlers, second.metrics().handlers]).toEqual([1, 0]);
    first.removeHandler(a);
    second.addHandler(a, () => undefined, READ);
    second.removeHandler(a);
  });
});
