// What the loop asks of a pool of threads, so that any pool can be passed.

import type { Task } from "./task.js";

/** Runs tasks somewhere else. {@link ThreadPoolExecutor} is one; {@link executorFrom} makes one of a piscina. */
export interface Executor {
  /** Resolves with a clone of what the task returned, or rejects with what it threw. */
  run(task: Task, args: readonly unknown[]): Promise<unknown>;
}

/** @throws TypeError on anything that is no executor */
export function checkExecutor(executor: unknown): asserts executor is Executor {
  if (typeof (executor as Executor | null | undefined)?.run === "function") return;
  throw new TypeError(
    "An executor must have run(task, args): a ThreadPoolExecutor, or what executorFrom() makes of a piscina",
  );
}
