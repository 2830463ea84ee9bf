// The pool: its queue, its threads, and the ways in which both end.

import { getEventListeners } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ThreadPoolExecutor } from "../src/index.js";
import { entry, holding, pool, rejection, tasks } from "./executor-support.js";
import { recorder } from "./support.js";

describe("the queue of a ThreadPoolExecutor", () => {
  it("takes maxQueue tasks beyond those that run, and refuses one more with ERR_TW_EXECUTOR_FULL", async () => {
    await using executor = pool({ maxWorkers: 1, maxQueue: 2 });
    const held = holding();
    const first = executor.run(held.task, held.args);
    const waiting = [executor.run(tasks("add"), [1, 1]), executor.run(tasks("add"), [2, 2])];
    expect(executor.queued).toBe(2);
    const error = await rejection(executor.run(tasks("add"), [3, 3]));
    expect([error.code, error.message]).toEqual([
      "ERR_TW_EXECUTOR_FULL",
      "Cannot run add(): 2 tasks wait for 1 threads, limit 2",
    ]);
    held.letGo();
    expect(await Promise.all([first, ...waiting])).toEqual(["held", 2, 4]);
    expect(await executor.run(tasks("add"), [3, 3])).toBe(6);
  });

  it("may be none at all: maxQueue 0", async () => {
    await using executor = pool({ maxWorkers: 1, maxQueue: 0 });
    const held = holding();
    const first = executor.run(held.task, held.args);
    expect((await rejection(executor.run(tasks("add"), [1, 1]))).code).toBe("ERR_TW_EXECUTOR_FULL");
    held.letGo();
    expect(await first).toBe("held");
  });

  it("is first in, first out, and one that cannot be sent holds up nobody", async () => {
    await using executor = pool({ maxWorkers: 1 });
    const order: unknown[] = [];
    const runs = [1, 2, 3, 4].map((n) =>
      executor.run(tasks("echo"), n === 2 ? [() => n] : [n]).then(
        (back) => order.push(back),
        (error) => order.push(error.code),
      ),
    );
    await Promise.all(runs);
    expect(order).toEqual([[1], "ERR_TW_TASK_CLONE", [3], [4]]);
  });

  it("makes threads as they are needed, up to maxWorkers, and takes idle ones first", async () => {
    await using executor = pool({ maxWorkers: 2 });
    expect(executor.workers).toBe(0);
    await executor.run(tasks("add"), [1, 1]);
    await executor.run(tasks("add"), [1, 1]);
    expect(executor.workers).toBe(1);
    const held = [holding(), holding()];
    const runs = held.map(({ task, args }) => executor.run(task, args));
    await Promise.all(held.map(({ running }) => running));
    const third = executor.run(tasks("add"), [1, 1]);
    expect([executor.workers, executor.queued]).toEqual([2, 1]);
    for (const { letGo } of held) letGo();
    expect(await Promise.all([...runs, third])).toEqual(["held", "held", 2]);
  });
});

