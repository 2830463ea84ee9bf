// Where timers were set. Those of a PeriodicCallback, of which each sets the next, were set by whoever started it; and
// some belong to what is reported itself.

import { AsyncResource, executionAsyncId, executionAsyncResource } from "node:async_hooks";
import type { Timeout } from "@tw/ioloop";
import { type Origin, originHere } from "./origin.js";

/** By this a PeriodicCallback is known. */
const PERIODIC = Symbol.for("tw.ioloop.periodic");

/** By this what a layer does for streams that are open. */
const HOUSEKEEPING = Symbol.for("tw.ioloop.housekeeping");

/** Who set a timer. */
interface Made {
  readonly origin: Origin;
  /** What was called, where the stack does not tell. */
  readonly maker: string;
}

/** The last timer of a PeriodicCallback. */
interface Last {
  readonly made: Made;
  timer: Timeout;
}

/** Of the timers set from its making on. Reads one stack for a week of minutes, not ten thousand. */
export class TimerOrigins {
  /** By the context that start() makes, in which each timer is set. */
  readonly #last = new WeakMap<object, Last>();
  /** Node counts contexts in the order in which they are made: those of what was started before have lower numbers. */
  readonly #since = new AsyncResource("TWTimerOrigins").asyncId();

  /**
   * Who set a timer that has just been set; `undefined` where that was before, or it belongs to something else. `forget`
   * gets the one before it.
   */
  of(timer: Timeout, forget: (before: Timeout) => void): Made | undefined {
    const { fn: callback } = timer as Timeout & { readonly fn?: unknown };
    if (typeof callback !== "function") return { origin: originHere(), maker: "" };
    if (HOUSEKEEPING in callback) return undefined;
    if (!(PERIODIC in callback)) return { origin: originHere(), maker: "" };
    if (executionAsyncId() < this.#since) return undefined;
    const context = executionAsyncResource();
    const last = this.#last.get(context);
    if (last === undefined) {
      const made = { origin: originHere(), maker: "PeriodicCallback.start()" };
      this.#last.set(context, { made, timer });
      return made;
    }
    forget(last.timer);
    last.timer = timer;
    return last.made;
  }
}
