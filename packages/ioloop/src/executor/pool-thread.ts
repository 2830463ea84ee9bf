// One thread of a pool, from its start to its exit: idle, running one task, or ending.
//
// Between a task's answer and the next task the thread may end: what a task leaves behind (a rejection that nobody
// observes, a timer that throws) ends it after the answer, and the next order lies in its port by then. That order never
// began, and can go to another thread. So that none goes twice, the thread says in shared memory that it begins one:
//
//   pool: 0, order ──► thread: 1, runs it, answer ──► pool: 0, order ──► …
//
// It costs no message. A thread that has not said so once may be of another version, or have failed to start.

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  type WorkerOptions,
} from "node:worker_threads";
import { outsideContexts } from "../context.js";
import { missingEntry } from "../thread-entries.js";
import { takeAnswer } from "./answer.js";
import { ExecutorError, WorkerCrashedError } from "./errors.js";
import type { Run } from "./run.js";
import type { Answer, ThreadStart } from "./wire.js";

/** What a thread tells its pool. */
export interface ThreadOwner {
  /** It has settled its task and can take another. */
  onFree(thread: PoolThread): void;
  /** It is gone. `idleFailure` is what ended it while it ran no task, `unbegun` one that it was sent and can go elsewhere. */
  onGone(thread: PoolThread, idleFailure?: unknown, unbegun?: Run): void;
}

/** Holds the process while it runs a task or ends, not while it is idle. */
export class PoolThread {
  readonly #owner: ThreadOwner;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #entry: URL;
  /** 1 from when the thread begins an order until it is sent the next. */
  readonly #begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #saysBegun = false;
  #run: Run | undefined;
  #answered = false;
  #ending = false;
  #failure: unknown;

  constructor(owner: ThreadOwner, entry: URL, options: WorkerOptions) {
    this.#owner = owner;
    this.#entry = entry;
    // The thread outlives the request that needed it first, and must not keep its context.
    const [worker, port] = outsideContexts(() => startThread(entry, options, this.#begun));
    this.#worker = worker;
    this.#port = port;
    port.on("message", (answer: Answer) => this.#take(answer));
    port.on("messageerror", (cause) => {
      this.#settle((run) => {
        run.reject(
          new ExecutorError("ERR_TW_TASK_CLONE", "The result cannot be read in this thread", { cause }),
        );
      });
    });
    port.unref();
    worker.unref();
    worker.on("error", (error) => {
      this.#failure = error;
    });
    worker.once("exit", (code) => this.#gone(code));
  }

  get run(): Run | undefined {
    return this.#run;
  }

  /** Sends a task. Returns false when it could not go, and was rejected: the thread is still idle. */
  start(run: Run): boolean {
    if (Atomics.exchange(this.#begun, 0, 0) === 1) this.#saysBegun = true;
    try {
      this.#port.postMessage(run.order, run.transfer);
    } catch (cause) {
      const message = `The arguments of ${run.order.name}() cannot be sent to another thread`;
      run.reject(new ExecutorError("ERR_TW_TASK_CLONE", message, { cause }));
      return false;
    }
    this.#run = run;
    this.#worker.ref();
    return true;
  }

  /** Ends the thread wherever it is. Its task is for the caller to settle. May be repeated. */
  end(): void {
    this.#run = undefined;
    if (this.#ending) return;
    this.#ending = true;
    this.#worker.ref();
    void this.#worker.terminate();
  }

  #take(answer: Answer): void {
    this.#answered = true;
    this.#settle((run) => settleWith(run, answer));
  }

  #settle(how: (run: Run) => void): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    how(run);
    this.#worker.unref();
    this.#owner.onFree(this);
  }

  #gone(exitCode: number): void {
    const run = this.#run;
    // What it said last is still on the way when it exits right after.
    const last = run === undefined ? undefined : receiveMessageOnPort(this.#port);
    const ended = this.#ending;
    this.#run = undefined;
    this.#ending = true;
    this.#port.close();
    if (run === undefined) return this.#owner.onGone(this, ended ? undefined : this.#failure);
    if (last !== undefined) {
      settleWith(run, last.message as Answer);
      return this.#owner.onGone(this, this.#failure);
    }
    if (this.#isUnbegun() && run.transfer.length === 0) return this.#owner.onGone(this, this.#failure, run);
    run.reject(this.#crashed(run, exitCode));
    this.#owner.onGone(this);
  }

  /** Whether the order that it was sent last lies in its port still. */
  #isUnbegun(): boolean {
    return this.#saysBegun && Atomics.load(this.#begun, 0) === 0;
  }

  #crashed(run: Run, exitCode: number): WorkerCrashedError {
    const cause = this.#failure;
    const code = (cause as { code?: unknown } | undefined)?.code;
    if (!this.#answered && code === "MODULE_NOT_FOUND") {
      return new WorkerCrashedError(missingEntry(this.#entry), exitCode, { cause });
    }
    const before = this.#isUnbegun() ? "began, and what it was to move went with it" : "was done";
    const message = `The thread exited with ${exitCode} before ${run.order.name}() ${before}`;
    return new WorkerCrashedError(message, exitCode, cause === undefined ? undefined : { cause });
  }
}

function settleWith(run: Run, answer: Answer): void {
  try {
    run.resolve(takeAnswer(answer));
  } catch (thrown) {
    run.reject(thrown);
  }
}

/** A port of its own: what tasks say on `parentPort` is not for us, and cannot be taken for an answer. */
function startThread(entry: URL, options: WorkerOptions, begun: Int32Array): [Worker, MessagePort] {
  const { port1, port2 } = new MessageChannel();
  const workerData: ThreadStart = { twExecutor: true, port: port2, begun };
  return [new Worker(entry, { ...options, workerData, transferList: [port2] }), port1];
}
