// The asynchronous context of something that calls user code again and again, such as a connection or a request.
//
// What an AsyncResource keeps apart are stores, and a process that uses no AsyncLocalStorage has none. There, entering
// one costs a third of what else a small request costs. So this one is made when a store can be live for the first time.
//
//   not made ──stores are possible, by somebody else──────► made, without a store: so was the moment it stands for
//       └──────stores are possible, by what ran in here───► made, with the stores that were entered in here

import { AsyncResource, executionAsyncResource } from "node:async_hooks";
import { outsideContexts } from "../context.js";
import { ownSymbols, storesPossible } from "./model.js";

/**
 * As Node's `AsyncResource`, for subclasses: remembers the context it is made in, and keeps what is entered in it from
 * everybody else. Costs next to nothing as long as no `AsyncLocalStorage` and no hook is in use in this thread. What
 * `enterWith` enters is there with the next call as well; from Node 24 on it ends with the call, as in any resource.
 *
 * @example
 * class Connection extends LazyAsyncResource {
 *   constructor() {
 *     super("MyConnection");
 *   }
 *   onLine(line: string): void {
 *     this.runInAsyncScope(this.handler, this, line); // in the context that the connection was made in
 *   }
 * }
 */
export class LazyAsyncResource {
  // Not private to the language: V8 reads a plain field of a subclass's instance faster.
  private resource: AsyncResource | undefined;
  private readonly kind: string;

  /** @param kind its type, for `async_hooks` */
  constructor(kind: string) {
    this.kind = kind;
    this.resource = storesPossible() ? make(kind) : undefined;
  }

  /** Calls `fn` in this context, with `self` as `this`, and returns what it returns. */
  runInAsyncScope<T, A extends unknown[], R>(fn: (this: T, ...args: A) => R, self?: T, ...args: A): R {
    if (this.resource === undefined && !storesPossible()) return this.runDirectly(fn, self as T, args);
    this.resource ??= outsideContexts(() => make(this.kind));
    return this.resource.runInAsyncScope(fn as (this: T | undefined, ...args: unknown[]) => R, self, ...args);
  }

  private runDirectly<T, A extends unknown[], R>(fn: (this: T, ...args: A) => R, self: T, args: A): R {
    try {
      // Spreading costs more than the rest of this.
      const plain = fn as (this: T, ...args: unknown[]) => R;
      switch (args.length) {
        case 0:
          return plain.call(self);
        case 1:
          return plain.call(self, args[0]);
        case 2:
          return plain.call(self, args[0], args[1]);
        case 3:
          return plain.call(self, args[0], args[1], args[2]);
        default:
          return fn.call(self, ...args);
      }
    } finally {
      if (storesPossible()) {
        const taken = takeOver(this.kind);
        this.resource ??= taken;
      }
    }
  }

  /** Stands for the present moment from the next call on, in place of that in which it was made. */
  protected adoptScope(): void {
    this.resource = make(this.kind);
  }
}

function make(kind: string): AsyncResource {
  return new AsyncResource(kind, { requireManualDestroy: true });
}

/** A resource with the stores that were entered just now, which are taken off whatever is executing. */
function takeOver(kind: string): AsyncResource {
  const taken = make(kind);
  const executing = executionAsyncResource();
  for (const key of Object.getOwnPropertySymbols(taken)) {
    if (!ownSymbols.has(key)) Reflect.deleteProperty(executing, key);
  }
  return taken;
}
