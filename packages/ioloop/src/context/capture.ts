// Whether a stored callback needs a context of its own: unless it is certain that no store is live where it is stored.
//
// Only what has no store may share: `AsyncLocalStorage.exit` and `disable` hide a live one where nobody can see it.

import { AsyncResource, executionAsyncId, executionAsyncResource } from "node:async_hooks";
import { outsideContexts } from "../context.js";
import { Emptiness } from "./emptiness.js";
import { storesOnResources, storesPossible } from "./model.js";
import { SharedScope } from "./shared-scope.js";

/** Without a store: nobody's context, in which everything runs whose stores cannot matter. */
export const nowhere: SharedScope = outsideContexts(() => new SharedScope("IOLoop"));

/** A resource must have stored this many callbacks in a row before it is worth a look of microseconds. */
const PATIENCE = 3;

// Per thread, as contexts are: whether a storage was found in use, and where the last callbacks came from.
let inUse = false;
let resource: object | undefined;
let emptiness: Emptiness | undefined;
let inARow = 0;
/** What was executing when a look of microseconds found a store, or could not tell. */
let liveId = -1;

/** Whether no store is live in the caller's context, so that {@link nowhere} is as good. */
export function isNowhere(): boolean {
  // Asking costs nothing while the answer is no, and more than what follows when it is yes.
  return !(inUse || storesPossible()) || (storesOnResources && isStoreless());
}

/** The caller's context, for what is kept longer. */
export function captureScope(): AsyncResource {
  return isNowhere() ? nowhere : new AsyncResource("IOLoopJob", executionAsyncId());
}

/** As {@link captureScope}, for what is called again and again: none of its calls sees what one before it has entered. */
export function captureLastingScope(): AsyncResource {
  return isNowhere() ? nowhere : new SharedScope("IOLoopJob");
}

/** Calls `fn` in a captured context. */
export function enterScope<T, A extends unknown[], R>(
  scope: AsyncResource,
  fn: (this: T, ...args: A) => R,
  self: T,
  ...args: A
): R {
  if (scope instanceof SharedScope) return scope.enter(fn, self, ...args);
  return scope.runInAsyncScope(fn as (this: T, ...args: unknown[]) => R, self, ...args);
}

/** Asks anew whether a storage is in use, and keeps nothing alive that callbacks came from. */
export function forgetCaptures(): void {
  inUse = false;
  resource = undefined;
  emptiness = undefined;
  liveId = -1;
}

function isStoreless(): boolean {
  inUse = true;
  const id = executionAsyncId();
  if (id === liveId) return false;
  const here = executionAsyncResource();
  if (nowhere.isPristineAs(here)) return true;
  if (here !== resource) {
    resource = here;
    emptiness = undefined;
    inARow = 0;
  }
  if (emptiness !== undefined) return emptiness.holds();
  if (++inARow < PATIENCE) return false;
  emptiness = Emptiness.of(here);
  if (emptiness === undefined) liveId = id;
  return false;
}
