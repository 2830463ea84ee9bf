// A task that was sent to a thread which ends before it begins it: it is lost in no phase, and never runs twice.

import { describe, expect, it } from "vitest";
import type { ThreadPoolExecutor } from "../src/index.js";
import { holding, pool, rejection, tasks } from "./executor-support.js";
import { recorder } from "./support.js";

const counter = () => new Int32Array(new SharedArrayBuffer(4));

/** Has a thread run a task that answers; what is sent to that thread waits, and `open()` ends it before any of that begins. */
async function failing(executor: ThreadPoolExecutor): Promise<() => void> {
  const gate = counter();
  await executor.run(tasks("answerAndFail"), [gate]);
  return () => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  };
}

describe("a task behind one that left something dangling, which ends the thread", () => {
  it("runs in another thread, before those that came later, and what ended the first is logged", async () => {
    const logger = recorder();
    await using executor = pool({ maxWorkers: 1, logger });
    const done: unknown[] = [];
    const runs = [executor.run(tasks("dangle"), ["a"]), executor.run(tasks("later"), ["b"])];
    runs.push(executor.run(tasks("later"), ["c"]));
    await Promise.all(runs.map(async (run) => done.push(await run)));
    expect(done).toEqual(["a", "b", "c"]);
    expect(logger.records).toEqual([
      expect.objectContaining({
        message: "A thread of the executor ended without a task",
        fields: { err: expect.objectContaining({ message: "left dangling" }) },
      }),
    ]);
  });

  it("does so where it is the only one, and is run as soon as the first has answered", async () => {
    await using executor = pool({ maxWorkers: 1, logger: recorder() });
    const runs = counter();
    for (let i = 1; i <= 5; i++) {
      expect(await executor.run(tasks("dangle"), ["answer"])).toBe("answer");
      expect(await executor.run(tasks("count"), [runs])).toBe(i);
    }
  });

  it("rejects where it moves arguments: they ended with the thread", async () => {
    await using executor = pool({ maxWorkers: 1, logger: recorder() });
    const open = await failing(executor);
    const bytes = new Uint8Array(4);
    const second = executor.run(tasks("echo", { transfer: [bytes.buffer] }), [bytes]);
    open();
    expect(await rejection(second)).toMatchObject({
      code: "ERR_TW_WORKER_CRASHED",
      exitCode: 1,
      message: "The thread exited with 1 before echo() began, and what it was to move went with it",
      cause: { message: "failed behind the answer" },
    });
  });

  it("is given up by its signal, and is not run", async () => {
    await using executor = pool({ maxWorkers: 1, logger: recorder() });
    const open = await failing(executor);
    const runs = counter();
    const controller = new AbortController();
    const second = executor.run(tasks("count", { signal: controller.signal }), [runs]);
    controller.abort("enough");
    open();
    await expect(second).rejects.toBe("enough");
    expect(await executor.run(tasks("count"), [runs])).toBe(1);
  });

  it.each([
    ["waited for by close()", false, 1],
    ["given up by abort()", true, 0],
  ])("is %s", async (_, abort, count) => {
    const executor = pool({ maxWorkers: 1, logger: recorder() });
    const open = await failing(executor);
    const runs = counter();
    const second = executor.run(tasks("count"), [runs]).catch((error) => error.code);
    if (abort) executor.abort();
    const closed = executor.close();
    open();
    await closed;
    expect([await second, runs[0]]).toEqual([abort ? "ERR_TW_EXECUTOR_CLOSED" : 1, count]);
    expect([executor.queued, executor.workers]).toEqual([0, 0]);
  });

  it.each([
    ["and runs first", false, "second"],
    ["and can be given up there", true, "enough"],
  ])("waits at the head of the queue where no thread can be made, %s", async (_, abort, expected) => {
    let exhausted = false;
    const resourceLimits = {
      get maxOldGenerationSizeMb(): number {
        if (exhausted) throw new Error("out of threads");
        return 64;
      },
    };
    await using executor = pool({ maxWorkers: 2, resourceLimits, logger: recorder() });
    const held = holding();
    const first = executor.run(held.task, held.args);
    const open = await failing(executor);
    exhausted = true;
    const controller = new AbortController();
    const done: unknown[] = [];
    const add = (value: unknown) => done.push(value);
    const second = executor.run(tasks("later", { signal: controller.signal }), ["second"]).then(add, add);
    const third = executor.run(tasks("later"), ["third"]).then(add);
    open();
    await expect.poll(() => executor.workers).toBe(1);
    expect(executor.queued).toBe(2);
    if (abort) controller.abort("enough");
    held.letGo();
    expect(await first).toBe("held");
    await Promise.all([second, third]);
    expect(done).toEqual([expected, "third"]);
  });
});

describe("a task that began is never run again", () => {
  it("when it ends a thread that has done others", async () => {
    await using executor = pool({ maxWorkers: 1 });
    const runs = counter();
    expect(await executor.run(tasks("count"), [runs])).toBe(1);
    const error = await rejection(executor.run(tasks("countAndExit"), [runs]));
    expect(error).toMatchObject({ code: "ERR_TW_WORKER_CRASHED", exitCode: 3 });
    expect([runs[0], await executor.run(tasks("count"), [runs])]).toEqual([2, 3]);
  });

  it("when the thread's entry does not say what it begins: a copy of an older one", async () => {
    const silent = `
      import { workerData } from "node:worker_threads";
      workerData.port.on("message", ({ args: [runs] }) => {
        if (Atomics.add(runs, 0, 1) === 1) process.exit(3);
        workerData.port.postMessage({ at: "value", value: "answered" });
      });`;
    await using executor = pool({
      maxWorkers: 1,
      entry: new URL(`data:text/javascript,${encodeURIComponent(silent)}`),
    });
    const runs = counter();
    expect(await executor.run(tasks("count"), [runs])).toBe("answered");
    expect((await rejection(executor.run(tasks("count"), [runs]))).code).toBe("ERR_TW_WORKER_CRASHED");
    expect(runs[0]).toBe(2);
  });
});

it("a thread that ends before it begins its first task is not tried again", async () => {
  const entry = new URL("data:text/javascript,throw new RangeError('not this way')");
  await using executor = pool({ maxWorkers: 1, entry });
  const error = await rejection(executor.run(tasks("add"), [1, 2]));
  expect(error).toMatchObject({
    code: "ERR_TW_WORKER_CRASHED",
    message: "The thread exited with 1 before add() was done",
    cause: { message: "not this way" },
  });
});
