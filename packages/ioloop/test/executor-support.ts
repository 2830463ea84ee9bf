import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { ThreadPoolExecutor, type ThreadPoolExecutorOptions, tasksOf } from "../src/index.js";
import type * as work from "./fixtures/executor/work.mjs";

export const entry = new URL("../dist/executor/worker.js", import.meta.url);
export const workUrl = new URL("./fixtures/executor/work.mjs", import.meta.url);
export const tasks = tasksOf<typeof work>(workUrl);

/** A pool whose threads run the built entry. */
export function pool(options: ThreadPoolExecutorOptions = {}): ThreadPoolExecutor {
  return new ThreadPoolExecutor({ entry, ...options });
}

/** A task that says when it runs, and then holds its thread until it is let go. */
export function holding(name: "hold" | "spin" = "hold", signal?: AbortSignal) {
  const { port1, port2 } = new MessageChannel();
  const running = once(port1, "message");
  return {
    task: tasks(name, { transfer: [port2], signal }),
    args: [port2] as const,
    running,
    letGo: () => port1.postMessage("go"),
  };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("It did not reject");
}
