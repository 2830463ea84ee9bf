// What a task is, what goes to its thread and what comes back.

import { AsyncLocalStorage } from "node:async_hooks";
import { fileURLToPath } from "node:url";
import { MessageChannel } from "node:worker_threads";
import { isTwError } from "@tw/util";
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import { type Executor, IOLoop, type Task, type Transferring, tasksOf, transferring } from "../src/index.js";
import { pool, rejection, tasks, workUrl } from "./executor-support.js";
import type * as work from "./fixtures/executor/work.mjs";

const loop = new IOLoop();
const executor = pool({ maxWorkers: 1 });
loop.setDefaultExecutor(executor);
const run = (name: string, ...args: unknown[]) =>
  loop.runInExecutor(undefined, { module: workUrl, name }, ...args);

afterAll(() => executor.close());

describe("runInExecutor()", () => {
  it("runs an exported function on another thread and resolves with what it returned", async () => {
    expect(await loop.runInExecutor(undefined, tasks("add"), 2, 3)).toBe(5);
    expect(await loop.runInExecutor(executor, tasks("later"), "x")).toBe("x");
    expect(await run("where")).toEqual({ isMainThread: false, threadId: expect.any(Number) });
  });

  it("takes the module as a URL, its text, or an absolute path, and the default export by its name", async () => {
    for (const module of [workUrl, workUrl.href, fileURLToPath(workUrl)]) {
      expect(await loop.runInExecutor(undefined, { module, name: "default" })).toBe("the default");
    }
    const data = "data:text/javascript,export const answer = () => 42";
    expect(await loop.runInExecutor(undefined, { module: data, name: "answer" })).toBe(42);
  });

  it("clones arguments and results: maps, dates, cycles", async () => {
    const ring: Record<string, unknown> = { at: new Date(5), map: new Map([[1, new Set(["a"])]]) };
    ring.self = ring;
    const [back] = (await run("echo", ring)) as [Record<string, unknown>];
    expect(back).not.toBe(ring);
    expect(back.self).toBe(back);
    expect([back.at, back.map]).toEqual([ring.at, ring.map]);
  });

  it("moves what the task's transfer names, and what transferring() marks in the result", async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const echo: Task = { module: workUrl, name: "echo", transfer: [bytes.buffer] };
    expect(await executor.run(echo, [bytes])).toEqual([new Uint8Array([1, 2, 3])]);
    expect(bytes.byteLength).toBe(0);
    const result = await loop.runInExecutor(undefined, tasks("bytes"), 4);
    expectTypeOf(result).toEqualTypeOf<Uint8Array>();
    expect(result).toEqual(new Uint8Array([7, 7, 7, 7]));
    expect(Object.getOwnPropertySymbols(transferring(1, []))).toEqual([
      Symbol.for("@tw/ioloop.transferring"),
    ]);
  });

  it("keeps the AsyncLocalStorage store of the caller in continuations, also when the thread is shared", async () => {
    const storage = new AsyncLocalStorage<number>();
    const stores = [1, 2, 3].map((store) =>
      storage.run(store, async () => {
        await loop.runInExecutor(undefined, tasks("later"), "x");
        return storage.getStore();
      }),
    );
    expect(await Promise.all(stores)).toEqual([1, 2, 3]);
  });

  it("takes what the task says on its parentPort for nothing", async () => {
    expect(await run("chatter")).toBe("the truth");
  });

  it("types names, arguments and results", () => {
    expectTypeOf(loop.runInExecutor<typeof work.add>).returns.toEqualTypeOf<Promise<number>>();
    const never = () => {
      // @ts-expect-error: no such function
      tasks("missing");
      // @ts-expect-error: an export, but no function
      tasks("notAFunction");
      // @ts-expect-error: add takes numbers
      void loop.runInExecutor(undefined, tasks("add"), "2", 3);
      // @ts-expect-error: add takes two
      void loop.runInExecutor(undefined, tasks("add"), 2);
      const sum: Promise<number> = loop.runInExecutor(undefined, tasks("add"), 2, 3);
      const held: Promise<string> = loop.runInExecutor(undefined, tasks("later"), "x");
      const failing = tasksOf<{ fail: () => never; may: () => Transferring<number> | undefined }>("/work.js");
      expectTypeOf(loop.runInExecutor(undefined, failing("fail"))).toEqualTypeOf<Promise<never>>();
      expectTypeOf(loop.runInExecutor(undefined, failing("may"))).toEqualTypeOf<
        Promise<number | undefined>
      >();
      return [sum, held];
    };
    expect(never).toBeTypeOf("function");
  });
});

