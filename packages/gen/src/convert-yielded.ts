// From what was yielded to one promise. A container is waited for whole, so that no child is left running unseen.

import type { IOLoop } from "@tw/ioloop";
import { isPromiseLike } from "@tw/util";
import { bounded } from "./bounded.js";
import { BadYieldError } from "./errors.js";
import { checkCall, type LoopOption, loopOf } from "./options.js";
import { checkQuiet, type QuietOption, reportLost } from "./quiet.js";
import { moment, nextTurn } from "./sleep.js";
import type { Yieldable, Yielded } from "./yieldable.js";

/** Options of {@link convertYielded} and `multi`. */
export interface MultiOptions extends LoopOption, QuietOption {
  /** Gives the wait up: it rejects with `signal.reason`. The children go on; their errors are logged unless quiet. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The promise for what a coroutine may yield: a promise for its result, an array or a plain record of such (nested at
 * will) for all results in the same shape, `undefined` or `moment` for one turn of the loop.
 *
 * A container waits for all of its children; then it resolves, or rejects with the first failure in order. The other
 * failures are logged unless quiet.
 *
 * @throws BadYieldError `ERR_TW_BAD_YIELD` on anything else, and on a container that holds itself, at once
 * @example
 * const { user, tags } = await convertYielded({ user: load(id), tags: [tag(1), tag(2)] });
 */
export function convertYielded<const T extends Yieldable>(
  yielded: T,
  options: MultiOptions = {},
): Promise<Yielded<T>> {
  checkCall(options);
  checkQuiet(options);
  const { signal, quietErrors } = options;
  const loop = loopOf(options);
  try {
    checkYielded(yielded);
  } catch (error) {
    for (const promise of promisesIn(yielded)) {
      Promise.resolve(promise).then(undefined, (lost) =>
        reportLost(loop, "Error beside a bad yield", lost, quietErrors),
      );
    }
    throw error;
  }
  const promise = promiseFor(yielded, loop, options);
  return bounded(promise, { loop, signal, quietErrors }) as Promise<Yielded<T>>;
}

/** `above`: the containers that this one is in. One that stands in itself would never have a result. */
function checkYielded(yielded: unknown, above?: Set<object>): void {
  if (yielded === undefined || yielded === null || isPromiseLike(yielded)) return;
  if (!isContainer(yielded)) throw new BadYieldError(yielded);
  const path = above ?? new Set();
  if (path.has(yielded)) throw new BadYieldError(yielded, "a container that holds itself");
  path.add(yielded);
  for (const child of childrenOf(yielded)) checkYielded(child, path);
  path.delete(yielded);
}

/** All promises of what may be no yield at all. */
function promisesIn(
  yielded: unknown,
  promises = new Set<PromiseLike<unknown>>(),
  seen = new Set<object>(),
): Set<PromiseLike<unknown>> {
  if (isPromiseLike(yielded)) promises.add(yielded);
  else if (isContainer(yielded) && !seen.has(yielded)) {
    seen.add(yielded);
    for (const child of childrenOf(yielded)) promisesIn(child, promises, seen);
  }
  return promises;
}

/** A place that was left out of an array is `undefined`, as to all that iterates over one; its other properties are none. */
function childrenOf(container: object): readonly unknown[] {
  return Array.isArray(container) ? Array.from(container) : Object.values(container);
}

function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
}

function promiseFor(yielded: unknown, loop: IOLoop, quiet: QuietOption): Promise<unknown> {
  if (yielded === undefined || yielded === null || yielded === moment) return nextTurn(loop);
  if (isPromiseLike(yielded)) return Promise.resolve(yielded);
  const keys = Array.isArray(yielded) ? undefined : Object.keys(yielded);
  const children = childrenOf(yielded).map((child) => promiseFor(child, loop, quiet));
  const all = whole(children, loop, quiet);
  if (keys === undefined) return all;
  return all.then((values) => Object.fromEntries(keys.map((key, i) => [key, values[i]])));
}

/** All results in order, once all children have settled. */
async function whole(
  children: readonly Promise<unknown>[],
  loop: IOLoop,
  { quietErrors }: QuietOption,
): Promise<unknown[]> {
  const results = await Promise.allSettled(children);
  const failed = results.findIndex(({ status }) => status === "rejected");
  if (failed === -1) return results.map((result) => (result as PromiseFulfilledResult<unknown>).value);
  const { reason } = results[failed] as PromiseRejectedResult;
  // One failure that several children share (the same promise, yielded twice) is no other failure.
  const told = new Set<unknown>([reason]);
  for (const result of results) {
    if (result.status === "fulfilled" || told.has(result.reason)) continue;
    told.add(result.reason);
    reportLost(loop, "Multiple exceptions in yield list", result.reason, quietErrors);
  }
  throw reason;
}
