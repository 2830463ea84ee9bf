// What a loop can be given.

import { checkFunction, checkOptions, type Logger } from "@tw/util";
import type { LoopHost } from "./host.js";
import type { CallbackErrorHook } from "./job.js";

/** What an `IOLoop` is made of. */
export interface IOLoopOptions {
  /** Clock, turns and poller. @default Node's own */
  readonly host?: LoopHost;
  /** Hears of failures in user code, and is the default of all that runs on this loop. @default `tw.application` on stderr */
  readonly logger?: Logger;
  /**
   * Called with what a callback, timer or handler threw or rejected with, and that function, when it has been logged:
   * to count it, or to end the process. What the hook throws or rejects with is logged too. @default nobody
   */
  readonly onCallbackError?: CallbackErrorHook | undefined;
}

/** @throws TypeError on what are no options, on a hook that is no function, and on a logger that is none */
export function checkLoopOptions(options: IOLoopOptions): void {
  checkOptions("options", options);
  const { logger, onCallbackError } = options;
  if (onCallbackError !== undefined) checkFunction("onCallbackError", onCallbackError);
  if (logger !== undefined) checkLogger(logger);
}

/** @throws TypeError unless it has the four methods, which would be missed when something fails */
function checkLogger(logger: Partial<Logger> | null): void {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    if (typeof logger?.[level] === "function") continue;
    const got = logger === null ? "null" : typeof logger;
    throw new TypeError(`A logger has debug(), info(), warn() and error(), got ${got} without ${level}()`);
  }
}
