// Callbacks from other threads.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import { IOLoop, openLoopHandle, type RemoteLoop, type SentLoopHandle } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";
import { recorder } from "./support.js";

const script = new URL("./fixtures/executor/sender.mjs", import.meta.url);
const workers: Worker[] = [];

/** A thread that has opened `handle`, or none yet. */
function thread(handle?: { readonly port: MessagePort }) {
  const worker = new Worker(
    script,
    handle === undefined ? {} : { workerData: { loop: handle }, transferList: [handle.port] },
  );
  workers.push(worker);
  return {
    worker,
    exited: once(worker, "exit"),
    async tell(...what: [string, ...unknown[]]): Promise<unknown> {
      worker.postMessage(what);
      const [{ result, error }] = await once(worker, "message");
      return error ?? result;
    },
  };
}

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

describe("loop.threadHandle()", () => {
  it("lets another thread schedule a named callback with cloned arguments, which wakes an idle loop", async () => {
    const loop = new IOLoop();
    const got = new Promise<unknown[]>((resolve) => {
      const handle = loop.threadHandle({
        other: () => undefined,
        done: (...args: unknown[]) => resolve(args),
      });
      void thread(handle).tell("send", "done", 42, new Map([["a", new Date(1)]]));
    });
    expect(await got).toEqual([42, new Map([["a", new Date(1)]])]);
  });

  it("keeps the order of each thread, with several threads at a time", async () => {
    const loop = new IOLoop();
    const seen: number[][] = [[], [], []];
    const threads = seen.map((list) => thread(loop.threadHandle({ n: (i: number) => list.push(i) })));
    const last = threads.map(({ tell }) => tell("burst", "n", 5000));
    await Promise.all(last);
    await expect.poll(() => seen.every(({ length }) => length === 5000)).toBe(true);
    for (const list of seen) expect(list.every((value, index) => value === index)).toBe(true);
  });

  it("runs callbacks in a turn of the loop, not when the message comes", async () => {
    const { loop, host } = virtualLoop();
    const seen: unknown[] = [];
    const handle = loop.threadHandle({ n: (i: number) => seen.push(i) });
    const remote = openLoopHandle(handle);
    remote.addCallbackFromThread("n", 1);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([]);
    await host.advance(0);
    expect(seen).toEqual([1]);
    handle.close();
  });

  it("runs callbacks in the AsyncLocalStorage context of whoever made the handle", async () => {
    const storage = new AsyncLocalStorage<string>();
    const loop = new IOLoop();
    const store = await new Promise((resolve) => {
      const handle = storage.run("maker", () =>
        loop.threadHandle({ done: () => resolve(storage.getStore()) }),
      );
      storage.run("sender", () => openLoopHandle(handle).addCallbackFromThread("done"));
    });
    expect(store).toBe("maker");
  });

  it("logs what a callback throws or rejects with once, and goes on", async () => {
    const logger = recorder();
    const loop = new IOLoop({ logger });
    const seen: number[] = [];
    const handle = loop.threadHandle({
      n: (i: number) => {
        if (i === 0) throw new Error("first");
        if (i === 1) return Promise.reject(new Error("second"));
        return seen.push(i);
      },
    });
    await thread(handle).tell("burst", "n", 4);
    await expect.poll(() => seen).toEqual([2, 3]);
    expect(logger.records.map(({ message, fields }) => [message, (fields.err as Error).message])).toEqual([
      ["Exception in callback", "first"],
      ["Exception in callback", "second"],
    ]);
  });

  it("throws at once on callbacks and limits that are none", () => {
    const loop = new IOLoop();
    expect(() => loop.threadHandle({ done: 1 as never })).toThrow('The callback "done" must be a function');
    for (const bad of [null, [() => undefined], () => undefined])
      expect(() => loop.threadHandle(bad as never)).toThrow(/^threadHandle\(\) takes the callbacks by name/);
    expect(() => loop.threadHandle({}, 5 as never)).toThrow(/got 5: give { maxPending: 5 }$/);
    expect(() => loop.threadHandle({}, { maxPending: 0 })).toThrow(RangeError);
    expect(() => loop.threadHandle({}, { maxPending: 2 ** 31 })).toThrow(RangeError);
    expect(() => loop.threadHandle({}, { maxPending: "1" as never })).toThrow(TypeError);
  });
});

