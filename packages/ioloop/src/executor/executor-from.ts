// Pools of others behind the Executor interface.

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Transferable,
} from "node:worker_threads";
import { checkOptions } from "@tw/util";
import { outsideContexts } from "../context.js";
import { executorEntry } from "../thread-entries.js";
import { takeAnswer } from "./answer.js";
import { ExecutorError } from "./errors.js";
import type { Executor } from "./executor.js";
import { orderOf } from "./task.js";
import type { Answer } from "./wire.js";

/** What piscina and its relatives have in common. */
export interface PiscinaLike {
  // biome-ignore lint/suspicious/noExplicitAny: what it takes and gives is for its worker, which is ours.
  run(task: any, options?: any): Promise<any>;
}

interface PiscinaRunOptions {
  readonly filename: string;
  readonly name: string;
  readonly signal: AbortSignal | null;
  readonly transferList: readonly Transferable[];
}

/**
 * Makes an executor of a piscina: its queue and threads, our tasks, arguments and errors. What ends a task otherwise
 * (a full queue, an abort, a thread that died) rejects as piscina has it. Closing it stays the caller's.
 *
 * @throws TypeError when `pool` has no `run`, `options` are none, or `entry` is no URL
 * @example
 * loop.setDefaultExecutor(executorFrom(new Piscina({ maxThreads: 4 })));
 */
export function executorFrom(pool: PiscinaLike, options: { readonly entry?: URL } = {}): Executor {
  if (typeof (pool as PiscinaLike | undefined)?.run !== "function") {
    throw new TypeError("executorFrom() takes a piscina, or what has its run(task, options)");
  }
  checkOptions("options", options);
  const { entry = executorEntry() } = options;
  if (!(entry instanceof URL)) throw new TypeError("entry must be a URL");
  return {
    run(task, args) {
      const order = orderOf(task, args);
      const { signal = null, transfer = [] } = task;
      if (signal?.aborted) return Promise.reject(signal.reason);
      const { port1, port2 } = outsideContexts(() => new MessageChannel());
      const how: PiscinaRunOptions = {
        filename: entry.href,
        name: "runTask",
        signal,
        transferList: [...transfer, port2],
      };
      return pool
        .run({ ...order, reply: port2 }, how)
        .then(
          () => takeAnswer(answerOn(port1)),
          (error: unknown) => {
            // It rejects with an AbortError of its own.
            if (signal?.aborted) throw signal.reason;
            throw isCloneError(error) ? argumentsError(order.name, error) : error;
          },
        )
        .finally(() => {
          port1.close();
          port2.close();
        });
    },
  };
}

/** It was sent before the pool heard that the task is done. */
function answerOn(port: MessagePort): Answer {
  const sent = receiveMessageOnPort(port);
  if (sent === undefined) throw new TypeError("The pool did not run the task in a thread of its own");
  return sent.message as Answer;
}

function isCloneError(error: unknown): boolean {
  return error instanceof DOMException && error.name === "DataCloneError";
}

function argumentsError(name: string, cause: unknown): ExecutorError {
  const message = `The arguments of ${name}() cannot be sent to another thread`;
  return new ExecutorError("ERR_TW_TASK_CLONE", message, { cause });
}