describe("a task's signal", () => {
  it("rejects with its reason when it is aborted already, and sends nothing", async () => {
    await using executor = pool();
    const bytes = new Uint8Array(1);
    const task = tasks("echo", { signal: AbortSignal.abort("no"), transfer: [bytes.buffer] });
    await expect(executor.run(task, [bytes])).rejects.toBe("no");
    expect([executor.workers, bytes.byteLength]).toEqual([0, 1]);
  });

  it("takes a waiting task out of the queue, which makes room", async () => {
    await using executor = pool({ maxWorkers: 1, maxQueue: 1 });
    const held = holding();
    const first = executor.run(held.task, held.args);
    const controller = new AbortController();
    const second = executor.run(tasks("later", { signal: controller.signal }), ["never"]);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(executor.queued).toBe(0);
    await expect(second).rejects.toBe(reason);
    const third = executor.run(tasks("later"), ["third"]);
    held.letGo();
    expect(await Promise.all([first, third])).toEqual(["held", "third"]);
    expect(executor.workers).toBe(1);
  });

  it("ends the thread under a running task, even one that never yields, and another takes the queue", async () => {
    await using executor = pool({ maxWorkers: 1 });
    const controller = new AbortController();
    const spinning = holding("spin", controller.signal);
    const first = executor.run(spinning.task, spinning.args);
    await spinning.running;
    const second = executor.run(tasks("later"), ["next"]);
    controller.abort();
    expect((await rejection(first)).name).toBe("AbortError");
    expect(await second).toBe("next");
    expect(executor.workers).toBe(1);
  });

  it("is left alone when the task is done, and an abort afterwards ends nothing", async () => {
    await using executor = pool({ maxWorkers: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    expect(await executor.run(tasks("later", { signal }), ["done"])).toBe("done");
    await rejection(executor.run(tasks("fail", { signal }), ["x"]));
    await rejection(executor.run(tasks("echo", { signal }), [() => undefined]));
    expect(getEventListeners(signal, "abort")).toEqual([]);
    controller.abort();
    expect(await executor.run(tasks("later"), ["alive"])).toBe("alive");
  });
});

it("tasks that share a signal share one listener, which leaves with the last of them", async () => {
  await using executor = pool({ maxWorkers: 1 });
  const { signal } = new AbortController();
  const runs = Array.from({ length: 20 }, () => executor.run(tasks("later", { signal }), ["done"]));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  await Promise.all(runs);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

describe("a thread that dies", () => {
  it.each([0, 3])(
    "of process.exit(%d) rejects its task with ERR_TW_WORKER_CRASHED and is replaced",
    async (code) => {
      await using executor = pool({ maxWorkers: 1 });
      const first = executor.run(tasks("exit"), [code]);
      const second = executor.run(tasks("later"), ["next"]);
      expect(await rejection(first)).toMatchObject({
        name: "WorkerCrashedError",
        code: "ERR_TW_WORKER_CRASHED",
        exitCode: code,
        message: `The thread exited with ${code} before exit() was done`,
      });
      expect(await second).toBe("next");
    },
  );

  it.each([
    ["uncaught", "nobody catches this"],
    ["unhandled", "nobody observes this"],
  ])("of an %s error rejects its task with that as the cause", async (name, message) => {
    await using executor = pool({ maxWorkers: 1 });
    const error = await rejection(executor.run(tasks(name as "exit"), []));
    expect(error).toMatchObject({ code: "ERR_TW_WORKER_CRASHED", exitCode: 1 });
    expect(error.cause).toMatchObject({ name: "TypeError", message });
    expect(await executor.run(tasks("later"), ["next"])).toBe("next");
  });

  it("of memory rejects its task, and nobody else notices", async () => {
    await using executor = pool({ maxWorkers: 1, resourceLimits: { maxOldGenerationSizeMb: 16 } });
    const first = executor.run(tasks("eatMemory" as "exit"), []);
    const second = executor.run(tasks("later"), ["next"]);
    const error = await rejection(first);
    expect(error.code).toBe("ERR_TW_WORKER_CRASHED");
    expect(error.cause).toMatchObject({ code: "ERR_WORKER_OUT_OF_MEMORY" });
    expect(await second).toBe("next");
  });

  it("right after its answer takes the answer nowhere", async () => {
    for (let i = 0; i < 5; i++) {
      await using executor = pool({ maxWorkers: 1 });
      expect(await executor.run(tasks("answerAndExit" as "exit"), [])).toBe("answered");
    }
  });

  it("while it is idle is logged once, and the next task gets another", async () => {
    const logger = recorder();
    await using executor = pool({ maxWorkers: 1, logger });
    const { port1, port2 } = new MessageChannel();
    const bomb = tasks("bomb" as "exit", { transfer: [port2] });
    expect(await executor.run(bomb, [port2])).toBe("armed");
    const gone = new Promise((resolve) => port1.once("close", resolve));
    port1.postMessage("now");
    await gone;
    await expect.poll(() => executor.workers).toBe(0);
    expect(logger.records).toEqual([
      expect.objectContaining({
        level: "error",
        message: "A thread of the executor ended without a task",
        fields: { err: expect.objectContaining({ message: "an idle thread fails" }) },
      }),
    ]);
    expect(await executor.run(tasks("later"), ["next"])).toBe("next");
  });

  it("cannot be started where there is none to be had: the task rejects, and run() does not throw", async () => {
    await using executor = pool({ entry: new URL("http://localhost/worker.js") });
    const error = await rejection(executor.run(tasks("add"), [1, 2]));
    expect([error.code, error.cause]).toEqual(["ERR_TW_WORKER_CRASHED", expect.any(Error)]);
    expect([executor.queued, executor.workers]).toEqual([0, 0]);
  });

  it("and has no successor rejects what waits, and nothing is thrown at the process", async () => {
    let exhausted = false;
    const resourceLimits = {
      get maxOldGenerationSizeMb(): number {
        if (exhausted) throw new Error("out of threads");
        return 64;
      },
    };
    await using executor = pool({ maxWorkers: 1, resourceLimits });
    const first = executor.run(tasks("exit"), [3]);
    const waiting = [executor.run(tasks("add"), [1, 1]), executor.run(tasks("add"), [2, 2])];
    exhausted = true;
    const messages = await Promise.all(
      [first, ...waiting].map(async (run) => (await rejection(run)).message),
    );
    expect(messages).toEqual([
      "The thread exited with 3 before exit() was done",
      "Cannot start a thread: out of threads",
      "Cannot start a thread: out of threads",
    ]);
    expect([executor.queued, executor.workers]).toEqual([0, 0]);
  });

  it("because its entry is missing says what to do", async () => {
    await using executor = pool({ entry: new URL("./nowhere.js", entry) });
    const error = await rejection(executor.run(tasks("add"), [1, 2]));
    expect([error.code, error.message]).toEqual([
      "ERR_TW_WORKER_CRASHED",
      expect.stringContaining("carry this file along, or name it with the option entry"),
    ]);
  });
});

describe("close() and abort() of a ThreadPoolExecutor", () => {
  it("close() waits for what runs and what waits, refuses more, and ends the threads", async () => {
    const executor = pool({ maxWorkers: 1 });
    const held = holding();
    const runs = [executor.run(held.task, held.args), executor.run(tasks("later"), ["queued"])];
    await held.running;
    const closed = executor.close();
    expect((await rejection(executor.run(tasks("add"), [1, 2]))).code).toBe("ERR_TW_EXECUTOR_CLOSED");
    held.letGo();
    expect(await Promise.all(runs)).toEqual(["held", "queued"]);
    await closed;
    expect(executor.workers).toBe(0);
    await executor.close();
  });

  it("close() of a pool that was never used, or is idle, resolves", async () => {
    await pool().close();
    const executor = pool({ maxWorkers: 1 });
    await executor.run(tasks("add"), [1, 2]);
    await Promise.all([executor.close(), executor.close()]);
    expect(executor.workers).toBe(0);
  });

  it("close() refuses a signal that is none, and goes on", async () => {
    const executor = pool();
    for (const signal of [{}, null, 5])
      expect(() => executor.close({ signal: signal as never })).toThrow(TypeError);
    expect(await executor.run(tasks("add"), [1, 2])).toBe(3);
    await executor.close();
  });

  it("close({ signal }) gives up with the reason when it is aborted, at once or later", async () => {
    for (const early of [true, false]) {
      const executor = pool({ maxWorkers: 1 });
      const spinning = holding("spin");
      const runs = [executor.run(spinning.task, spinning.args), executor.run(tasks("later"), ["never"])];
      const rejections = runs.map(rejection);
      await spinning.running;
      const controller = new AbortController();
      const reason = new Error("no more patience");
      if (early) controller.abort(reason);
      const closed = executor.close({ signal: controller.signal });
      if (!early) controller.abort(reason);
      await expect(closed).rejects.toBe(reason);
      expect(await Promise.all(rejections)).toEqual([reason, reason]);
      expect(executor.workers).toBe(0);
    }
  });

  it("abort() rejects everything with its reason, by default ERR_TW_EXECUTOR_CLOSED", async () => {
    const executor = pool({ maxWorkers: 1 });
    const spinning = holding("spin");
    const runs = [executor.run(spinning.task, spinning.args), executor.run(tasks("later"), ["never"])];
    const rejections = Promise.all(runs.map(rejection));
    executor.abort();
    executor.abort("again");
    expect((await rejections).map(({ code }) => code)).toEqual([
      "ERR_TW_EXECUTOR_CLOSED",
      "ERR_TW_EXECUTOR_CLOSED",
    ]);
    await executor.close();
    expect(executor.workers).toBe(0);
  });

  it("a task that fails while close() waits does not keep it from closing", async () => {
    const executor = pool({ maxWorkers: 1 });
    const failing = rejection(executor.run(tasks("exit"), [1]));
    const next = executor.run(tasks("later"), ["next"]);
    await executor.close();
    expect((await failing).code).toBe("ERR_TW_WORKER_CRASHED");
    expect(await next).toBe("next");
  });
});

it("the constructor throws on sizes that are none, and on what is no entry or logger", () => {
  expect(() => new ThreadPoolExecutor({ maxWorkers: 0 })).toThrow(RangeError);
  expect(() => new ThreadPoolExecutor({ maxWorkers: 1.5 })).toThrow(RangeError);
  expect(() => new ThreadPoolExecutor({ maxWorkers: "2" as never })).toThrow(TypeError);
  expect(() => new ThreadPoolExecutor({ maxQueue: -1 })).toThrow(RangeError);
  expect(() => new ThreadPoolExecutor({ entry: "./x.js" as never })).toThrow(TypeError);
  for (const bad of [null, 5, {}])
    expect(() => new ThreadPoolExecutor({ logger: bad as never })).toThrow(/^A logger has debug/);
  expect(new ThreadPoolExecutor({ maxWorkers: 1, maxQueue: 0 }).workers).toBe(0);
});

it("what is given in the place of options throws, and says what was meant", async () => {
  const make = (options: unknown) => () => new ThreadPoolExecutor(options as never);
  expect(make(4)).toThrow(/got 4: give { maxWorkers: 4 }$/);
  expect(make(null)).toThrow(/must be an object, got null$/);
  const executor = pool({ maxWorkers: 1 });
  const close = (options: unknown) => () => executor.close(options as never);
  expect(close(AbortSignal.abort())).toThrow(/got an AbortSignal: give { signal }$/);
  expect(close(null)).toThrow(/must be an object, got null$/);
  expect(close(100)).toThrow(/must be an object, got 100$/);
  expect(await executor.run(tasks("add"), [1, 2])).toBe(3);
  await executor.close();
});
