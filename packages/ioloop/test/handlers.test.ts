import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadPoller, type Poller } from "@tw/poller";
import { afterEach, describe, expect, it } from "vitest";
import { ERROR, IOLoop, READ, WRITE } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const open = new Set<number>();

afterEach(() => {
  for (const fd of open) closeSync(fd);
  open.clear();
});

describe("without a poller", () => {
  it("addHandler() throws ERR_TW_NO_POLLER and says what to install", () => {
    const { loop } = virtualLoop();
    expect(loop.poller).toBeUndefined();
    expect(() => loop.addHandler(0, () => undefined, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_NO_POLLER", message: expect.stringContaining("@tw/poller") }),
    );
  });

  it("wrong arguments are told first, and removing an unknown descriptor is harmless", () => {
    const { loop } = virtualLoop();
    expect(() => loop.addHandler(0, undefined as never, READ)).toThrow(TypeError);
    expect(() => loop.removeHandler(0)).not.toThrow();
    expect(() => loop.updateHandler(0, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_UNKNOWN", fd: 0 }),
    );
  });
});

describe.skipIf(loadPoller() === undefined)("on real descriptors", () => {
  const poller = loadPoller() as Poller;

  function pair(): [number, number] {
    const made = poller.socketpair();
    if (typeof made === "number") throw new Error(poller.errnoName(-made));
    for (const fd of made) open.add(fd);
    return [made[0], made[1]];
  }

  function close(fd: number): void {
    open.delete(fd);
    closeSync(fd);
  }

  const send = (fd: number, text: string) => poller.writev(fd, [text], 0);
  const receive = (fd: number) => {
    const buffer = new Uint8Array(64);
    const count = poller.read(fd, buffer, 0, 64);
    return count > 0 ? Buffer.from(buffer.subarray(0, count)).toString("latin1") : count;
  };

  /** Long enough for the poller to have looked several times. */
  async function turns(loop: IOLoop): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => loop.callLater(1, resolve));
  }

  it("calls the handler with the descriptor and READ when the peer has written", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const calls: unknown[] = [];
    loop.addHandler(a, (fd, events) => calls.push([fd, events, receive(fd)]), READ);
    await turns(loop);
    expect(calls).toEqual([]);
    send(b, "hello");
    await turns(loop);
    loop.removeHandler(a);
    expect(calls).toEqual([[a, READ, "hello"]]);
  });

  it("hands over what was registered when it has a fileno()", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const socket = { fileno: () => a, name: "mine" };
    const seen = new Promise((resolve) => {
      loop.addHandler(
        socket,
        (which) => {
          loop.removeHandler(which);
          resolve(which.name);
        },
        READ,
      );
    });
    send(b, "x");
    expect(await seen).toBe("mine");
  });

  it("is level-triggered: calls again until the data is read", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    let calls = 0;
    const done = new Promise<void>((resolve) => {
      loop.addHandler(
        a,
        () => {
          if (++calls < 3) return;
          loop.removeHandler(a);
          resolve();
        },
        READ,
      );
    });
    send(b, "left lying");
    await done;
    await turns(loop);
    expect(calls).toBe(3);
  });

  it("works on pipes: WRITE at one end, READ at the other, ERROR when the reader has gone", async () => {
    const loop = new IOLoop();
    const made = poller.pipe();
    if (typeof made === "number") throw new Error(poller.errnoName(-made));
    const [reader, writer] = made;
    for (const fd of made) open.add(fd);
    const text = new Promise((resolve) => {
      loop.addHandler(
        writer,
        (fd, events) => {
          expect(events).toBe(WRITE);
          send(fd, "through");
          loop.updateHandler(fd, 0);
        },
        WRITE,
      );
      loop.addHandler(
        reader,
        (fd) => {
          loop.removeHandler(fd);
          resolve(receive(fd));
        },
        READ,
      );
    });
    expect(await text).toBe("through");

    close(reader);
    const events = new Promise<number>((resolve) => {
      loop.removeHandler(writer);
      loop.addHandler(
        writer,
        (fd, seen) => {
          loop.removeHandler(fd);
          resolve(seen);
        },
        READ,
      );
    });
    expect((await events) & ERROR).not.toBe(0);
  });

  it("reports a hang-up that nobody asked for only with READ, WRITE and ERROR in the mask", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const events = new Promise<number>((resolve) => {
      loop.addHandler(
        a,
        (fd, seen) => {
          loop.removeHandler(fd);
          resolve(seen);
        },
        READ,
      );
    });
    close(b);
    const seen = await events;
    expect(seen & READ).toBe(READ);
    expect(seen & ~(READ | WRITE | ERROR)).toBe(0);
  });

  it("updateHandler() changes what is watched; 0 silences, and later masks wake it again", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const seen: number[] = [];
    loop.addHandler(
      a,
      (fd, events) => {
        seen.push(events);
        loop.updateHandler(fd, 0);
      },
      WRITE,
    );
    await turns(loop);
    expect(seen).toEqual([WRITE]);
    send(b, "x");
    await turns(loop);
    expect(seen).toEqual([WRITE]);
    loop.updateHandler(a, READ);
    await turns(loop);
    expect(seen).toEqual([WRITE, READ]);
    loop.removeHandler(a);
  });

  it("registers with mask 0 without watching", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    let calls = 0;
    loop.addHandler(
      a,
      (fd) => {
        calls++;
        receive(fd);
      },
      0,
    );
    send(b, "x");
    await turns(loop);
    expect(calls).toBe(0);
    loop.updateHandler(a, READ);
    await turns(loop);
    expect(calls).toBe(1);
    loop.removeHandler(a);
  });

  it("a handler removed by another of the same poll is not called", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const [c, d] = pair();
    const calls: number[] = [];
    const handler = (fd: number) => {
      calls.push(fd);
      loop.removeHandler(a);
      loop.removeHandler(c);
    };
    loop.addHandler(a, handler, READ);
    loop.addHandler(c, handler, READ);
    send(b, "x");
    send(d, "x");
    await turns(loop);
    expect(calls).toHaveLength(1);
  });

  it("a number that the kernel gives to a new descriptor starts afresh", async () => {
    const loop = new IOLoop();
    const [a] = pair();
    let stale = 0;
    loop.addHandler(a, () => stale++, READ);
    loop.removeHandler(a);
    close(a);
    const [c, d] = pair();
    const reused = c === a || d === a;
    const fresh: number[] = [];
    loop.addHandler(
      c,
      (fd) => {
        fresh.push(fd);
        receive(fd);
      },
      READ,
    );
    send(d, "x");
    await turns(loop);
    loop.removeHandler(c);
    expect([reused, stale, fresh]).toEqual([true, 0, [c]]);
  });

  it("afterPoll() lets bytes that came while the loop was blocked win over an expired timer", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      loop.addHandler(a, (fd) => log.push(`bytes ${receive(fd)}`), READ);
      loop.callLater(5, () => {
        log.push("timer");
        loop.afterPoll(() => {
          log.push("confirmed");
          resolve();
        });
      });
      loop.addCallback(() => {
        send(b, "in time");
        const until = loop.time() + 20;
        while (loop.time() < until);
      });
    });
    loop.removeHandler(a);
    expect(log).toEqual(["timer", "bytes in time", "confirmed"]);
  });

  it("logs what a handler throws or rejects with, and goes on", async () => {
    const logger = recorder();
    const loop = new IOLoop({ logger });
    const [a, b] = pair();
    loop.addHandler(
      a,
      (fd) => {
        if (receive(fd) === "throw") throw new Error("thrown");
        return Promise.reject(new Error("rejected"));
      },
      READ,
    );
    send(b, "throw");
    await turns(loop);
    send(b, "reject");
    await turns(loop);
    loop.removeHandler(a);
    expect(logger.records.map(({ fields }) => (fields.err as Error).message)).toEqual(["thrown", "rejected"]);
  });

  it("calls each handler in the context that added it, without leaks between them", async () => {
    const als = new AsyncLocalStorage<string>();
    const loop = new IOLoop();
    const seen: unknown[] = [];
    const peers = ["a", undefined, "c"].map((store) => {
      const [fd, peer] = pair();
      const add = () =>
        loop.addHandler(
          fd,
          () => {
            seen.push(als.getStore());
            als.enterWith("leak");
            loop.removeHandler(fd);
          },
          READ,
        );
      if (store === undefined) add();
      else als.run(store, add);
      return peer;
    });
    als.run("writer", () => {
      for (const peer of peers) send(peer, "x");
    });
    await turns(loop);
    expect(seen.map(String).sort()).toEqual(["a", "c", "undefined"]);
  });

  it("calls a handler again in the context that added it, whatever a call entered", async () => {
    const als = new AsyncLocalStorage<string>();
    const loop = new IOLoop();
    const [fd, peer] = pair();
    const seen: unknown[] = [];
    const later: Promise<unknown>[] = [];
    als.run("registered", () =>
      loop.addHandler(
        fd,
        () => {
          seen.push(als.getStore());
          const call = `call ${seen.length}`;
          als.enterWith(call);
          // What a call starts is in the context that it entered.
          later.push(Promise.resolve().then(() => als.getStore() === call));
          if (seen.length === 3) loop.removeHandler(fd);
        },
        READ,
      ),
    );
    send(peer, "x");
    await expect.poll(() => seen.length).toBe(3);
    expect(seen).toEqual(["registered", "registered", "registered"]);
    expect(await Promise.all(later)).toEqual([true, true, true]);
  });

  it("throws ERR_TW_HANDLER_EXISTS on a second registration and keeps the first", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const calls: string[] = [];
    loop.addHandler(a, (fd) => calls.push(`first ${receive(fd)}`), READ);
    expect(() => loop.addHandler({ fileno: () => a }, () => undefined, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_EXISTS", fd: a }),
    );
    send(b, "x");
    await turns(loop);
    loop.removeHandler(a);
    expect(calls).toEqual(["first x"]);
  });

  it("throws ERR_TW_HANDLER_REFUSED on a regular file and on a closed descriptor, and registers neither", () => {
    const loop = new IOLoop();
    const file = openSync(fileURLToPath(import.meta.url), "r");
    const refusal = (fd: number) => expect.objectContaining({ code: "ERR_TW_HANDLER_REFUSED", fd });
    expect(() => loop.addHandler(file, () => undefined, READ)).toThrow(refusal(file));
    closeSync(file);
    expect(() => loop.addHandler(file, () => undefined, READ)).toThrow(refusal(file));
    expect(() => loop.updateHandler(file, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_UNKNOWN" }),
    );
  });

  it("removeHandler() takes back what is closed already, and the next owner of the number can register", async () => {
    const loop = new IOLoop();
    const [a, b] = pair();
    const thing = { fd: a, fileno: () => thing.fd };
    loop.addHandler(thing, () => expect.unreachable(), READ);
    close(a);
    thing.fd = -1;
    loop.removeHandler(thing);
    loop.removeHandler(thing);
    loop.removeHandler(-1);
    const [c, d] = pair();
    expect([c, d]).toContain(a);
    const heard = new Promise((resolve) => loop.addHandler(c, resolve, READ));
    send(d, "x");
    expect(await heard).toBe(c);
    loop.removeHandler(c);
    close(b);
    for (const bad of [undefined, null, "0", {}])
      expect(() => loop.removeHandler(bad as never)).toThrow(TypeError);
    for (const bad of [1.5, Number.NaN, 2 ** 31]) expect(() => loop.removeHandler(bad)).toThrow(RangeError);
  });

  it("throws TypeError or RangeError on bad descriptors and masks before anything is registered", () => {
    const loop = new IOLoop();
    const [a] = pair();
    const add = (fd: unknown, events: unknown) => () =>
      loop.addHandler(fd as number, () => undefined, events as number);
    for (const bad of [undefined, null, "0", {}]) expect(add(bad, READ)).toThrow(TypeError);
    expect(add("0", READ)).toThrow('A descriptor must be an integer, got "0"');
    expect(add({ fileno: 5 }, READ)).toThrow("A descriptor must be an integer, got object");
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 31]) expect(add(bad, READ)).toThrow(RangeError);
    for (const bad of [undefined, "1"]) expect(add(a, bad)).toThrow(TypeError);
    for (const bad of [-1, 2, 0x20, 0x41, 1.5, 2 ** 32 + 1]) expect(add(a, bad)).toThrow(RangeError);
    expect(() => loop.addHandler(a, 1 as never, READ)).toThrow(TypeError);
    add(a, READ | WRITE | ERROR)();
    for (const bad of [2, 0x20]) expect(() => loop.updateHandler(a, bad)).toThrow(RangeError);
    loop.removeHandler(a);
  });

  it("publishes what is added and removed on tw:ioloop:handlerAdded and handlerRemoved", () => {
    const loop = new IOLoop();
    const [a] = pair();
    const seen: unknown[] = [];
    const note = (message: unknown, name: string | symbol) => seen.push([name, message]);
    subscribe("tw:ioloop:handlerAdded", note);
    subscribe("tw:ioloop:handlerRemoved", note);
    const handle = loop.addHandler(a, () => undefined, READ);
    loop.removeHandler(a);
    loop.removeHandler(a);
    unsubscribe("tw:ioloop:handlerAdded", note);
    unsubscribe("tw:ioloop:handlerRemoved", note);
    expect(seen).toEqual([
      ["tw:ioloop:handlerAdded", { fd: a, events: READ, handle }],
      ["tw:ioloop:handlerRemoved", { fd: a, handle }],
    ]);
  });
});
