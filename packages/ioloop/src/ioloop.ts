// The reactor. It is a guest: Node owns the loop, and any library of Node mixes freely with it.
//
//   in the next turn     addCallback, spawnCallback, afterPoll              callbacks.ts
//   at a time            callLater, callAt, removeTimeout                   timers.ts
//   when it has settled  addFuture                                          future.ts
//   when it is ready     addHandler, updateHandler, removeHandler           handlers.ts, over the poller
//   the process          start, stop, onStop; run                           running.ts; run.ts
//   other threads        runInExecutor, setDefaultExecutor; threadHandle    executor/; thread/
//   diagnosis            setBlockingWatchdog, activity; metrics             watchdog/; metrics.ts
//   the end              close                                              closing.ts
//
// Here are names, contracts and checks; what they do is there, on a host that has the clocks and the turns (host.ts).

import { createLogger } from "@tw/log";
import type { Poller } from "@tw/poller";
import { checkDurationMs, checkFunction, checkOptions, type Logger } from "@tw/util";
import { CallbackQueue } from "./callbacks.js";
import { type CloseOptions, checkCloseOptions, closeParts } from "./closing.js";
import { currentLoop } from "./current.js";
import { checkWhen } from "./delay.js";
import { LoopClosedError, LoopRunningError, NoPollerError } from "./errors.js";
import { DefaultExecutor } from "./executor/default-executor.js";
import type { Executor } from "./executor/executor.js";
import type { Task, TaskArgs, TaskFunction, TaskResult } from "./executor/task.js";
import { callWhenSettled, checkFuture, type FutureCallback } from "./future.js";
import { type FdHandler, type HandlerHandle, Handlers, type Pollable } from "./handlers.js";
import type { LoopHost } from "./host.js";
import { type Callback, type CallbackErrorHook, NOTHING } from "./job.js";
import { checkLoopOptions, type IOLoopOptions } from "./loop-options.js";
import { type LoopMeter, type LoopMetrics, type MetricsOptions, readMeter } from "./metrics.js";
import { NodeHost } from "./node-host.js";
import { type Main, type RunOptions, runMain } from "./run.js";
import { Running, type StartOptions, type StopHook } from "./running.js";
import { type LoopHandle, type LoopHandleOptions, LoopHandles } from "./thread/loop-handle.js";
import type { ThreadCallbacks } from "./thread/shared.js";
import { type Timeout, Timers } from "./timers.js";
import type { LoopActivity } from "./watchdog/memory.js";
import type { BlockingWatchdogOptions } from "./watchdog/options.js";
import { replaceWatchdog, type Watchdog } from "./watchdog/watchdog.js";

/**
 * An event loop: callbacks, timers and handlers on file descriptors, on top of Node's.
 *
 * Everything works without {@link start}, which only holds the process. What user code throws or rejects with is
 * logged once (`Exception in callback`) and the loop goes on. Stored functions run in the `AsyncLocalStorage` context
 * of whoever stored them.
 *
 * After {@link close} all that would store something throws `ERR_TW_LOOP_CLOSED`; what takes something back
 * (`removeTimeout`, `removeHandler`, `stop`, `close` itself) is harmless, and the clocks go on.
 *
 * @example
 * const loop = IOLoop.current();
 * loop.callLater(1000, () => loop.stop());
 * await loop.start();
 */
export class IOLoop implements AsyncDisposable {
  /** What whoever posts a loop to another thread reads in the `DataCloneError`: symbols cannot be cloned. */
  readonly thread: symbol = Symbol("An IOLoop stays in its thread: send a loop.threadHandle() instead");
  /** Hears of failures in user code. */
  readonly logger: Logger;
  /** Hears of them too, when they have been logged. */
  readonly onCallbackError: CallbackErrorHook | undefined;
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
  #closed = false;
  #closing: Promise<void> | undefined;

  /** @throws TypeError when `onCallbackError` is not a function, `logger` no logger or `host` no host, and on options that are none */
  constructor(options: IOLoopOptions = {}) {
    checkLoopOptions(options);
    const host = options.host ?? new NodeHost();
    this.#host = host;
    this.onCallbackError = options.onCallbackError;
    this.logger = options.logger ?? createLogger({ clock: () => host.wallNow() });
    this.#callbacks = new CallbackQueue(this, host);
    this.#timers = new Timers(this, host);
    this.#handlers = new Handlers(this, () => this.#requirePoller());
    this.#running = new Running(this, host);
  }

  /**
   * The loop of this thread; made on first use, and again when it has been closed. All copies of this package in the
   * thread share it.
   */
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
    if (this.#closed) throw new LoopClosedError("addCallback");
    checkFunction("A callback", fn);
    this.#callbacks.add(fn, args);
  }