describe("a task that throws", () => {
  it("rejects with its name, message, stack, causes, own properties and built-in class", async () => {
    const error = await rejection(run("fail", "line 3"));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toMatchObject({
      name: "ParseError",
      message: "line 3",
      code: "E_PARSE",
      position: { line: 3 },
    });
    expect(error.stack).toContain("work.mjs");
    expect(error).not.toHaveProperty("handler");
    expect(error.cause).toBeInstanceOf(RangeError);
    expect((error.cause as Error).cause).toBe("text");
    expect(Object.keys(error)).not.toContain("stack");
  });

  it("rejects with an AggregateError that has its errors", async () => {
    const error = await rejection(run("failTogether"));
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as unknown as AggregateError).errors).toEqual([new TypeError("one"), "two"]);
  });

  it("rejects with a TwError that isTwError recognises", async () => {
    const error = await rejection(run("failAsTwError"));
    expect(isTwError(error, "ERR_TW_STREAM_CLOSED")).toBe(true);
    expect(error.name).toBe("StreamClosedError");
  });

  it("rejects with a DOMException that has its code, its cause and its own properties", async () => {
    const error = await rejection(run("failAsDOMException"));
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject({
      name: "AbortError",
      message: "gone",
      code: 20,
      path: "/x",
      cause: "because",
    });
    expect(error.stack).toContain("work.mjs");
  });

  it.each([
    ["lazy", {}],
    ["name", { name: "RangeError" }],
    ["message", { message: "" }],
    ["stack", { stack: undefined }],
    ["cause", { cause: undefined }],
  ])("rejects with all but its %s where only that cannot be read", async (key, instead) => {
    const error = await rejection(run("failWithoutReading", key));
    expect(error).toBeInstanceOf(RangeError);
    const { name, message, code, cause, stack } = error;
    const whole = { name: "Named", message: "in full", code: "E_CODE", cause: "because" };
    // V8 writes the stack when it is read, and reads name and message for it.
    const hasStack = key === "lazy" || key === "cause";
    expect({ name, message, code, cause, stack }).toEqual({
      ...whole,
      stack: hasStack ? expect.stringContaining("work.mjs") : undefined,
      ...instead,
    });
    expect(error).not.toHaveProperty("lazy");
  });

  it("takes 64 errors of a chain of causes along, and no more", async () => {
    for (const [sent, received] of [
      [63, 63],
      [64, 64],
      [65, 64],
    ]) {
      let length = 0;
      for (let at: unknown = await rejection(run("failInAChain", sent)); at instanceof Error; at = at.cause)
        length++;
      expect(length).toBe(received);
    }
  });

  it("keeps rings of errors, which take no more places than there are errors", async () => {
    const ring = await rejection(run("failInARing"));
    expect(ring.cause).toBe(ring);
    const together = await rejection(run("failTogetherInARing"));
    const [first, second, third] = (together as unknown as AggregateError).errors;
    expect(first).toBe(together);
    expect(second).toMatchObject({ name: "TypeError", message: "sibling" });
    expect([second.cause, third]).toEqual([together, second]);
    expect([second.cause === together, third === second]).toEqual([true, true]);
  });

  it.each([undefined, null, 0, "text", { reason: 1 }])("rejects with %j as it is", async (value) => {
    await expect(run("throwValue", value)).rejects.toEqual(value);
  });

  it("rejects with ERR_TW_TASK_CLONE when what it threw cannot be cloned or looked at", async () => {
    const error = await rejection(run("throwUncloneable"));
    expect([error.code, error.message]).toEqual([
      "ERR_TW_TASK_CLONE",
      expect.stringContaining("Symbol(mine)"),
    ]);
    expect(await rejection(run("failTrickily"))).toMatchObject({
      code: "ERR_TW_TASK_CLONE",
      message: "The task threw something that cannot even be looked at",
    });
    expect(await run("later", "alive")).toBe("alive");
  });
});