describe("what the other thread does wrong throws there", () => {
  it("ERR_TW_CALLBACK_UNKNOWN for a name the handle does not have, inherited ones included", async () => {
    const handle = new IOLoop().threadHandle({ done: () => undefined, more: () => undefined });
    const { tell } = thread(handle);
    for (const name of ["dune", "toString", "__proto__"]) {
      expect(await tell("send", name)).toEqual({
        name: "LoopHandleError",
        code: "ERR_TW_CALLBACK_UNKNOWN",
        message: `The handle has no callback "${name}": it has done, more`,
      });
    }
  });

  it("DataCloneError for an argument that cannot be cloned; nothing is sent and nothing counted", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    const handle = loop.threadHandle({ done: (value: unknown) => seen.push(value) }, { maxPending: 1 });
    const { tell } = thread(handle);
    expect(await tell("sendFunction", "done")).toMatchObject({ name: "DataCloneError" });
    expect(await tell("sendFunction", "done")).toMatchObject({ name: "DataCloneError" });
    expect(await tell("send", "done", 1)).toBeUndefined();
    await expect.poll(() => seen).toEqual([1]);
  });

  it("ERR_TW_HANDLE_FULL beyond maxPending, until callbacks have run", async () => {
    const { loop, host } = virtualLoop();
    const seen: number[] = [];
    const remote = openLoopHandle(loop.threadHandle({ n: (i: number) => seen.push(i) }, { maxPending: 3 }));
    for (let i = 0; i < 3; i++) remote.addCallbackFromThread("n", i);
    expect(() => remote.addCallbackFromThread("n", 3)).toThrow(
      expect.objectContaining({
        code: "ERR_TW_HANDLE_FULL",
        message: 'Cannot schedule "n": 3 callbacks wait for the loop, limit 3',
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => remote.addCallbackFromThread("n", 3)).toThrow();
    await host.advance(0);
    for (let i = 4; i < 7; i++) remote.addCallbackFromThread("n", i);
    expect(() => remote.addCallbackFromThread("n", 7)).toThrow();
    await expect.poll(() => host.advance(0).then(() => seen)).toEqual([0, 1, 2, 4, 5, 6]);
    remote.close();
  });

  it("ERR_TW_HANDLE_CLOSED after either end has closed, and when it is opened too late", async () => {
    const loop = new IOLoop();
    const handle = loop.threadHandle({ done: () => undefined });
    const { tell } = thread(handle);
    await tell("send", "done");
    handle.close();
    handle.close();
    expect(await tell("send", "done")).toMatchObject({
      name: "LoopHandleError",
      code: "ERR_TW_HANDLE_CLOSED",
    });
    expect(await tell("closed")).toBe(true);
    await handle.whenClosed;

    const late = loop.threadHandle({ done: () => undefined });
    late.close();
    expect(() => openLoopHandle(late)).toThrow(expect.objectContaining({ code: "ERR_TW_HANDLE_CLOSED" }));
    const left = loop.threadHandle({ done: () => undefined });
    const remote = openLoopHandle(left);
    await remote[Symbol.asyncDispose]();
    expect(() => remote.addCallbackFromThread("done")).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLE_CLOSED" }),
    );
    await left[Symbol.asyncDispose]();
  });

  it("ERR_TW_HANDLE_USED when a handle is opened twice", async () => {
    const handle = new IOLoop().threadHandle({ done: () => undefined });
    openLoopHandle(handle);
    expect(() => openLoopHandle(handle)).toThrow(expect.objectContaining({ code: "ERR_TW_HANDLE_USED" }));
    const { worker } = thread();
    worker.postMessage(["open", handle], [handle.port]);
    const [{ error }] = await once(worker, "message");
    expect(error).toMatchObject({ name: "LoopHandleError", code: "ERR_TW_HANDLE_USED" });
  });

  it("a handle cannot be sent twice, or without its port in the transfer list", () => {
    const handle = new IOLoop().threadHandle({ done: () => undefined });
    const { port1 } = new MessageChannel();
    expect(() => port1.postMessage(handle)).toThrow(/transferList/);
    port1.postMessage(handle, [handle.port]);
    expect(() => port1.postMessage(handle, [handle.port])).toThrow(/could not be cloned|detached/i);
    port1.close();
  });

  it("an IOLoop cannot be sent, and the error says what can", () => {
    const { port1 } = new MessageChannel();
    expect(() => port1.postMessage(new IOLoop())).toThrow(/send a loop\.threadHandle\(\) instead/);
    expect(() => structuredClone({ loop: IOLoop.current() })).toThrow(/stays in its thread/);
    port1.close();
  });

  it.each([undefined, null, 5, {}, { port: 1 }, new IOLoop()])(
    "openLoopHandle(%s) is a TypeError",
    (value) => {
      expect(() => openLoopHandle(value as never)).toThrow(TypeError);
      expect(() => openLoopHandle(value as never)).toThrow(/threadHandle\(\)/);
    },
  );

  it("garbage on the port is ignored with a warning", async () => {
    const logger = recorder();
    const loop = new IOLoop({ logger });
    const seen: unknown[] = [];
    const { tell } = thread(loop.threadHandle({ done: (value: unknown) => seen.push(value) }));
    const garbage = ["text", null, [], [0], [0, 1], [1, []], [-1, []], [0.5, []], ["done", []], [0, [], 0]];
    for (const message of garbage) await tell("raw", message);
    await tell("send", "done", "real");
    await expect.poll(() => seen).toEqual(["real"]);
    expect(logger.records.map(({ level }) => level)).toEqual(garbage.map(() => "warn"));
  });
});

