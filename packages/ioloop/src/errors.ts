// The errors of the loop. Recognise them by `code`.

import { TwError } from "@tw/util";

/** `ERR_TW_NO_POLLER`: descriptors were to be watched where no poller can be had. */
export class NoPollerError extends TwError {
  constructor() {
    super(
      "ERR_TW_NO_POLLER",
      "Cannot watch descriptors: no native poller on this system. Install @tw/poller with its compiled addon " +
        "(run `pnpm run build` in it where a C compiler is found), unset TW_NO_NATIVE, and under Node's permission " +
        "model allow the network. Streams, timers and servers work without it",
    );
  }
}

/**
 * `ERR_TW_HANDLER_EXISTS` (the descriptor has a handler already), `ERR_TW_HANDLER_UNKNOWN` (it has none) or
 * `ERR_TW_HANDLER_REFUSED` (the kernel cannot watch it: closed, or a regular file).
 */
export class HandlerError extends TwError {
  /** The descriptor it is about. */
  readonly fd: number;

  constructor(code: HandlerErrorCode, fd: number, message: string) {
    super(code, message);
    this.fd = fd;
  }
}

export type HandlerErrorCode = "ERR_TW_HANDLER_EXISTS" | "ERR_TW_HANDLER_UNKNOWN" | "ERR_TW_HANDLER_REFUSED";

/** `ERR_TW_LOOP_RUNNING`: `start()`, `run()` or `close()` was called while a `start()` or `run()` is pending. */
export class LoopRunningError extends TwError {
  constructor(message = "This IOLoop is running already: await the first start(), or stop() it") {
    super("ERR_TW_LOOP_RUNNING", message);
  }
}

/** `ERR_TW_LOOP_CLOSED`: the loop was closed, and can neither call nor watch anything any more. */
export class LoopClosedError extends TwError {
  /** `method` is what was called. */
  constructor(method: string) {
    super(
      "ERR_TW_LOOP_CLOSED",
      `Cannot call ${method}() on a closed IOLoop: take IOLoop.current(), which makes another, or new IOLoop(); ` +
        "and close servers, streams and timers before their loop",
    );
  }
}

/** `ERR_TW_LOOP_STOPPED`: `stop()` was called before the main function of `run()` was done. */
export class LoopStoppedError extends TwError {
  constructor() {
    super(
      "ERR_TW_LOOP_STOPPED",
      "The IOLoop was stopped before main() was done: let main() return instead of calling stop(), or await start()",
    );
  }
}

/** `ERR_TW_RUN_TIMEOUT`: the main function of `run()` took longer than it was granted. */
export class RunTimeoutError extends TwError {
  /** The milliseconds that had been granted. */
  readonly timeoutMs: number;

  constructor(timeoutMs: number) {
    super(
      "ERR_TW_RUN_TIMEOUT",
      `main() was not done after ${timeoutMs} ms: grant run() a longer timeoutMs, or find what main() waits for. ` +
        "Its signal is aborted; what does not heed that goes on",
    );
    this.timeoutMs = timeoutMs;
  }
}
