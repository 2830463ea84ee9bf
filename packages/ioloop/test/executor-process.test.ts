// What only the built package in a process of its own can show, and pools of others.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Piscina } from "piscina";
import { afterAll, describe, expect, it } from "vitest";
import { ExecutorError, executorFrom, IOLoop } from "../src/index.js";
import { entry, holding, rejection, tasks, workUrl } from "./executor-support.js";

const run = promisify(execFile);

/** Runs an ESM script beside this package; resolves with its output, rejects when it does not exit with 0. */
async function script(source: string): Promise<string> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", head + source], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    timeout: 10_000,
  });
  return stdout.trim();
}

const head = `
  import { IOLoop, MAX_QUEUE, openLoopHandle, ThreadPoolExecutor } from "@tw/ioloop";
  const loop = IOLoop.current();
  const task = (name) => ({ module: ${JSON.stringify(workUrl.href)}, name });
`;

describe("the executor that a loop makes for itself", () => {
  it("is made on first use, holds the process while a task runs, and not when it is idle", async () => {
    expect(
      await script(`
        loop.runInExecutor(undefined, task("later"), "done").then(console.log);
        console.log("first");`),
    ).toBe("first\ndone");
  });

  it("has as many threads as there are processors, and 1024 places in its queue", async () => {
    expect(
      await script(`
        import { availableParallelism } from "node:os";
        import { MessageChannel } from "node:worker_threads";
        const size = availableParallelism();
        const held = Array.from({ length: size }, () => {
          const { port1, port2 } = new MessageChannel();
          const done = loop.runInExecutor(undefined, { ...task("hold"), transfer: [port2] }, port2);
          return { port1, done };
        });
        const waiting = Array.from({ length: 1024 }, () => loop.runInExecutor(undefined, task("add"), 1, 1));
        await loop.runInExecutor(undefined, task("add"), 1, 1).catch((error) => console.log(error.code));
        for (const { port1 } of held) port1.postMessage("go");
        await Promise.all(held.map(({ done }) => done));
        console.log(MAX_QUEUE, new Set(await Promise.all(waiting)).size);`),
    ).toBe("ERR_TW_EXECUTOR_FULL\n1024 1");
  });

  it("gives way to the one that is set, after what it has", async () => {
    expect(
      await script(`
        const first = loop.runInExecutor(undefined, task("later"), "own");
        loop.setDefaultExecutor({ run: async () => "set" });
        console.log(await first, await loop.runInExecutor(undefined, task("later"), "x"));`),
    ).toBe("own set");
  });

  it("gives up what it has when the loop is closed, also when another one has taken its place", async () => {
    expect(
      await script(`
        import { MessageChannel } from "node:worker_threads";
        const { port1, port2 } = new MessageChannel();
        const first = loop.runInExecutor(undefined, { ...task("hold"), transfer: [port2] }, port2);
        first.catch((error) => console.log(error.code));
        await new Promise((resolve) => port1.once("message", resolve));
        loop.setDefaultExecutor({ run: async () => "set" });
        await loop.close();
        port1.close();
        console.log("closed");`),
    ).toBe("ERR_TW_EXECUTOR_CLOSED\nclosed");
  });

  it("a failing task does not end the process, nor does a dying thread", async () => {
    expect(
      await script(`
        await loop.runInExecutor(undefined, task("fail"), "x").catch((error) => console.log(error.name));
        await loop.runInExecutor(undefined, task("uncaught")).catch((error) => console.log(error.name));
        await loop.runInExecutor(undefined, task("exit"), 5).catch((error) => console.log(error.exitCode));`),
    ).toBe("ParseError\nWorkerCrashedError\n5");
  });

  it("await using ends the threads, and the process with them", async () => {
    expect(
      await script(`
        const pool = new ThreadPoolExecutor({ maxWorkers: 2 });
        console.log(await loop.runInExecutor(pool, task("add"), 1, 2));
        await pool[Symbol.asyncDispose]();
        console.log(pool.workers);`),
    ).toBe("3\n0");
  });
});

