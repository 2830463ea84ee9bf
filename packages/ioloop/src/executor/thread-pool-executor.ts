// A pool of worker threads with a bounded queue.
//
//   run ──► idle thread ──────────────► running ──► settled
//    └────► new thread, up to maxWorkers ──┘  ▲
//    └────► queue, up to maxQueue ────────────┘ when a thread is free; back to its head when that ends before it begins
//    └────► ERR_TW_EXECUTOR_FULL

import { availableParallelism } from "node:os";
import type { ResourceLimits, WorkerOptions } from "node:worker_threads";
import { createLogger } from "@tw/log";
import { checkInteger, checkOptions, checkSignal, Deferred, type Logger, offAbort, onAbort } from "@tw/util";
import { reportFailure } from "../job.js";
import { checkLogger } from "../loop-options.js";
import { executorEntry } from "../thread-entries.js";
import { ExecutorError, WorkerCrashedError } from "./errors.js";
import type { Executor } from "./executor.js";
import { PoolThread, type ThreadOwner } from "./pool-thread.js";
import { Run } from "./run.js";
import { orderOf, type Task } from "./task.js";

/** How large a pool is, and what its threads are started with. */
export interface ThreadPoolExecutorOptions {
  /** Threads at a time, those that are ending included; made when first needed. @default `os.availableParallelism()` */
  readonly maxWorkers?: number;
  /** Tasks that may wait for a thread; the next one is refused: `ERR_TW_EXECUTOR_FULL`. @default 1024 */
  readonly maxQueue?: number;
  /** Heap and stack of a thread, in MiB; one that needs more crashes alone. @default what Node gives a thread */
  readonly resourceLimits?: ResourceLimits;
  /** Where the threads' entry is, for a bundle that leaves it elsewhere. @default `executor/worker.js` beside this code */
  readonly entry?: URL;
  /** Hears of threads that end while they have no task. @default `tw.application` on stderr */
  readonly logger?: Logger;
}

/** How long {@link ThreadPoolExecutor.close} waits. */
export interface ExecutorCloseOptions {
  /** Cuts the wait short: what is not done is given up with `signal.reason`, with which `close` rejects, too. */
  readonly signal?: AbortSignal | undefined;
}

/** The default of {@link ThreadPoolExecutorOptions.maxQueue}. */
export const MAX_QUEUE = 1024;

/**
 * Runs functions of modules on worker threads, one at a time on each, in the order they came. Tornado programs know it
 * from `concurrent.futures`; a thread here shares no memory with the loop, so arguments and results are cloned.
 *
 * The arguments are cloned when a thread takes the task, and once more when that thread ends before it begins it: leave
 * them alone until the task settles. A module is loaded once per thread and stays. Idle threads are kept, and do not
 * hold the process.
 *
 * @example
 * await using pool = new ThreadPoolExecutor({ maxWorkers: 2 });
 * await loop.runInExecutor(pool, { module: new URL("./work.js", import.meta.url), name: "hash" }, "text");
 */
export class ThreadPoolExecutor implements Executor, AsyncDisposable, ThreadOwner {
  readonly #maxWorkers: number;
  readonly #maxQueue: number;
  readonly #entry: URL;
  readonly #workerOptions: WorkerOptions;
  readonly #logger: Logger;
  readonly #threads = new Set<PoolThread>();
  readonly #idle: PoolThread[] = [];
  readonly #waiting = new Set<Run>();
  #gone: Deferred | undefined;

