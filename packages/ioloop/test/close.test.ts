import { fstatSync, writeSync } from "node:fs";
import { loadPoller, type Poller } from "@tw/poller";
import { describe, expect, it } from "vitest";
import { IOLoop, LoopClosedError, READ } from "../src/index.js";
import { installLoop, virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const nothing = (): void => undefined;

describe("close()", () => {
  it("drops callbacks and timers, and is final at once", async () => {
    const { loop, host } = virtualLoop();
    let calls = 0;
    loop.addCallback(() => calls++);
    loop.afterPoll(() => calls++);
    const timers = [loop.callLater(0, () => calls++), loop.callLater(10, () => calls++).unref()];
    const closing = loop.close();
    expect(loop.closed).toBe(true);
    expect(loop.metrics()).toMatchObject({ callbacks: 0, timers: 0, handlers: 0 });
    await closing;
    await host.advance(100);
    expect([calls, host.pending, timers.map(({ pending }) => pending)]).toEqual([0, 0, [false, false]]);
  });

  it("in a callback lets that one end, and none of its batch follow", async () => {
    const { loop, host } = virtualLoop();
    const log: string[] = [];
    loop.addCallback(() => log.push("before"));
    loop.addCallback(() => {
      void loop.close();
      log.push("closing");
    });
    loop.addCallback((label: string) => log.push(label), "after");
    loop.addCallback(() => log.push("after"));
    await host.advance(10);
    expect(log).toEqual(["before", "closing"]);
  });

  it("in a timer lets that one end, and no other of the same time follow", async () => {
    const { loop, host } = virtualLoop();
    const log: string[] = [];
    loop.callLater(5, () => {
      log.push("closing");
      void loop.close();
    });
    loop.callLater(5, () => log.push("after"));
    await host.advance(10);
    expect([log, host.pending]).toEqual([["closing"], 0]);
  });

  it("may be repeated, and the first time counts", async () => {
    const { loop } = virtualLoop();
    const first = loop.close();
    expect(loop.close({ allFds: true })).toBe(first);
    await first;
    await loop.close();
  });

  it("refuses while start() is pending, before anything changes, and says what to do", async () => {
    const { loop, host } = virtualLoop();
    let fired = false;
    loop.callLater(1, () => {
      fired = true;
    });
    const ended = loop.start();
    expect(() => loop.close()).toThrow(
      expect.objectContaining({ code: "ERR_TW_LOOP_RUNNING", message: expect.stringContaining("stop()") }),
    );
    await host.advance(1);
    expect([fired, loop.closed]).toEqual([true, false]);
    loop.stop();
    await loop.close();
    await ended;
  });

  it("refuses an allFds that is no boolean, before anything changes", () => {
    const { loop } = virtualLoop();
    expect(() => loop.close({ allFds: 1 as never })).toThrow(TypeError);
    expect(loop.closed).toBe(false);
  });

  it("refuses what are no options, before anything changes", () => {
    const { loop } = virtualLoop();
    expect(() => loop.close(true as never)).toThrow(/got true: give { allFds: true }$/);
    expect(() => loop.close(null as never)).toThrow("options must be an object, got null");
    expect(loop.closed).toBe(false);
  });

  it("is what `await using` does", async () => {
    const { loop } = virtualLoop();
    await loop[Symbol.asyncDispose]();
    expect(loop.closed).toBe(true);
  });

  it("of the current loop makes IOLoop.current() another, even where a closed one is put back", async () => {
    const { loop } = virtualLoop();
    const restore = installLoop(loop);
    const inner = installLoop(virtualLoop().loop);
    await loop.close();
    inner();
    const next = IOLoop.current();
    expect(next).not.toBe(loop);
    expect([next.closed, IOLoop.current()]).toEqual([false, next]);
    restore();
  });
});

describe("a closed loop", () => {
  const calls: readonly [string, (loop: IOLoop) => unknown][] = [
    ["addCallback", (loop) => loop.addCallback(nothing)],
    ["spawnCallback", (loop) => loop.spawnCallback(nothing)],
    ["addFuture", (loop) => loop.addFuture(Promise.resolve(), nothing)],
    ["callLater", (loop) => loop.callLater(0, nothing)],
    ["callAt", (loop) => loop.callAt(0, nothing)],
    ["afterPoll", (loop) => loop.afterPoll(nothing)],
    ["addHandler", (loop) => loop.addHandler(0, nothing, READ)],
    ["updateHandler", (loop) => loop.updateHandler(0, READ)],
    ["onStop", (loop) => loop.onStop(nothing)],
    ["start", (loop) => loop.start()],
    ["run", (loop) => loop.run(nothing)],
    ["setBlockingWatchdog", (loop) => loop.setBlockingWatchdog({})],
    ["runInExecutor", (loop) => loop.runInExecutor(undefined, { module: "node:os", name: "uptime" })],
    ["setDefaultExecutor", (loop) => loop.setDefaultExecutor({ run: async () => undefined as never })],
    ["threadHandle", (loop) => loop.threadHandle({})],
  ];

  it.each(calls)("throws ERR_TW_LOOP_CLOSED from %s(), and says what to do", async (name, call) => {
    const { loop } = virtualLoop();
    await loop.close();
    expect(() => call(loop)).toThrow(LoopClosedError);
    expect(() => call(loop)).toThrow(
      expect.objectContaining({
        code: "ERR_TW_LOOP_CLOSED",
        message: expect.stringMatching(new RegExp(`${name}\\(\\).*IOLoop\\.current\\(\\)`)),
      }),
    );
  });

  it("takes back what it had given, tells the time, and hears nothing of a stop", async () => {
    const { loop, host } = virtualLoop({ now: 7 });
    const timer = loop.callLater(10, nothing);
    const takeBack = loop.onStop(nothing);
    await loop.close();
    timer.ref().unref();
    loop.removeTimeout(timer);
    loop.removeHandler(0);
    loop.stop();
    takeBack();
    await loop.setBlockingWatchdog(undefined);
    await host.advance(1);
    expect([loop.time(), loop.wallTime() - host.wallNow(), loop.running, loop.poller]).toEqual([
      8,
      0,
      false,
      undefined,
    ]);
  });

  it("has no method that these tests do not know", () => {
    const harmless = ["removeTimeout", "removeHandler", "stop", "close", "time", "wallTime", "metrics"];
    const methods = Object.entries(Object.getOwnPropertyDescriptors(IOLoop.prototype))
      .filter(([name, { value }]) => typeof value === "function" && name !== "constructor")
      .map(([name]) => name);
    expect(methods.sort()).toEqual([...calls.map(([name]) => name), ...harmless].sort());
  });
});

describe.skipIf(loadPoller() === undefined)("close() with handlers", () => {
  const poller = loadPoller() as Poller;
  const isOpen = (fd: number): boolean => {
    try {
      fstatSync(fd);
      return true;
    } catch {
      return false;
    }
  };

  /** A pipe that is readable, and its ends. */
  function pipe(): readonly [number, number] {
    const ends = poller.pipe();
    if (typeof ends === "number") throw new Error(`pipe: ${ends}`);
    writeSync(ends[1], "x");
    return ends;
  }

  it("calls none of them again, and leaves their descriptors open", async () => {
    const loop = new IOLoop();
    const [read, write] = pipe();
    let calls = 0;
    loop.addHandler(read, () => calls++, READ);
    await loop.close();
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect([calls, isOpen(read)]).toEqual([0, true]);
    for (const fd of [read, write]) poller.closeFd(fd);
  });

  it("in a handler lets none of the others follow", async () => {
    const loop = new IOLoop();
    const pipes = [pipe(), pipe(), pipe()];
    const calls: number[] = [];
    await new Promise<void>((resolve) => {
      for (const [read] of pipes) {
        loop.addHandler(
          read,
          (fd) => {
            calls.push(fd);
            void loop.close().then(resolve);
          },
          READ,
        );
      }
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toHaveLength(1);
    for (const fd of pipes.flat()) poller.closeFd(fd);
  });

  it("and allFds closes numbers and objects, these by their own close(), and waits for that", async () => {
    const loop = new IOLoop();
    const [[plain, a], [wrapped, b], [bare, c]] = [pipe(), pipe(), pipe()];
    let closed = false;
    const socket = {
      fileno: () => wrapped,
      close: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        poller.closeFd(wrapped);
        closed = true;
      },
    };
    const onEvents = () => undefined;
    loop.addHandler(plain, onEvents, 0);
    loop.addHandler(socket, onEvents, 0);
    loop.addHandler({ fileno: () => bare }, onEvents, 0);
    await loop.close({ allFds: true });
    expect([closed, ...[plain, wrapped, bare].map(isOpen)]).toEqual([true, false, false, false]);
    for (const fd of [a, b, c]) poller.closeFd(fd);
  });

  it("and allFds logs what close() throws or rejects with, closes the others, and resolves", async () => {
    const logger = recorder();
    const loop = new IOLoop({ logger });
    const ends = [pipe(), pipe(), pipe()];
    const [throwing, rejecting, fine] = ends.map(([read]) => read) as [number, number, number];
    const broken = (fd: number, close: () => unknown) => ({ fileno: () => fd, close });
    loop.addHandler(
      broken(throwing, () => {
        throw new Error("thrown");
      }),
      nothing,
      0,
    );
    loop.addHandler(
      broken(rejecting, () => Promise.reject(new Error("rejected"))),
      nothing,
      0,
    );
    loop.addHandler(fine, nothing, 0);
    await loop.close({ allFds: true });
    expect(logger.records.map(({ message, fields }) => [message, String(fields.err)])).toEqual([
      ["Exception while an IOLoop was closing", "Error: thrown"],
      ["Exception while an IOLoop was closing", "Error: rejected"],
    ]);
    expect(isOpen(fine)).toBe(false);
    for (const fd of ends.flat()) if (fd !== fine) poller.closeFd(fd);
  });

  it("and allFds does not ask an object for its descriptor again", async () => {
    const loop = new IOLoop();
    const [read, write] = pipe();
    let asked = 0;
    loop.addHandler({ fileno: () => (asked++ === 0 ? read : -1) }, nothing, READ);
    await loop.close({ allFds: true });
    expect([asked, isOpen(read)]).toEqual([1, false]);
    poller.closeFd(write);
  });
});
