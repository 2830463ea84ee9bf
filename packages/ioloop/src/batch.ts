// Where callbacks wait. One that is in nobody's context and takes nothing costs a slot and no object, and the slots are
// used again for a later batch.
//
//   │ a │ b │ c(1) │ own d │ e │        a, b and c run in the shared scope without leaving it, d in its own, e again
//
// The functions here are small on purpose: V8 makes one piece of `addCallback` and all it calls, and a callback costs
// a fifth of what it costs when it does not.

import { AsyncResource, executionAsyncId } from "node:async_hooks";
import type { SharedScope } from "./context/shared-scope.js";
import { type Callback, callCaught, callPlain, type JobOwner } from "./job.js";
import { CALLBACK } from "./watchdog/memory.js";

/** A callback with arguments. */
export class Bound {
  readonly fn: Callback;
  readonly args: readonly unknown[];

  constructor(fn: Callback, args: readonly unknown[]) {
    this.fn = fn;
    this.args = args;
  }
}

/** A callback in a context of its own: the one AsyncResource that it costs. */
export class Contextual extends AsyncResource {
  readonly callback: Callback | Bound;

  constructor(callback: Callback | Bound) {
    // What Node would take for it too; told, it costs a quarter less.
    super("IOLoopCallback", executionAsyncId());
    this.callback = callback;
  }

  /** To be called in its own scope. */
  call(owner: JobOwner): void {
    const { callback } = this;
    if (typeof callback === "function") callPlain(owner, callback);
    else callCaught(owner, CALLBACK, callback.fn, callback.args);
  }
}

type Slot = Callback | Bound | Contextual | undefined;

const FIRST_SLOTS = 64;

/** Callbacks in the order in which they came. */
export class Batch {
  #slots: Slot[] = new Array(FIRST_SLOTS);
  /** Callbacks that were added. */
  length = 0;

  add(slot: Callback | Bound | Contextual): void {
    const at = this.length++;
    if (at === this.#slots.length) this.#slots.length *= 2;
    this.#slots[at] = slot;
  }

  /** Runs all of them, until the loop is closed. */
  run(owner: JobOwner, scope: SharedScope, until: { readonly closed: boolean }): void {
    for (let at = 0; at < this.length && !until.closed; ) {
      const slot = this.#slots[at];
      if (slot instanceof Contextual) {
        this.#slots[at++] = undefined;
        slot.runInAsyncScope(slot.call, slot, owner);
      } else at = scope.enter(this.#runShared, this, at, owner, scope, until);
    }
  }

  /** Empties it when it has run. Keeps the slots, unless so many more than were used that they are a waste. */
  reset(): void {
    const capacity = this.#slots.length;
    if (capacity > FIRST_SLOTS && this.length < capacity / 8) this.#slots = new Array(capacity / 2);
    this.length = 0;
  }

  /** Runs what is in nobody's context from `from` on, and returns where something else begins. */
  #runShared(from: number, owner: JobOwner, scope: SharedScope, until: { readonly closed: boolean }): number {
    const slots = this.#slots;
    const { length } = this;
    let at = from;
    for (; at < length && !until.closed; at++) {
      const slot = slots[at];
      if (typeof slot === "function") callPlain(owner, slot);
      else if (slot instanceof Bound) callCaught(owner, CALLBACK, slot.fn, slot.args);
      else break;
      slots[at] = undefined;
      scope.clean();
    }
    return at;
  }
}