  /** @throws TypeError, RangeError on what are no options, a size that is no integer from 1 on (`maxQueue`: from 0 on), an `entry` that is no URL, or a `logger` that is none */
  constructor(options: ThreadPoolExecutorOptions = {}) {
    checkOptions("options", options, { number: "maxWorkers" });
    const { maxWorkers = availableParallelism(), maxQueue = MAX_QUEUE, entry = executorEntry() } = options;
    const { logger = createLogger() } = options;
    checkInteger("maxWorkers", maxWorkers, 1);
    checkInteger("maxQueue", maxQueue);
    if (!(entry instanceof URL)) throw new TypeError("entry must be a URL");
    checkLogger(logger);
    this.#maxWorkers = maxWorkers;
    this.#maxQueue = maxQueue;
    this.#entry = entry;
    this.#workerOptions = {
      name: "tw-executor",
      ...threadFlags(process.execArgv),
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    };
    this.#logger = logger;
  }

  /** Tasks that wait for a thread. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** Threads that exist: idle, running and ending. */
  get workers(): number {
    return this.#threads.size;
  }

  /**
   * Runs a task when its turn comes. {@link IOLoop.runInExecutor} is the typed way in.
   *
   * @throws TypeError, before anything happens, when `task` is not one
   */
  run(task: Task, args: readonly unknown[] = []): Promise<unknown> {
    const order = orderOf(task, args);
    if (task.signal?.aborted) return Promise.reject(task.signal.reason);
    if (this.#gone !== undefined) return Promise.reject(closedError());
    let thread: PoolThread | undefined;
    try {
      thread = this.#freeThread();
    } catch (cause) {
      return Promise.reject(notStarted(cause));
    }
    if (thread === undefined && this.#waiting.size >= this.#maxQueue) {
      return Promise.reject(
        new ExecutorError(
          "ERR_TW_EXECUTOR_FULL",
          `Cannot run ${order.name}(): ${this.#waiting.size} tasks wait for ${this.#maxWorkers} threads, limit ${this.#maxQueue}`,
        ),
      );
    }
    const run = new Run(task, order, (aborted, reason) => this.#abortRun(aborted, reason));
    if (thread === undefined) this.#waiting.add(run);
    else if (!thread.start(run)) this.onFree(thread);
    return run.promise;
  }

  /**
   * Takes no more tasks, waits for those it has, and ends the threads. May be repeated.
   * Rejects with `signal.reason` when `signal` cut it short; the threads are gone then, too.
   *
   * @throws TypeError when `options` or `signal` are none, and takes tasks still
   */
  close(options: ExecutorCloseOptions = {}): Promise<void> {
    checkOptions("options", options, { AbortSignal: "signal" });
    const { signal } = options;
    checkSignal(signal);
    this.#gone ??= new Deferred();
    this.#endIdle();
    const gone = this.#gone.promise;
    if (signal === undefined || this.#threads.size === 0) return gone;
    const aborted = (): void => this.abort(signal.reason);
    if (signal.aborted) aborted();
    else onAbort(signal, aborted);
    return gone.then(() => {
      offAbort(signal, aborted);
      signal.throwIfAborted();
    });
  }

  /** Gives up all tasks at once with `reason`, by default `ERR_TW_EXECUTOR_CLOSED`, and ends all threads. */
  abort(reason: unknown = closedError()): void {
    this.#gone ??= new Deferred();
    for (const run of this.#waiting) run.reject(reason);
    this.#waiting.clear();
    for (const thread of this.#threads) {
      const { run } = thread;
      thread.end();
      run?.reject(reason);
    }
    this.#endIdle();
  }

  /** As {@link close}: waits for the tasks it has. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  onFree(thread: PoolThread): void {
    for (const run of this.#waiting) {
      this.#waiting.delete(run);
      if (thread.start(run)) return;
    }
    this.#idle.push(thread);
    if (this.#gone !== undefined) this.#endIdle();
  }

  /** @internal */
  onGone(thread: PoolThread, idleFailure?: unknown, unbegun?: Run): void {
    this.#threads.delete(thread);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    if (idleFailure !== undefined) {
      reportFailure({ logger: this.#logger }, idleFailure, "A thread of the executor ended without a task");
    }
    if (unbegun !== undefined) this.#putBack(unbegun);
    if (this.#waiting.size > 0) this.#replace();
    if (this.#gone !== undefined) this.#endIdle();
  }

  /** It came before all that wait. */
  #putBack(run: Run): void {
    const later = [...this.#waiting];
    this.#waiting.clear();
    for (const each of [run, ...later]) this.#waiting.add(each);
  }

  /** A thread for what waits. Where none can be made, the others take it; where there is none, nobody ever would. */
  #replace(): void {
    try {
      const next = this.#freeThread();
      if (next !== undefined) this.onFree(next);
    } catch (cause) {
      if (this.#threads.size > 0) return;
      for (const run of this.#waiting) run.reject(notStarted(cause));
      this.#waiting.clear();
    }
  }

  #freeThread(): PoolThread | undefined {
    const idle = this.#idle.pop();
    if (idle !== undefined || this.#threads.size >= this.#maxWorkers) return idle;
    const thread = new PoolThread(this, this.#entry, this.#workerOptions);
    this.#threads.add(thread);
    return thread;
  }

  /** Ends the threads that have nothing to do, and says so when the last one is gone. */
  #endIdle(): void {
    for (const thread of this.#idle.splice(0)) thread.end();
    if (this.#threads.size === 0) this.#gone?.resolve();
  }

  #abortRun(run: Run, reason: unknown): void {
    if (!this.#waiting.delete(run)) {
      for (const thread of this.#threads) if (thread.run === run) thread.end();
    }
    run.reject(reason);
  }
}

function closedError(): ExecutorError {
  return new ExecutorError("ERR_TW_EXECUTOR_CLOSED", "This executor is closed: it takes no more tasks");
}

/** What the system or Node says when it has no thread to give. */
function notStarted(cause: unknown): WorkerCrashedError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new WorkerCrashedError(`Cannot start a thread: ${why}`, 1, { cause });
}

/**
 * What of the process's flags a thread is given. It has all of them by itself, those of V8 included, which it must not be
 * given; only what says how to read a script of `-e` would make it refuse its entry, and then they are named.
 */
function threadFlags(flags: readonly string[]): WorkerOptions {
  if (!flags.some((flag) => flag.startsWith("--input-type"))) return {};
  return { execArgv: flags.filter((flag) => !flag.startsWith("--input-type")) };
}
