// Where the jobs of this thread find the watchdog. Nobody there is the usual case, and costs one look. That there is one is
// also kept under a registered symbol, as the current loop is: two copies of this package must agree that it is one.

import type { Activity } from "./memory.js";

const KEY: unique symbol = Symbol.for("@tw/ioloop.watchdog") as never;

/** Hears of every job of this thread, while a watchdog is set. */
export let activity: Activity | undefined;

export function setActivity(next: Activity | undefined): void {
  activity = next;
  Object.defineProperty(globalThis, KEY, {
    value: next,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}

/** Whether this thread has a watchdog, be it of another copy of this package. */
export function watched(): boolean {
  return (globalThis as { [KEY]?: unknown })[KEY] !== undefined;
}