describe("a task that cannot be run", () => {
  it("rejects with ERR_TW_TASK_MODULE and the cause when the module does not load", async () => {
    const module = new URL("./fixtures/executor/broken.mjs", import.meta.url);
    const error = await rejection(loop.runInExecutor(undefined, { module, name: "x" }));
    expect(error).toMatchObject({ name: "ExecutorError", code: "ERR_TW_TASK_MODULE" });
    expect(error.cause).toMatchObject({ message: "this module does not load" });
    const missing = new URL("./fixtures/executor/missing.mjs", import.meta.url);
    const other = await rejection(loop.runInExecutor(undefined, { module: missing, name: "x" }));
    expect(other.cause).toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
  });

  it.each(["missing", "notAFunction", "toString"])(
    "rejects with ERR_TW_TASK_EXPORT for the name %s",
    async (name) => {
      const error = await rejection(run(name));
      expect([error.code, error.message]).toEqual([
        "ERR_TW_TASK_EXPORT",
        expect.stringContaining("it exports add"),
      ]);
    },
  );

  it("rejects with ERR_TW_TASK_CLONE when arguments or result cannot be cloned, and the thread goes on", async () => {
    const before = executor.workers;
    const error = await rejection(run("echo", () => undefined));
    expect([error.code, (error.cause as Error).name]).toEqual(["ERR_TW_TASK_CLONE", "DataCloneError"]);
    const result = await rejection(run("uncloneable"));
    expect([result.code, (result.cause as Error).name]).toEqual(["ERR_TW_TASK_CLONE", "DataCloneError"]);
    expect([await run("add", 1, 1), executor.workers]).toEqual([2, before]);
  });

  it("throws at once, with what to do, on what is no task or no executor", () => {
    const bad: [unknown, RegExp][] = [
      [() => 1, /closure cannot go/],
      [null, /got null/],
      [{ module: "./work.mjs", name: "add" }, /new URL\("\.\/work\.js", import\.meta\.url\)/],
      [{ module: "lodash", name: "add" }, /absolute path/],
      [{ module: "https://example.com/x.js", name: "add" }, /absolute path/],
      [{ module: 5, name: "add" }, /got number/],
      [{ module: workUrl, name: "" }, /export/],
      [{ module: workUrl, name: 1 }, /got number/],
      [{ module: workUrl, name: "add", signal: {} }, /AbortSignal/],
      [{ module: workUrl, name: "add", transfer: new MessageChannel().port1 }, /array/],
    ];
    for (const [task, message] of bad) {
      expect(() => loop.runInExecutor(executor, task as Task)).toThrow(TypeError);
      expect(() => loop.runInExecutor(executor, task as Task)).toThrow(message);
    }
    expect(() => loop.runInExecutor({} as Executor, tasks("add"), 1, 2)).toThrow(/executorFrom/);
    expect(() => loop.setDefaultExecutor(undefined as never)).toThrow(TypeError);
    expect(() => tasksOf("work.mjs")).toThrow(TypeError);
    expect(() => tasks("" as never)).toThrow(TypeError);
    expect(() => tasks("add", AbortSignal.abort() as never)).toThrow(/got an AbortSignal: give { signal }$/);
    expect(() => tasks("add", [new ArrayBuffer(1)] as never)).toThrow(
      /got an array: give { transfer: \[…\] }$/,
    );
    expect(() => tasks("add", null as never)).toThrow(/must be an object, got null$/);
    expect(() => transferring(1, new ArrayBuffer(1) as never)).toThrow(TypeError);
    expect(executor.queued).toBe(0);
  });
});

it("setDefaultExecutor() takes anything with run(task, args)", async () => {
  const other = new IOLoop();
  other.setDefaultExecutor({ run: async (task, args) => [task.name, ...args] });
  expect(await other.runInExecutor(undefined, tasks("add"), 1, 2)).toEqual(["add", 1, 2]);
});
