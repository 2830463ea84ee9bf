// The reactor. It is a guest: Node owns the loop, and any library of Node mixes freely with it.

import { createLogger } from "@tw/log";
import type { Poller } from "@tw/poller";
import { checkDurationMs, checkFunction, type Logger } from "@tw/util";
import { CallbackQueue } from "./callbacks.js";
import { currentLoop } from "./current.js";
import { NoPollerError } from "./errors.js";
import { DefaultExecutor } from "./executor/default-executor.js";
import type { Executor } from "./executor/executor.js";
import type { Task, TaskArgs, TaskFunction, TaskResult } from "./executor/task.js";
import { type FdHandler, type HandlerHandle, Handlers, type Pollable } from "./handlers.js";
import type { LoopHost } from "./host.js";
import { type Callback, Job } from "./job.js";
import { type LoopMeter, type LoopMetrics, type MetricsOptions, readMeter } from "./metrics.js";
import { NodeHost } from "./node-host.js";
import { Running, type StartOptions, type StopHook } from "./running.js";
import { type LoopHandle, type LoopHandleOptions, LoopHandles } from "./thread/loop-handle.js";
import type { ThreadCallbacks } from "./thread/shared.js";
import { type Timeout, Timers } from "./timers.js";
import type { LoopActivity } from "./watchdog/memory.js";
import type { BlockingWatchdogOptions } from "./watchdog/options.js";
import { replaceWatchdog, type Watchdog } from "./watchdog/watchdog.js";

/** What an `IOLoop` is made of. */
export interface IOLoopOptions {
  /** Clock, turns and poller. @default Node's own */
  readonly host?: LoopHost;
  /** Hears of failures in user code, and is the default of all that runs on this loop. @default `tw.application` on stderr */
  readonly logger?: Logger;
}

/**
 * An event loop: callbacks, timers and handlers on file descriptors, on top of Node's.
 *
 * Everything works without {@link start}, which only holds the process. What user code throws or rejects with is
 * logged once (`Exception in callback`) and the loop goes on. Stored functions run in the `AsyncLocalStorage` context
 * of whoever stored them.
 *
 * @example
 * const loop = IOLoop.current();
 * loop.callLater(1000, () => loop.stop());
 * await loop.start();
 */
export class IOLoop {
  /** What whoever posts a loop to another thread reads in the `DataCloneError`: symbols cannot be cloned. */
  readonly thread: symbol = Symbol("An IOLoop stays in its thread: send a loop.threadHandle() instead");
  /** Hears of failures in user code. */
  readonly logger: Logger;
  readonly #host: LoopHost;
  readonly #callbacks: CallbackQueue;
  readonly #timers: Timers;
  readonly #handlers: Handlers;
  readonly #running: Running;
  readonly #executor: DefaultExecutor = new DefaultExecutor(this);
  readonly #threadHandles: LoopHandles = new LoopHandles(this);
  #poller: Poller | undefined;
  #pollerAsked = false;
  #watchdog: Watchdog | undefined;
  #meter: LoopMeter | undefined;

  constructor(options: IOLoopOptions = {}) {
    const host = options.host ?? new NodeHost();
    this.#host = host;
    this.logger = options.logger ?? createLogger({ clock: () => host.wallNow() });
    this.#callbacks = new CallbackQueue(host);
    this.#timers = new Timers(this, host);
    this.#handlers = new Handlers(this, () => this.#requirePoller());
    this.#running = new Running(this, host);
  }

  /** The loop of this thread; made on first use, and shared by all copies of this package in the thread. */
  static current(): IOLoop {
    return currentLoop(() => new IOLoop());
  }

  /** Monotonic milliseconds, with fractions. Says nothing about the time of day. */
  time(): number {
    return this.#host.now();
  }

  /** Wall-clock milliseconds since 1970, which may jump. */
  wallTime(): number {
    return this.#host.wallNow();
  }

  /**
   * Calls `fn(...args)` in the next turn, after I/O had its chance; never before this returns. Callbacks run in the
   * order they were added, those of one turn after each other: their promise continuations run when the turn is over.
   * What a callback adds runs in the turn after.
   *
   * @throws TypeError when `fn` is not a function
   */
  addCallback<A extends readonly unknown[]>(fn: Callback<A>, ...args: A): void {
    checkFunction("A callback", fn);
    this.#callbacks.add(new Job("IOLoopCallback", this, fn, args));
  }

