// From a promise to a callback of the loop.

import { isPromiseLike } from "@tw/util";

/** What {@link callWhenSettled} needs of its loop. */
interface FutureLoop {
  readonly closed: boolean;
  addCallback<A extends readonly unknown[]>(fn: (...args: A) => unknown, ...args: A): void;
}

/** Called with how a promise settled. */
export type FutureCallback<T> = (future: PromiseSettledResult<T>) => unknown;

/** @throws TypeError unless `promise` is one */
export function checkFuture(promise: unknown): void {
  if (isPromiseLike(promise)) return;
  throw new TypeError(`addFuture() takes a promise, got ${promise === null ? "null" : typeof promise}`);
}

/** Adds a callback when `promise` has settled, in the caller's context, unless the loop is closed by then. */
export function callWhenSettled<T>(
  loop: FutureLoop,
  promise: PromiseLike<T>,
  callback: FutureCallback<T>,
): void {
  const call = (future: PromiseSettledResult<T>): void => {
    if (!loop.closed) loop.addCallback(callback, future);
  };
  Promise.resolve(promise).then(
    (value) => call({ status: "fulfilled", value }),
    (reason) => call({ status: "rejected", reason }),
  );
}
