// Where callbacks wait. One without arguments costs a slot and no object; the slots are used again for a later batch.
//
//   │ scope s │ a │ b │ c(1) │ scope t │ d │        each runs in the scope before it
//
// The pairs of functions here are small on purpose: V8 makes one piece of `addCallback` and all it calls, and a
// callback costs a fifth of what it costs when it does not.

import type { Scope } from "./context/scope.js";
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

type Slot = Callback | Bound | Scope | undefined;

const FIRST_SLOTS = 64;

/** Callbacks in the order in which they came. */
export class Batch {
  #slots: Slot[] = new Array(FIRST_SLOTS);
  #length = 0;
  #scopes = 0;
  #scope: Scope | undefined;

  /** Callbacks that were added. */
  get size(): number {
    return this.#length - this.#scopes;
  }

  add(callback: Callback | Bound, scope: Scope): void {
    if (scope !== this.#scope) {
      this.#scope = scope;
      this.#scopes++;
      this.#put(scope);
    }
    this.#put(callback);
  }

  /** The scope of the callbacks that begin behind `at`; `undefined` at the end. */
  takeScope(at: number): Scope | undefined {
    if (at >= this.#length) return undefined;
    const scope = this.#slots[at] as Scope;
    this.#slots[at] = undefined;
    return scope;
  }

  /** Runs callbacks from `from` on until the scope changes or `until` says so, and returns where that is. */
  runFrom(from: number, owner: JobOwner, scope: Scope, until: { readonly closed: boolean }): number {
    const slots = this.#slots;
    const length = this.#length;
    let at = from;
    for (; at < length; at++) {
      const slot = slots[at];
      if (typeof slot === "function") callPlain(owner, slot);
      else if (slot instanceof Bound) callCaught(owner, CALLBACK, slot.fn, slot.args);
      else break;
      slots[at] = undefined;
      scope.clean();
      if (until.closed) return length;
    }
    return at;
  }

  /** Empties it when all was taken. Keeps the slots, unless so many more than were used that they are a waste. */
  reset(): void {
    const capacity = this.#slots.length;
    if (capacity > FIRST_SLOTS && this.#length < capacity / 8) this.#slots = new Array(capacity / 2);
    this.#length = 0;
    this.#scopes = 0;
    this.#scope = undefined;
  }

  #put(slot: Slot): void {
    const at = this.#length++;
    if (at === this.#slots.length) this.#slots.length *= 2;
    this.#slots[at] = slot;
  }
}
