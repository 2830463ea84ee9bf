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

/** `ERR_TW_LOOP_RUNNING`: `start()` was called while an earlier `start()` is pending. */
export class LoopRunningError extends TwError {
  constructor() {
    super("ERR_TW_LOOP_RUNNING", "This IOLoop is running already: await the first start(), or stop() it");
  }
}
