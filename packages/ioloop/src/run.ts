// run(): a loop for the length of one main function. Tornado's run_sync, as far as a guest can.

import { checkDurationMs, checkFunction, checkSignal, Deferred } from "@tw/util";
import { LoopStoppedError, RunTimeoutError } from "./errors.js";
import { callWatched, type JobOwner, reportFailure } from "./job.js";
import type { Timeout } from "./timers.js";

/** How long `IOLoop.run` waits. */
export interface RunOptions {
  /** Milliseconds that main may take, before `ERR_TW_RUN_TIMEOUT`; 0 is none at all. @default no limit */
  readonly timeoutMs?: number | undefined;
  /** Gives main up: `run` rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** What `IOLoop.run` calls. The signal is aborted when `run` gives it up. */
export type Main<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** What {@link runMain} needs of its loop. */
interface RunLoop extends JobOwner {
  addCallback(fn: () => unknown): void;
  afterPoll(fn: () => unknown): void;
  callLater(delayMs: number, fn: () => unknown): Timeout;
  removeTimeout(handle: Timeout): void;
}

/** One `start()`. */
export interface Hold {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Ends it, and no other. */
  end(): void;
}

/** Holds the process, as `hold` does, until main settles, in the next turn or later, or is given up. */
export function runMain<T>(loop: RunLoop, hold: () => Hold, main: Main<T>, options: RunOptions): Promise<T> {
  const { timeoutMs, signal } = options;
  checkFunction("main", main);
  if (timeoutMs !== undefined) checkDurationMs("timeoutMs", timeoutMs);
  checkSignal(signal);
  if (signal?.aborted) return Promise.reject(signal.reason);
  const held = hold();

  const result = new Deferred<T>();
  const givenUp = new AbortController();
  const onAbort = (): void => giveUp(signal?.reason);
  let timer: Timeout | undefined;
  let ended = false;

  const end = (settle: () => void): void => {
    ended = true;
    if (timer !== undefined) loop.removeTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    held.end();
    settle();
  };
  const giveUp = (reason: unknown): void => {
    if (ended) return;
    end(() => result.reject(reason));
    givenUp.abort(reason);
  };
  const fulfil = (value: T): void => {
    if (!ended) end(() => result.resolve(value));
  };
  const fail = (error: unknown): void => {
    if (!ended) end(() => result.reject(error));
    else if (!isOrStemsFrom(error, givenUp.signal.reason)) {
      reportFailure(loop, error, "Exception in main() after run() had given it up");
    }
  };

  loop.addCallback(() => {
    if (!ended) new Promise<T>((resolve) => resolve(callWatched(main, givenUp.signal))).then(fulfil, fail);
  });
  if (timeoutMs !== undefined) {
    // What main waits for may have come already, and only not been polled.
    const expire = (): void => loop.afterPoll(() => giveUp(new RunTimeoutError(timeoutMs)));
    timer = loop.callLater(timeoutMs, expire);
  }
  signal?.addEventListener("abort", onAbort);
  void held.ended.then(() => giveUp(new LoopStoppedError()));
  return result.promise;
}

/** Those who heed a signal reject with its reason, or, as Node does, with an error it is the cause of. */
function isOrStemsFrom(error: unknown, reason: unknown): boolean {
  return error === reason || (error instanceof Error && error.cause === reason);
}
