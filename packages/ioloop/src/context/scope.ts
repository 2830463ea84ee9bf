// Whose stores a piece of user code sees: a scope is one AsyncResource, that of whoever stored it.
//
// What shares a scope must not notice. On Node 20 `enterWith` writes to the resource that is executing, and would reach
// whatever runs in it next. So a shared scope executes as a proxy of itself, which remembers what was there before the
// first write, and puts it back when the callback has returned. What that callback started has its own copy by then.

import { AsyncResource } from "node:async_hooks";
import { storesOnResources } from "./model.js";

type Stores = Record<PropertyKey, unknown>;

/** A captured context. */
export class Scope extends AsyncResource {
  /** The scope as it executes, and what was written to it. */
  #guarded: { readonly proxy: Scope; written: Map<PropertyKey, unknown> | undefined } | undefined;

  /** Lets several pieces of code run in it without leaks between them. */
  share(): this {
    if (storesOnResources)
      this.#guarded ??= { proxy: new Proxy<Scope>(this, this.#guard()), written: undefined };
    return this;
  }

  /** Whether `resource` is this scope, shared and executing, with the stores that it was captured with. */
  isPristineAs(resource: object): boolean {
    const guarded = this.#guarded;
    if (resource !== guarded?.proxy) return false;
    if (guarded.written === undefined) return true;
    for (const [key, before] of guarded.written)
      if ((this as unknown as Stores)[key] !== before) return false;
    return true;
  }

  /** Calls `fn` in this context. */
  enter<T, A extends unknown[], R>(fn: (this: T, ...args: A) => R, self: T, ...args: A): R {
    const guarded = this.#guarded;
    if (guarded === undefined) return this.runInAsyncScope(fn as never, self, ...args) as R;
    try {
      return this.runInAsyncScope.call(guarded.proxy, fn as never, self, ...args) as R;
    } finally {
      this.clean();
    }
  }

  /** Puts back what the last callback wrote. */
  clean(): void {
    if (this.#guarded?.written === undefined) return;
    const stores = this as unknown as Stores;
    for (const [key, before] of this.#guarded.written) {
      if (before === undefined) Reflect.deleteProperty(stores, key);
      else stores[key] = before;
    }
    this.#guarded.written = undefined;
  }

  #guard(): ProxyHandler<Scope> {
    return {
      set: (scope, key, value): boolean => {
        const stores = scope as unknown as Stores;
        const guarded = this.#guarded;
        if (guarded === undefined) return false;
        guarded.written ??= new Map();
        if (!guarded.written.has(key)) guarded.written.set(key, stores[key]);
        stores[key] = value;
        return true;
      },
    };
  }
}
