// Fields that belong to what is being done, such as the id of a request: given once, they stand in every record that is
// logged on the way, across promises, timers and callbacks.
//
// The store is made when the first context is entered: a process without contexts pays one comparison per record. It
// lives under a registered symbol, so that two copies of this package in one thread share it.

import { AsyncLocalStorage } from "node:async_hooks";
import type { LogFields } from "@tw/util";
import { shared } from "./shared.js";

const home = shared("@tw/log.context", (): { storage?: AsyncLocalStorage<LogFields> } => ({}));

/**
 * Calls `fn` and adds `fields` to every record that loggers of this package write on its behalf, until the last promise
 * that it began has settled. Contexts nest: inner fields are added, and replace outer ones of the same name. A record's
 * own fields replace both.
 *
 * @throws TypeError when `fields` is not an object or `fn` not a function
 * @example
 * await withLogContext({ requestId: "7f3a" }, async () => {
 *   log.info("began"); // {…,"msg":"began","requestId":"7f3a"}
 *   await work();
 *   log.info("done"); // here too
 * });
 */
export function withLogContext<T>(fields: LogFields, fn: () => T): T {
  if (typeof fields !== "object" || fields === null)
    throw new TypeError("Fields of a log context are an object");
  if (typeof fn !== "function") throw new TypeError("withLogContext() takes a function to call");
  home.storage ??= new AsyncLocalStorage();
  return home.storage.run({ ...home.storage.getStore(), ...fields }, fn);
}

/**
 * The fields of the contexts one is in, or `undefined`. Other loggers take them from here.
 *
 * @example
 * const logger = pino({ mixin: () => ({ ...logContext() }) });
 */
export function logContext(): LogFields | undefined {
  return home.storage?.getStore();
}