  /**
   * Calls `fn(...args)` once in `delayMs` milliseconds, not earlier. Timers of the same time fire in the order they
   * were set.
   *
   * @throws TypeError, RangeError when `delayMs` is not a finite number from 0 on, or `fn` is not a function
   */
  callLater<A extends readonly unknown[]>(delayMs: number, fn: Callback<A>, ...args: A): Timeout {
    checkDurationMs("delayMs", delayMs);
    checkFunction("A callback", fn);
    return this.#timers.add(this.#host.now() + delayMs, fn, args);
  }

  /**
   * Calls `fn(...args)` once when {@link time} reaches `when`; in the next turn if it has.
   *
   * @throws TypeError, RangeError when `when` is not a finite number, or `fn` is not a function
   */
  callAt<A extends readonly unknown[]>(when: number, fn: Callback<A>, ...args: A): Timeout {
    if (typeof when !== "number") throw new TypeError(`when must be a number of ms, got ${typeof when}`);
    if (!Number.isFinite(when)) throw new RangeError(`when must be a finite number of ms, got ${when}`);
    checkFunction("A callback", fn);
    return this.#timers.add(when, fn, args);
  }

  /** Cancels a timer. Harmless when it has fired or was removed already. @throws TypeError on anything but a timer of this loop */
  removeTimeout(handle: Timeout): void {
    this.#timers.remove(handle);
  }

