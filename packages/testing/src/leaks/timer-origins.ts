// Where timers were set. Those of a PeriodicCallback, of which each sets the next, were set by whoever started it.

import { executionAsyncResource } from "node:async_hooks";
import type { Timeout } from "@tw/ioloop";
import { type Origin, originHere } from "./origin.js";

/** By this a PeriodicCallback is known. */
const PERIODIC = Symbol.for("tw.ioloop.periodic");

/** The last timer of a PeriodicCallback. */
interface Last {
  readonly origin: Origin;
  timer: Timeout;
}

/** Reads one stack for a week of minutes, not ten thousand. */
export class TimerOrigins {
  /** By the context that start() makes, in which each timer is set. */
  readonly #last = new WeakMap<object, Last>();

  /** Where a timer that has just been set comes from. `forget` gets the one before it. */
  of(timer: Timeout, forget: (before: Timeout) => void): Origin {
    const { fn: callback } = timer as Timeout & { readonly fn?: unknown };
    if (typeof callback !== "function" || !(PERIODIC in callback)) return originHere();
    const context = executionAsyncResource();
    const last = this.#last.get(context);
    if (last === undefined) {
      const origin = originHere();
      this.#last.set(context, { origin, timer });
      return origin;
    }
    forget(last.timer);
    last.timer = timer;
    return last.origin;
  }
}
