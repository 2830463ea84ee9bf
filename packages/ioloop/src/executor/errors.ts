// The errors of executors. Recognise them by `code`.

import { TwError } from "@tw/util";

/** What went wrong with one task. */
export type TaskErrorCode = "ERR_TW_TASK_MODULE" | "ERR_TW_TASK_EXPORT" | "ERR_TW_TASK_CLONE";

/** Why an executor did not run a task. */
export type ExecutorErrorCode = TaskErrorCode | "ERR_TW_EXECUTOR_FULL" | "ERR_TW_EXECUTOR_CLOSED";

/**
 * `ERR_TW_EXECUTOR_FULL` (as many tasks wait as may), `ERR_TW_EXECUTOR_CLOSED` (it takes no more, or gave this one up),
 * `ERR_TW_TASK_MODULE` (the module does not load; the `cause` says why), `ERR_TW_TASK_EXPORT` (it exports no such
 * function) or `ERR_TW_TASK_CLONE` (arguments, result or what was thrown cannot go from thread to thread).
 */
export class ExecutorError extends TwError {
  declare readonly code: ExecutorErrorCode;

  constructor(code: ExecutorErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** `ERR_TW_WORKER_CRASHED`: the thread ended before the task did, or none could be started. The `cause` is why, where there is one. */
export class WorkerCrashedError extends TwError {
  /** What the thread exited with: 1 after an uncaught exception, else what `process.exit()` was given. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super("ERR_TW_WORKER_CRASHED", message, options);
    this.exitCode = exitCode;
  }
}
