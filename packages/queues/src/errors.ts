// The errors of queues. Recognise them by `code`.

import { TwError } from "@tw/util";

/** `ERR_TW_QUEUE_EMPTY`: `getNowait()` where there is nothing to get. */
export class QueueEmptyError extends TwError {
  constructor() {
    super("ERR_TW_QUEUE_EMPTY", "The queue is empty: wait with get(), or look at `empty` first");
  }
}

/** `ERR_TW_QUEUE_FULL`: `putNowait()` where there is no room. */
export class QueueFullError extends TwError {
  constructor(maxSize: number) {
    super("ERR_TW_QUEUE_FULL", `The queue is full: ${maxSize} of ${maxSize} items; wait with put()`);
  }
}

/** `ERR_TW_TASK_DONE`: `taskDone()` was called more often than items were put. */
export class TaskDoneError extends TwError {
  constructor() {
    super("ERR_TW_TASK_DONE", "taskDone() was called more often than items were put: once per item taken");
  }
}
