export { ERROR, type Poller, READ, WRITE } from "@tw/poller";
export type { CloseOptions } from "./closing.js";
export { LazyAsyncResource } from "./context/lazy-async-resource.js";
export { MAX_DELAY_MS } from "./delay.js";
export {
  type DiagnosticsChannel,
  type HandlerAddedMessage,
  type HandlerRemovedMessage,
  type ObserveOptions,
  observe,
  type PeriodicStartedMessage,
  type PeriodicStoppedMessage,
  type TimerAddedMessage,
} from "./diagnostics.js";
export {
  HandlerError,
  type HandlerErrorCode,
  LoopClosedError,
  LoopRunningError,
  LoopStoppedError,
  NoPollerError,
  RunTimeoutError,
} from "./errors.js";
export {
  ExecutorError,
  type ExecutorErrorCode,
  type TaskErrorCode,
  WorkerCrashedError,
} from "./executor/errors.js";
export type { Executor } from "./executor/executor.js";
export { executorFrom, type PiscinaLike } from "./executor/executor-from.js";
export {
  type Task,
  type TaskArgs,
  type TaskFunction,
  type TaskName,
  type TaskOptions,
  type TaskResult,
  tasksOf,
} from "./executor/task.js";
export {
  type ExecutorCloseOptions,
  MAX_QUEUE,
  ThreadPoolExecutor,
  type ThreadPoolExecutorOptions,
} from "./executor/thread-pool-executor.js";
export { type Transferring, transferring } from "./executor/transferring.js";
export type { FutureCallback } from "./future.js";
export type { FdHandler, HandlerHandle, Pollable } from "./handlers.js";
export type { LoopHost, LoopSignal, ScheduledTurn } from "./host.js";
export { IOLoop } from "./ioloop.js";
export type { Callback, CallbackErrorHook } from "./job.js";
export type { IOLoopOptions } from "./loop-options.js";
export type { LoopLag, LoopMeter, LoopMetrics, MetricsOptions } from "./metrics.js";
export { NodeHost } from "./node-host.js";
export { PeriodicCallback, type PeriodicCallbackOptions } from "./periodic.js";
export type { Main, RunOptions } from "./run.js";
export { STOP_TIMEOUT_MS, type StartOptions, type StopHook } from "./running.js";
export { LoopHandleError, type LoopHandleErrorCode } from "./thread/errors.js";
export {
  type LoopHandle,
  type LoopHandleOptions,
  MAX_PENDING,
  type SentLoopHandle,
} from "./thread/loop-handle.js";
export { openLoopHandle, type RemoteLoop } from "./thread/remote-loop.js";
export type { ThreadArgs, ThreadCallbacks } from "./thread/shared.js";
export type { Timeout } from "./timers.js";
export { WatchdogError, type WatchdogErrorCode } from "./watchdog/errors.js";
export type { LoopActivity } from "./watchdog/memory.js";
export type { BlockingWatchdogOptions } from "./watchdog/options.js";
export type { BlockedReport, CodePosition, RunningJob, RunningKind } from "./watchdog/report.js";
