// The errors of handles for other threads.

import { TwError } from "@tw/util";

/** See {@link LoopHandleError}. */
export type LoopHandleErrorCode =
  | "ERR_TW_CALLBACK_UNKNOWN"
  | "ERR_TW_HANDLE_CLOSED"
  | "ERR_TW_HANDLE_FULL"
  | "ERR_TW_HANDLE_USED";

/**
 * All of them are thrown in the sending thread: `ERR_TW_CALLBACK_UNKNOWN` (the handle has no callback of that name),
 * `ERR_TW_HANDLE_CLOSED` (the handle or the loop behind it is closed), `ERR_TW_HANDLE_FULL` (as many callbacks wait
 * for the loop as may) or `ERR_TW_HANDLE_USED` (the handle has been opened already; make one for each thread).
 */
export class LoopHandleError extends TwError {
  declare readonly code: LoopHandleErrorCode;

  constructor(code: LoopHandleErrorCode, message: string) {
    super(code, message);
  }
}