  /**
   * As {@link addCallback}, under the name that Tornado has for what nobody waits for: an async function that is
   * started and whose failure is logged. What one awaits is called directly.
   *
   * @throws TypeError when `fn` is not a function
   */
  spawnCallback<A extends readonly unknown[]>(fn: Callback<A>, ...args: A): void {
    if (this.#closed) throw new LoopClosedError("spawnCallback");
    this.addCallback(fn, ...args);
  }

  /**
   * Calls `callback` with how `promise` settled (`{ status, value }` or `{ status, reason }`), in the turn after it
   * did, unless the loop is closed by then. A rejection is handled by that: it is the callback's to look at.
   * A pending promise does not hold the process.
   *
   * @throws TypeError when `promise` is no promise, or `callback` is not a function
   * @example
   * loop.addFuture(fetch(url), (future) => console.log(future.status));
   */
  addFuture<T>(promise: PromiseLike<T>, callback: FutureCallback<T>): void {
    this.#checkOpen("addFuture");
    checkFuture(promise);
    checkFunction("A callback", callback);
    callWhenSettled(this, promise, callback);
  }

  /**
   * Calls `fn(...args)` once in `delayMs` milliseconds, not earlier. Timers of the same time fire in the order they
   * were set.
   *
   * @throws TypeError, RangeError when `delayMs` is not a number from 0 to 1e12 (31 years), or `fn` is not a function
   */
  callLater<A extends readonly unknown[]>(delayMs: number, fn: Callback<A>, ...args: A): Timeout {
    this.#checkOpen("callLater");
    checkDurationMs("delayMs", delayMs);
    checkFunction("A callback", fn);
    return this.#timers.add(this.#host.now() + delayMs, fn, args);
  }

  /**
   * Calls `fn(...args)` once when {@link time} reaches `when`; in the next turn if it has. Set by a timer, it then
   * follows all that is due already.
   *
   * @throws TypeError, RangeError when `when` is not finite or 31 years ahead (`Date.now()` is), or `fn` is not a function
   */
  callAt<A extends readonly unknown[]>(when: number, fn: Callback<A>, ...args: A): Timeout {
    this.#checkOpen("callAt");
    checkWhen(when, this.#host.now());
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
    this.#checkOpen("afterPoll");
    checkFunction("A callback", fn);
    if (this.#callbacks.running || this.#timers.running) this.#callbacks.add(fn, NOTHING);
    // Called from I/O, the poll pass under way may have begun before: one more turn makes sure of a whole one.
    else this.#callbacks.add(() => this.#callbacks.add(fn, NOTHING), NOTHING);
  }

  /**
   * Calls `handler(fd, events)` whenever the kernel says that `fd` is ready, as long as it is (level-triggered);
   * errors and hang-ups are always included. `fd` may be any pollable descriptor (socket, pipe, eventfd, tty), or an
   * object with `fileno()`, which is then what the handler receives. The descriptor stays the caller's: remove the
   * handler before closing it. Mask 0, and ERROR alone, registers without watching.
   *
   * @throws TypeError, RangeError on a bad descriptor, handler or mask
   * @throws NoPollerError `ERR_TW_NO_POLLER` where there is no poller
   * @throws HandlerError `ERR_TW_HANDLER_EXISTS`, `ERR_TW_HANDLER_REFUSED`
   * @example
   * loop.addHandler(fd, (fd, events) => { if (events & READ) drain(fd); }, READ);
   */
  addHandler<P extends Pollable>(fd: P, handler: FdHandler<P>, events: number): HandlerHandle {
    this.#checkOpen("addHandler");
    checkFunction("A handler", handler);
    return this.#handlers.add(fd, handler, events);
  }

  /**
   * Changes what is watched; with 0 the handler hears nothing, hang-ups included, until it is changed again.
   *
   * @throws HandlerError `ERR_TW_HANDLER_UNKNOWN`, `ERR_TW_HANDLER_REFUSED`; RangeError on a bad mask
   */
  updateHandler(fd: Pollable, events: number): void {
    this.#checkOpen("updateHandler");
    this.#handlers.update(fd, events);
  }

  /**
   * Stops watching. Harmless when `fd` has no handler, or is an object that is closed already (its `fileno()` is -1 then).
   * The descriptor stays open.
   */
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
    this.#checkOpen("onStop");
    return this.#running.onStop(hook);
  }

  /** Whether a {@link start} or {@link run} is pending. */
  get running(): boolean {
    return this.#running.pending;
  }

  /**
   * Holds the process until {@link stop}, or until a signal came and the stop hooks have run.
   *
   * @throws TypeError, RangeError for what are no options, no signals that can be caught, or no duration
   * @throws LoopRunningError `ERR_TW_LOOP_RUNNING` while an earlier `start()` is pending
   */
  start(options?: StartOptions): Promise<void> {
    this.#checkOpen("start");
    return this.#running.start(options);
  }

  /**
   * Holds the process while `main` runs, which begins in the next turn, and settles as it does: Tornado's `run_sync`.
   * It is given up after `timeoutMs`, when `signal` is aborted, or by {@link stop}: then the signal that main receives
   * is aborted, and a failure of main that comes later is logged. Callbacks, timers and handlers that main has left
   * behind go on and keep the process alive; {@link close} removes them. Signals of the process are left alone.
   *
   * @throws TypeError, RangeError on bad arguments; LoopRunningError `ERR_TW_LOOP_RUNNING` while the loop runs
   * @throws RunTimeoutError `ERR_TW_RUN_TIMEOUT`, LoopStoppedError `ERR_TW_LOOP_STOPPED`, `signal.reason` by rejecting
   * @example
   * const status = await loop.run(async (signal) => (await fetch(url, { signal })).status, { timeoutMs: 5000 });
   */
  run<T>(main: Main<T>, options: RunOptions = {}): Promise<T> {
    this.#checkOpen("run");
    checkOptions("options", options, { number: "timeoutMs", AbortSignal: "signal" });
    return runMain(this, () => this.#running.hold({ signals: false }), main, options);
  }

  /**
   * Ends the pending {@link start}; without one, the next one ends after one turn. Two in the same turn end one `start()`,
   * not the next too. Timers and handlers go on.
   */
  stop(): void {
    this.#running.stop();
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
    this.#checkOpen("runInExecutor");
    return this.#executor.run(executor, task, args) as Promise<TaskResult<F>>;
  }

  /**
   * Sets what {@link runInExecutor} uses when it is given none. Closing it stays the caller's.
   *
   * @throws TypeError on anything that has no `run`
   */
  setDefaultExecutor(executor: Executor): void {
    this.#checkOpen("setDefaultExecutor");
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
    this.#checkOpen("threadHandle");
    return this.#threadHandles.make(callbacks, options);
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
    if (options !== undefined) this.#checkOpen("setBlockingWatchdog");
    const former = this.#watchdog;
    this.#watchdog = replaceWatchdog(former, this.#host, this.logger, options);
    return this.#watchdog?.whenWatching ?? former?.close() ?? Promise.resolve();
  }

  /** Where layers above say what they are doing; `undefined` unless a watchdog is set. */
  get activity(): LoopActivity | undefined {
    return this.#watchdog?.activity;
  }

  /** How busy the loop is, and what it has to do. Measuring begins with the first call. @throws TypeError on options that are none */
  metrics(options: MetricsOptions = {}): LoopMetrics {
    checkOptions("options", options, { boolean: "reset" });
    this.#meter ??= this.#host.meter?.();
    return {
      ...readMeter(this.#meter, options),
      callbacks: this.#callbacks.size,
      timers: this.#timers.size,
      handlers: this.#handlers.size,
    };
  }

  /** Whether {@link close} has been called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Ends this loop. Callbacks, timers, periodic callbacks and handlers are gone when it returns, none of them is
   * called again; handles of other threads and the watchdog are closed, and what the loop's own executor has is given
   * up. Descriptors stay open, unless `allFds` says otherwise. Servers and streams are not known here: close them
   * first. The promise resolves when all is closed, and never rejects; what an object's `close()` throws is logged.
   * May be repeated: only the first call's options count.
   *
   * @throws LoopRunningError `ERR_TW_LOOP_RUNNING` while a {@link start} or {@link run} is pending: `stop()` it first
   * @throws TypeError when `allFds` is not a boolean, and on options that are none
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    if (this.running) throw new LoopRunningError("Cannot close an IOLoop that is running: stop() it first");
    if (this.#closing === undefined) {
      this.#closed = true;
      const watchdog = this.#watchdog;
      this.#watchdog = undefined;
      this.#closing = closeParts(
        {
          logger: this.logger,
          callbacks: this.#callbacks,
          timers: this.#timers,
          handlers: this.#handlers,
          threadHandles: this.#threadHandles,
          executor: this.#executor,
          watchdog,
          closeFd: (fd) => this.#requirePoller().closeFd(fd),
        },
        options,
      );
    }
    return this.#closing;
  }

  /** As {@link close} without options: `await using loop = new IOLoop()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(method: string): void {
    if (this.#closed) throw new LoopClosedError(method);
  }

  #requirePoller(): Poller {
    const { poller } = this;
    if (poller === undefined) throw new NoPollerError();
    return poller;
  }
}
