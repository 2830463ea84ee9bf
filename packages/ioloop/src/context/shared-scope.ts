// A context that several callbacks run in, one after the other, without noticing each other.
//
// On Node 20 `enterWith` writes to the resource that is executing, and would reach whatever runs in it next. So a shared
// scope executes as a proxy of itself, which remembers what was there before the first write, and puts it back when the
// callback has returned. What that callback started has its own copy by then.

import { AsyncResource } from "node:async_hooks";
import { storesOnResources } from "./model.js";

type Stores = Record<PropertyKey, unknown>;

/** The context it is made in. */
export class SharedScope extends AsyncResource {
  readonly #executing: AsyncResource = storesOnResources ? new Proxy<this>(this, this.#guard()) : this;
  #written: Map<PropertyKey, unknown> | undefined;

  /** Whether `resource` is this scope, executing, with the stores that it was made with. */
  isPristineAs(resource: object): boolean {
    if (resource !== this.#executing) return false;
    if (this.#written === undefined) return true;
    for (const [key, before] of this.#written) if ((this as unknown as Stores)[key] !== before) return false;
    return true;
  }

  /** Calls `fn` in this context. */
  enter<T, A extends unknown[], R>(fn: (this: T, ...args: A) => R, self: T, ...args: A): R {
    if (this.#written !== undefined) return this.#enterWithin(this.#written, fn, self, args);
    try {
      return this.runInAsyncScope.call(this.#executing, fn as never, self, ...args) as R;
    } finally {
      this.clean();
    }
  }

  /** Enters it anew while a call in it, which has written, is under way: each sees its own. */
  #enterWithin<T, A extends unknown[], R>(
    outer: Map<PropertyKey, unknown>,
    fn: (this: T, ...args: A) => R,
    self: T,
    args: A,
  ): R {
    const stores = this as unknown as Stores;
    const now = [...outer.keys()].map((key) => [key, stores[key]] as const);
    this.clean();
    try {
      return this.enter(fn, self, ...args);
    } finally {
      for (const [key, value] of now) stores[key] = value;
      this.#written = outer;
    }
  }

  /** Puts back what the last callback wrote. */
  clean(): void {
    if (this.#written === undefined) return;
    const stores = this as unknown as Stores;
    for (const [key, before] of this.#written) {
      if (before === undefined) Reflect.deleteProperty(stores, key);
      else stores[key] = before;
    }
    this.#written = undefined;
  }

  #guard(): ProxyHandler<this> {
    return {
      set: (scope, key, value): boolean => {
        const stores = scope as unknown as Stores;
        this.#written ??= new Map();
        if (!this.#written.has(key)) this.#written.set(key, stores[key]);
        stores[key] = value;
        return true;
      },
    };
  }
}
