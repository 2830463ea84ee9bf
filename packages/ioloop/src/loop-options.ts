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

/** @throws TypeError on what are no options, on a hook that is no function, and on a host or a logger that is none */
export function checkLoopOptions(options: IOLoopOptions): void {
  checkOptions("options", options);
  const { host, logger, onCallbackError } = options;
  if (host !== undefined) checkHost(host);
  if (onCallbackError !== undefined) checkFunction("onCallbackError", onCallbackError);
  if (logger !== undefined) checkLogger(logger);
}

/** @throws TypeError unless it has the four methods, which would be missed when something fails */
export function checkLogger(logger: Partial<Logger> | null): void {
  checkMethods("A logger has debug(), info(), warn() and error()", logger, [
    "debug",
    "info",
    "warn",
    "error",
  ]);
}

/** @throws TypeError unless it has what every host has, which would be missed when the first callback is added */
function checkHost(host: Partial<LoopHost> | null): void {
  checkMethods("A host has now(), wallNow(), schedule() and poller()", host, [
    "now",
    "wallNow",
    "schedule",
    "poller",
  ]);
}

function checkMethods<T extends object>(rule: string, value: T | null, names: readonly (keyof T)[]): void {
  for (const name of names) {
    if (typeof value?.[name] === "function") continue;
    throw new TypeError(`${rule}, got ${value === null ? "null" : typeof value} without ${String(name)}()`);
  }
}
