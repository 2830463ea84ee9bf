// Letting time pass, and letting others run.

import { IOLoop } from "@tw/ioloop";
import { checkDurationMs } from "@tw/util";
import { checkCall, type LoopOption, loopOf } from "./options.js";
import { Waiters } from "./waiters.js";

/** Options of {@link sleep}. */
export interface SleepOptions extends LoopOption {
  /** Ends the sleep: it rejects with `signal.reason`, and the timer is gone. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves after `ms` milliseconds of the loop, never earlier; with 0 in the next turn, after I/O had its chance.
 * (Tornado's `gen.sleep`, whose unit is seconds.)
 *
 * @throws TypeError, RangeError when `ms` is not a number from 0 to 1e12 (31 years); TypeError on options that are none
 * @example
 * await sleep(100);
 */
export function sleep(ms: number, options: SleepOptions = {}): Promise<void> {
  checkDurationMs("ms", ms);
  checkCall(options);
  const { signal } = options;
  const loop = loopOf(options);
  if (ms === 0) return nextTurn(loop, signal);
  return new Waiters<void>(loop).wait(undefined, { timeoutMs: ms, signal }, () => undefined);
}

/** Resolves in the next turn of `loop`. */
export function nextTurn(loop: IOLoop, signal?: AbortSignal): Promise<void> {
  const waiters = new Waiters<void>(loop);
  // First: where the loop is closed, nobody is to begin to wait.
  if (!signal?.aborted) loop.addCallback(() => waiters.wake());
  return waiters.wait(undefined, { signal }, () => undefined);
}

/**
 * One turn of `IOLoop.current()`: `await moment`, or `yield moment` in a coroutine, lets everybody else run first.
 * (Tornado's `gen.moment`; in a coroutine, of the loop that it was made for.)
 */
export const moment: PromiseLike<void> = {
  // biome-ignore lint/suspicious/noThenProperty: to be awaited, again and again, is what it is for
  then: (onFulfilled, onRejected) => nextTurn(IOLoop.current()).then(onFulfilled, onRejected),
};
