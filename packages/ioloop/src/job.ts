// One piece of user code that the loop keeps: what to call, with what, in whose context, and who hears of its failure.

import type { AsyncResource } from "node:async_hooks";
import { isPromiseLike, type Logger, logSafely } from "@tw/util";
import { captureScope, enterScope } from "./context/capture.js";
import { activity } from "./watchdog/activity.js";
import { CALLBACK } from "./watchdog/memory.js";

/** The arguments of a callback that takes none. */
export const NOTHING: readonly unknown[] = [];

/** Where failures of user code go: an `IOLoop`. */
export interface JobOwner {
  readonly logger: Logger;
  /** Hears of a failed callback when it has been logged. */
  readonly onCallbackError?: CallbackErrorHook | undefined;
}

/** Any function: what a callback takes is checked where it is stored, what it returns is awaited for its failure only. */
export type Callback<A extends readonly unknown[] = readonly unknown[]> = (...args: A) => unknown;

/** Called with what a callback threw or rejected with, and the callback. What it throws itself is logged. */
export type CallbackErrorHook = (error: unknown, callback: (...args: never[]) => unknown) => unknown;

/** A stored callback that may wait long, or run often. Those of the next turn are slots of `batch.ts`. */
export class Job {
  readonly owner: JobOwner;
  readonly scope: AsyncResource;
  fn: Callback<never>;
  args: readonly unknown[];

  constructor(
    owner: JobOwner,
    fn: Callback<never>,
    args: readonly unknown[],
    scope: AsyncResource = captureScope(),
  ) {
    this.owner = owner;
    this.scope = scope;
    this.fn = fn;
    // Most callbacks take nothing, and many wait long: they share one empty array.
    this.args = args.length === 0 ? NOTHING : args;
  }

  /** What the watchdog calls it. */
  get kind(): number {
    return CALLBACK;
  }

  /** Calls it in the context it was stored in. Never throws: what it throws or rejects with is logged, once. */
  run(): void {
    this.runWith(this.args);
  }

  /** As {@link run}, with other arguments. */
  runWith(args: readonly unknown[]): void {
    enterScope(this.scope, callCaught, undefined, this.owner, this.kind, this.fn as Callback, args);
  }
}

/** Calls user code and awaits its promise, for their failure only. Never throws. */
export function callCaught(owner: JobOwner, kind: number, fn: Callback, args: readonly unknown[]): void {
  const watching = activity;
  try {
    if (watching !== undefined) watching.begin(kind, fn);
    const result = args.length === 0 ? fn() : fn(...args);
    if (isPromiseLike(result)) result.then(undefined, (error) => reportCallback(owner, error, fn));
  } catch (error) {
    reportCallback(owner, error, fn);
  }
  if (watching !== undefined) watching.leave();
}

/** {@link callCaught} for a callback that takes nothing: it is the usual one, and the difference is a third. */
export function callPlain(owner: JobOwner, fn: Callback): void {
  const watching = activity;
  try {
    if (watching !== undefined) watching.begin(CALLBACK, fn);
    const result = fn();
    if (result !== undefined && isPromiseLike(result))
      result.then(undefined, (error) => reportCallback(owner, error, fn));
  } catch (error) {
    reportCallback(owner, error, fn);
  }
  if (watching !== undefined) watching.leave();
}

/** Calls user code under the eyes of the watchdog. What it throws and what it returns are the caller's. */
export function callWatched<A extends readonly unknown[], R>(fn: (...args: A) => R, ...args: A): R {
  const watching = activity;
  watching?.begin(CALLBACK, fn);
  try {
    return fn(...args);
  } finally {
    watching?.leave();
  }
}

/** Logs a failure of user code. Never throws. */
export function reportFailure(owner: { readonly logger: Logger }, err: unknown, message: string): void {
  logSafely(owner.logger, "error", { err }, message);
}

function reportCallback(owner: JobOwner, error: unknown, fn: Callback): void {
  reportFailure(owner, error, "Exception in callback");
  const hook = owner.onCallbackError;
  if (hook === undefined) return;
  const failed = (err: unknown): void => reportFailure(owner, err, "Exception in onCallbackError");
  try {
    const result = hook(error, fn as (...args: never[]) => unknown);
    if (isPromiseLike(result)) result.then(undefined, failed);
  } catch (err) {
    failed(err);
  }
}
