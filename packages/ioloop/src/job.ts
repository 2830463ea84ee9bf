// One piece of user code that the loop keeps: what to call, with what, in whose context, and who hears of its failure.

import { AsyncResource } from "node:async_hooks";
import { isPromiseLike, type Logger } from "@tw/util";
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

/** A stored callback. It is the AsyncResource itself, so that storing one costs a single object. */
export class Job extends AsyncResource {
  readonly owner: JobOwner;
  fn: Callback<never>;
  args: readonly unknown[];

  constructor(type: string, owner: JobOwner, fn: Callback<never>, args: readonly unknown[]) {
    super(type);
    this.owner = owner;
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
    this.runInAsyncScope(callJob, this, this.args);
  }

  /** As {@link run}, with other arguments. */
  runWith(...args: readonly unknown[]): void {
    this.runInAsyncScope(callJob, this, args);
  }
}

/** Logs a failure of user code; a logger that throws itself is not worth the process. */
export function reportFailure(owner: { readonly logger: Logger }, err: unknown, message: string): void {
  try {
    owner.logger.error({ err }, message);
  } catch {
    // There is nobody left to tell.
  }
}

function callJob(this: Job, args: readonly unknown[]): void {
  const watching = activity;
  if (watching !== undefined) watching.begin(this.kind, this.fn);
  try {
    const result = (this.fn as Callback)(...args);
    if (isPromiseLike(result)) result.then(undefined, (error) => report(this, error));
  } catch (error) {
    report(this, error);
  }
  if (watching !== undefined) watching.leave();
}

function report(job: Job, error: unknown): void {
  const { owner, fn } = job;
  reportFailure(owner, error, "Exception in callback");
  const hook = owner.onCallbackError;
  if (hook === undefined) return;
  const failed = (err: unknown): void => reportFailure(owner, err, "Exception in onCallbackError");
  try {
    const result = hook(error, fn);
    if (isPromiseLike(result)) result.then(undefined, failed);
  } catch (err) {
    failed(err);
  }
}