  /**
   * Calls `fn` once after a poll pass that began after this call: I/O that was waiting in the kernel by now has been
   * delivered. A deadline on I/O that has expired is confirmed this way before anybody is punished for it, because
   * timers run before the next poll.
   */
  afterPoll(fn: () => unknown): void {
    checkFunction("A callback", fn);
    const job = new Job("IOLoopCallback", this, fn, []);
    if (this.#callbacks.running || this.#timers.running) this.#callbacks.add(job);
    // Called from I/O, the poll pass under way may have begun before: one more turn makes sure of a whole one.
    else this.addCallback(() => this.#callbacks.add(job));
  }

  /**
   * Calls `handler(fd, events)` whenever the kernel says that `fd` is ready, as long as it is (level-triggered);
   * errors and hang-ups are always included. `fd` may be any pollable descriptor (socket, pipe, eventfd, tty), or an
   * object with `fileno()`, which is then what the handler receives. The descriptor stays the caller's: remove the
   * handler before closing it. Mask 0 registers without watching.
   *
   * @throws TypeError, RangeError on a bad descriptor, handler or mask
   * @throws NoPollerError `ERR_TW_NO_POLLER` where there is no poller
   * @throws HandlerError `ERR_TW_HANDLER_EXISTS`, `ERR_TW_HANDLER_REFUSED`
   * @example
   * loop.addHandler(fd, (fd, events) => { if (events & READ) drain(fd); }, READ);
   */
  addHandler<P extends Pollable>(fd: P, handler: FdHandler<P>, events: number): HandlerHandle {
    checkFunction("A handler", handler);
    return this.#handlers.add(fd, handler, events);
  }

  /**
   * Changes what is watched; with 0 the handler hears nothing, hang-ups included, until it is changed again.
   *
   * @throws HandlerError `ERR_TW_HANDLER_UNKNOWN`, `ERR_TW_HANDLER_REFUSED`; RangeError on a bad mask
   */
  updateHandler(fd: Pollable, events: number): void {
    this.#handlers.update(fd, events);
  }

  /** Stops watching. Harmless when `fd` has no handler. The descriptor stays open. */
  removeHandler(fd: Pollable): void {
    this.#handlers.remove(fd);
  }

  /** The poller under this loop, or `undefined` where there is none. For transports; applications take `addHandler`. */
  get poller(): Poller | undefined {
    if (!this.#pollerAsked) {
      this.#pollerAsked = true;
      this.#poller = this.#host.poller();
    }
    return this.#poller;
  }

  /**
   * Registers what is to happen on a signal before `start()` resolves: a server that stops listening and drains.
   * Hooks are called in the order of registration and wait at the same time. Not called by {@link stop}.
   * Returns the function that takes the hook back.
   */
  onStop(hook: StopHook): () => void {
    return this.#running.onStop(hook);
  }

  /** Whether a {@link start} is pending. */
  get running(): boolean {
    return this.#running.pending;
  }

  /**
   * Holds the process until {@link stop}, or until a signal came and the stop hooks have run.
   *
   * @throws LoopRunningError `ERR_TW_LOOP_RUNNING` while an earlier `start()` is pending
   */
  start(options?: StartOptions): Promise<void> {
    return this.#running.start(options);
  }

  /** Ends the pending {@link start}; without one, the next one ends after one turn. Timers and handlers go on. */
  stop(): void {
    this.#running.stop();
  }

  /**
   * Watches this loop for code that blocks it, until it is called again: with other options, or with `undefined` to
   * end the watch. A block is named by function, file and line, and by the callback, timer, handler or request that
   * the loop was running: on stderr while it lasts, and to `onBlocked`, the logger and `tw:ioloop:blocked` when it is
   * over. The first, the tenth, the hundredth … of the same are logged; all are counted.
   *
   * The promise resolves when the watchdog looks on (or is gone), and may be ignored. Tornado had
   * `set_blocking_log_threshold` for it.
   *
   * @throws TypeError, RangeError on what cannot be an option
   * @throws WatchdogError `ERR_TW_WATCHDOG_EXISTS`, `ERR_TW_WATCHDOG_HOST`
   * @example
   * await loop.setBlockingWatchdog({ thresholdMs: 50, onBlocked: ({ position }) => console.log(position) });
   */
  setBlockingWatchdog(options: BlockingWatchdogOptions | undefined): Promise<void> {
    const former = this.#watchdog;
    this.#watchdog = replaceWatchdog(former, this.#host, this.logger, options);
    return this.#watchdog?.whenWatching ?? former?.close() ?? Promise.resolve();
  }

  /**
   * Runs a function that a module exports on another thread, and resolves with a clone of what it returned or rejects
   * with what it threw: name, message, stack, causes and own properties are kept. For work that blocks or computes.
   * Without an executor the loop's own is used: {@link setDefaultExecutor}'s, or a pool of as many threads as there
   * are processors. `task.signal` gives it up, `task.transfer` names arguments that move.
   *
   * @throws TypeError, before anything happens, on what is no task or no executor
   * @throws ExecutorError, WorkerCrashedError by rejecting
   * @example
   * const work = tasksOf<typeof import("./work.js")>(new URL("./work.js", import.meta.url));
   * const digest = await loop.runInExecutor(undefined, work("hash"), "a password");
   */
  runInExecutor<F extends TaskFunction = (...args: unknown[]) => unknown>(
    executor: Executor | undefined,
    task: Task<F>,
    ...args: TaskArgs<F>
  ): Promise<TaskResult<F>> {
    return this.#executor.run(executor, task, args) as Promise<TaskResult<F>>;
  }

  /**
   * Sets what {@link runInExecutor} uses when it is given none. Closing it stays the caller's.
   *
   * @throws TypeError on anything that has no `run`
   */
  setDefaultExecutor(executor: Executor): void {
    this.#executor.set(executor);
  }

  /**
   * Makes a handle by which one other thread may schedule these callbacks on this loop, by name: the only thing here
   * that is safe from other threads. Tornado had `add_callback` for it.
   *
   * @throws TypeError, RangeError on callbacks that are no functions, or a bad limit
   * @example
   * const handle = loop.threadHandle({ progress: (part: number) => console.log(part) });
   * new Worker(url, { workerData: { loop: handle }, transferList: [handle.port] });
   * // there: openLoopHandle<…>(workerData.loop).addCallbackFromThread("progress", 0.5);
   */
  threadHandle<C extends ThreadCallbacks>(callbacks: C, options?: LoopHandleOptions): LoopHandle<C> {
    return this.#threadHandles.make(callbacks, options);
  }

  /** Where layers above say what they are doing; `undefined` unless a watchdog is set. */
  get activity(): LoopActivity | undefined {
    return this.#watchdog?.activity;
  }

  /** How busy the loop is, and what it has to do. Measuring begins with the first call. */
  metrics(options: MetricsOptions = {}): LoopMetrics {
    this.#meter ??= this.#host.meter?.();
    return {
      ...readMeter(this.#meter, options),
      callbacks: this.#callbacks.size,
      timers: this.#timers.size,
      handlers: this.#handlers.size,
    };
  }

  #requirePoller(): Poller {
    const { poller } = this;
    if (poller === undefined) throw new NoPollerError();
    return poller;
  }
}
