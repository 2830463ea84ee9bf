// A limit on how long somebody waits for a promise. The promise itself knows nothing of it.

import { LoopClosedError } from "@tw/ioloop";
import { checkDurationMs, isPromiseLike } from "@tw/util";
import { bounded } from "./bounded.js";
import { checkCall, type LoopOption, loopOf } from "./options.js";
import { checkQuiet, type QuietOption } from "./quiet.js";

/** Options of {@link withTimeout}. */
export interface WithTimeoutOptions extends LoopOption, QuietOption {
  /** Gives up earlier: the result rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What `work` settles with, or `TimeoutError` once `ms` milliseconds of the loop have passed. (Tornado's
 * `gen.with_timeout`, whose deadline is relative here, in milliseconds.)
 *
 * A promise cannot be stopped: after a timeout or an abort it goes on. What it resolves with then is dropped, which
 * the logger notes at `debug`; what it rejects with is logged as an error unless it is quiet. Give a function instead
 * to let the work know: its signal aborts when the time is up (the reason is the `TimeoutError`) or `signal` aborts.
 * To wait for a lock or a queue, use their own `timeoutMs`: what comes too late stays where it is.
 *
 * @throws TypeError, RangeError on bad arguments, at once
 * @throws LoopClosedError `ERR_TW_LOOP_CLOSED` by rejecting; a function is not called then
 * @example
 * const answer = await withTimeout(1000, ask());
 * const page = await withTimeout(1000, (signal) => fetch(url, { signal }));
 */
export function withTimeout<T>(
  ms: number,
  work: PromiseLike<T> | ((signal: AbortSignal) => T | PromiseLike<T>),
  options: WithTimeoutOptions = {},
): Promise<Awaited<T>> {
  checkDurationMs("ms", ms);
  checkCall(options);
  checkQuiet(options);
  if (typeof work !== "function" && !isPromiseLike(work)) {
    throw new TypeError("withTimeout() takes a promise, or a function that returns one");
  }
  const loop = loopOf(options);
  const { signal, quietErrors } = options;
  if (typeof work !== "function") {
    return bounded(Promise.resolve(work), { loop, ms, signal, quietErrors }) as Promise<Awaited<T>>;
  }
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (loop.closed) return Promise.reject(new LoopClosedError("withTimeout"));
  const controller = new AbortController();
  return bounded(call(work, controller.signal), { loop, ms, signal, quietErrors, controller });
}

async function call<T>(
  work: (signal: AbortSignal) => T | PromiseLike<T>,
  signal: AbortSignal,
): Promise<Awaited<T>> {
  return await work(signal);
}
