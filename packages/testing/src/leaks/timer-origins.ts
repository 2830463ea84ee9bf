// Where timers were set. A callback that sets itself again and again was set once: by whoever began it.

import { AsyncResource, executionAsyncResource } from "node:async_hooks";
import type { IOLoop, Timeout } from "@tw/ioloop";
import { type Origin, originHere } from "./origin.js";

/** The last timer that was set in a context. */
interface Last {
  readonly callback: unknown;
  readonly origin: Origin;
  timer: Timeout;
}

/**
 * Remembers the origin of what is periodic: its next timer has the same callback, is set in the same context, one that
 * is its own, and its last one has fired. A week of minutes reads one stack then, not ten thousand.
 */
export class TimerOrigins {
  readonly #last = new WeakMap<object, Last>();

  /** Where a timer that has just been set comes from. `forget` gets the one that fired, and whose next it is. */
  of(loop: IOLoop, timer: Timeout, forget: (fired: Timeout) => void): Origin {
    const context = executionAsyncResource();
    // What Node or the loop executes in is many callers' context.
    if (Object.getPrototypeOf(context) !== AsyncResource.prototype) return originHere();
    const { fn: callback } = timer as Timeout & { readonly fn?: unknown };
    const last = this.#last.get(context);
    if (last !== undefined && last.callback === callback && hasFired(last.timer, loop)) {
      forget(last.timer);
      last.timer = timer;
      return last.origin;
    }
    const origin = originHere();
    if (typeof callback === "function") this.#last.set(context, { callback, origin, timer });
    return origin;
  }
}

/** One that was removed is not pending either, but most often before its time. */
function hasFired(timer: Timeout, loop: IOLoop): boolean {
  return !timer.pending && timer.when <= loop.time();
}