it.each(["--max-old-space-size=200", "--stack-trace-limit=20", "--title=tw"])(
  "threads start in a process that was given %s",
  async (flag) => {
    // Without --input-type, which no file is read with.
    const source = `import("@tw/ioloop").then(async ({ ThreadPoolExecutor }) => {
      const pool = new ThreadPoolExecutor({ maxWorkers: 1 });
      console.log(await pool.run({ module: ${JSON.stringify(workUrl.href)}, name: "add" }, [1, 2]));
      await pool.close();
    });`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const { stdout } = await run(process.execPath, [flag, "-e", source], { cwd, timeout: 10_000 });
    expect(stdout.trim()).toBe("3");
  },
);

describe("how long a handle for other threads holds the process", () => {
  it("not at all, unless ref() says so", async () => {
    const source = (rest: string) => `
      const handle = loop.threadHandle({ done: () => { console.log("done"); handle.unref(); } });
      const remote = openLoopHandle(handle);
      ${rest}
      setTimeout(() => remote.addCallbackFromThread("done"), delay).unref();`;
    // So late that a process which nothing holds has ended.
    expect(await script(source("const delay = 5000;"))).toBe("");
    expect(await script(source("const delay = 20; handle.ref();"))).toBe("done");
  });
});

it("the entry of the threads does nothing when it is loaded elsewhere, and exports runTask", async () => {
  expect(
    await script(`
      const entry = await import("@tw/ioloop/executor-worker");
      const { module, name } = task("add");
      console.log(Object.keys(entry).join(), await entry.runTask({ module, name, args: [1, 2] }));`),
  ).toBe("runTask { at: 'value', value: 3 }");
});

describe("executorFrom(piscina)", () => {
  const piscina = new Piscina({ minThreads: 1, maxThreads: 1 });
  const executor = executorFrom(piscina, { entry });
  const loop = new IOLoop();
  afterAll(() => piscina.destroy());

  it("runs the same tasks with the same errors", async () => {
    expect(await loop.runInExecutor(executor, tasks("add"), 2, 3)).toBe(5);
    const error = await rejection(loop.runInExecutor(executor, tasks("fail"), "line 3"));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toMatchObject({ name: "ParseError", code: "E_PARSE", cause: { message: "too deep" } });
    expect((await rejection(loop.runInExecutor(executor, { module: workUrl, name: "missing" }))).code).toBe(
      "ERR_TW_TASK_EXPORT",
    );
    expect(await loop.runInExecutor(executor, tasks("bytes"), 2)).toEqual(new Uint8Array([7, 7]));
  });

  it("moves arguments, and rejects with the signal's reason", async () => {
    const bytes = new Uint8Array([1]);
    await executor.run(tasks("echo", { transfer: [bytes.buffer] }), [bytes]);
    expect(bytes.byteLength).toBe(0);
    const controller = new AbortController();
    const spinning = holding("spin", controller.signal);
    const first = executor.run(spinning.task, spinning.args);
    await spinning.running;
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    await expect(executor.run(tasks("add", { signal: controller.signal }), [1, 2])).rejects.toBe(reason);
  });

  it("moves what transferring() marks in a result", async () => {
    expect(await executor.run({ module: workUrl, name: "keep" }, [3])).toEqual(new Uint8Array([7, 7, 7]));
    expect(await executor.run({ module: workUrl, name: "keptLength" }, [])).toBe(0);
  });

  it("rejects with ERR_TW_TASK_CLONE for what cannot be cloned either way, and the thread lives on", async () => {
    const where = () => executor.run({ module: workUrl, name: "where" }, []);
    const before = await where();
    for (const [name, ...args] of [["uncloneable"], ["echo", () => undefined]] as const) {
      const error = await rejection(executor.run({ module: workUrl, name }, args));
      expect(error).toBeInstanceOf(ExecutorError);
      expect(error).toMatchObject({ code: "ERR_TW_TASK_CLONE", cause: { name: "DataCloneError" } });
    }
    expect(await where()).toEqual(before);
  });

  it("throws on what has no run(), and on what is no task", async () => {
    expect(() => executorFrom({} as never)).toThrow(TypeError);
    expect(() => executorFrom(undefined as never)).toThrow(TypeError);
    for (const options of [5, null])
      expect(() => executorFrom(piscina, options as never)).toThrow(/must be an object/);
    expect(() => executorFrom(piscina, { entry: "./worker.js" as never })).toThrow(TypeError);
    expect(() => executor.run({ module: "relative.js", name: "x" }, [])).toThrow(TypeError);
  });
});
