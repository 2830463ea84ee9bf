// Whose `AsyncLocalStorage` a piece of user code sees: that of whoever stored it, never that of the turn it runs in.
//
// Each stored thing is one AsyncResource. `AsyncLocalStorage.snapshot()` and `bind()` would do the same for fifty
// times the price on Node 20.

import { AsyncResource } from "node:async_hooks";

/**
 * Runs `fn` in the context this module was loaded in, which is nobody's: what the loop keeps for a long time (the
 * host's timer, the poller, signal handlers) must not keep the store of whichever request needed it first.
 */
export function outsideContexts<T>(fn: () => T): T {
  return outside.runInAsyncScope(fn);
}

const outside = new AsyncResource("IOLoop");