describe("the end of a handle", () => {
  it("comes with the end of the other thread, after all that it had sent", async () => {
    const loop = new IOLoop();
    const seen: number[] = [];
    const handle = loop.threadHandle({ n: (i: number) => seen.push(i) });
    const { worker, exited } = thread(handle);
    worker.postMessage(["burstAndExit", "n", 3000]);
    await exited;
    await handle.whenClosed;
    expect(handle.closed).toBe(true);
    await expect.poll(() => seen.length).toBe(3000);
  });

  it("comes with close() of the other thread, after all that it had sent, and does not hold that thread", async () => {
    const loop = new IOLoop();
    const seen: number[] = [];
    const handle = loop.threadHandle({ n: (i: number) => seen.push(i) });
    const { tell, worker, exited } = thread(handle);
    await tell("burst", "n", 10);
    await tell("close");
    await handle.whenClosed;
    await expect.poll(() => seen.length).toBe(10);
    const open = loop.threadHandle({ n: (i: number) => seen.push(i) });
    const other = thread(open);
    await other.tell("send", "n", 10);
    for (const each of [worker, other.worker]) each.postMessage(["leave"]);
    expect([await exited, await other.exited]).toEqual([[0], [0]]);
  });

  it("drops what is on the way when the loop's side closes, also from within a callback", async () => {
    const loop = new IOLoop();
    const seen: number[] = [];
    const handle = loop.threadHandle({
      n: (i: number) => {
        seen.push(i);
        handle.close();
      },
    });
    const remote = openLoopHandle(handle);
    // They come in one turn, so that those behind the first have reached this thread.
    for (let i = 0; i < 5; i++) remote.addCallbackFromThread("n", i);
    await handle.whenClosed;
    await new Promise<void>((resolve) => loop.addCallback(resolve));
    expect(seen).toEqual([0]);
  });

  it("drops what waits for the loop's turn when the loop's side closes before it", async () => {
    const { loop, host } = virtualLoop();
    const seen: unknown[] = [];
    const handle = loop.threadHandle({ n: (i: number) => seen.push(i) });
    openLoopHandle(handle).addCallbackFromThread("n", 1);
    await expect.poll(() => loop.metrics().callbacks).toBe(1);
    handle.close();
    await host.advance(0);
    expect([seen, loop.metrics().callbacks]).toEqual([[], 0]);
  });
});

it("names and arguments are checked by the compiler", () => {
  const callbacks = {
    done: (_result: number) => undefined,
    failed: (_why: string, _code?: number) => undefined,
  };
  const never = (sent: SentLoopHandle<typeof callbacks>) => {
    const remote = openLoopHandle(sent);
    expectTypeOf(remote).toEqualTypeOf<RemoteLoop<typeof callbacks>>();
    remote.addCallbackFromThread("done", 1);
    remote.addCallbackFromThread("failed", "why");
    // @ts-expect-error: no such callback
    remote.addCallbackFromThread("dune", 1);
    // @ts-expect-error: a number
    remote.addCallbackFromThread("done", "1");
    // @ts-expect-error: it takes an argument
    remote.addCallbackFromThread("done");
  };
  expect(never).toBeTypeOf("function");
});
