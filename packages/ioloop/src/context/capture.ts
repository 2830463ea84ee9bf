// Which scope a stored callback gets: one of its own, unless it is certain that no store is live where it is stored.
//
// Only what has no store may share: `AsyncLocalStorage.exit` and `disable` hide a live one where nobody can see it.

import { executionAsyncResource } from "node:async_hooks";
import { outsideContexts } from "../context.js";
import { Emptiness } from "./emptiness.js";
import { storesOnResources, storesPossible } from "./model.js";
import { Scope } from "./scope.js";

/** Without a store: nobody's context, in which everything runs whose stores cannot matter. */
export const nowhere: Scope = outsideContexts(() => new Scope("IOLoop").share());

/** A resource must have stored this many callbacks in a row before it is worth a look of microseconds. */
const PATIENCE = 3;

// Per thread, as contexts are: whether a storage was found in use, and where the last callbacks came from.
let inUse = false;
let resource: object | undefined;
let emptiness: Emptiness | undefined;
let inARow = 0;

/** The context of the caller. */
export function captureScope(): Scope {
  // Asking costs nothing while the answer is no, and more than what follows when it is yes.
  return inUse || storesPossible() ? captureStores() : nowhere;
}

/** Asks anew whether a storage is in use, and keeps nothing alive that callbacks came from. */
export function forgetCaptures(): void {
  inUse = false;
  resource = undefined;
  emptiness = undefined;
}

function captureStores(): Scope {
  if (!storesOnResources) return new Scope("IOLoopCallback");
  inUse = true;
  const here = executionAsyncResource();
  if (nowhere.isPristineAs(here) || isEmpty(here)) return nowhere;
  return new Scope("IOLoopCallback");
}

function isEmpty(here: object): boolean {
  if (here !== resource) {
    resource = here;
    emptiness = undefined;
    inARow = 0;
  }
  if (emptiness !== undefined) return emptiness.holds();
  if (++inARow === PATIENCE) emptiness = Emptiness.of(here);
  return false;
}
