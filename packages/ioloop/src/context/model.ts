// Where this Node keeps the stores of AsyncLocalStorage, and what that lets a loop do without.
//
//   resources   Node 20 and 22: each store is a property, under a symbol of its storage, of the object that
//               executionAsyncResource() returns. New resources, promises among them, copy it when they are made.
//   frames      Node 24: stores are in an immutable frame that nobody can look at. An AsyncResource remembers it.
//
// In the first world it can be told whether any store can be live at all, and whether two moments share their stores,
// for less than an AsyncResource costs. In the second, one AsyncResource per callback is the only way that is sure.

import { AsyncResource } from "node:async_hooks";
import { invariant } from "@tw/util";

/** Whether contexts may be compared. When in doubt: no. */
export const storesOnResources: boolean = guessModel();

/** Symbols that Node itself puts on every AsyncResource. */
export const ownSymbols: ReadonlySet<symbol> = findOwnSymbols();

/** What a promise is marked with, where stores are on resources. */
const mark: symbol | undefined = storesOnResources ? findAsyncIdSymbol() : undefined;
const idle = (): void => undefined;

/**
 * Whether an AsyncLocalStorage may be in use. A promise is marked when it is made while there are hooks for it, which
 * a storage installs when it is first entered; while there are none, V8 optimises this promise away.
 */
export function storesPossible(): boolean {
  return (
    mark === undefined || (new Promise<void>(idle) as unknown as Record<symbol, unknown>)[mark] !== undefined
  );
}

function guessModel(): boolean {
  const major = Number.parseInt(process.versions.node, 10);
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
  return (
    major >= 20 && major < 24 && !flags.includes("async-context-frame") && !flags.includes("config-file")
  );
}

/** They differ between two resources made in the same context, as their identities do; a storage's do not. */
function findOwnSymbols(): Set<symbol> {
  const one = probe(1_000_000_007);
  const other = probe(1_000_000_009);
  return new Set(Object.getOwnPropertySymbols(one).filter((key) => one[key] !== other[key]));
}

function findAsyncIdSymbol(): symbol {
  const resource = probe(1_000_000_007);
  const id = (resource as unknown as AsyncResource).asyncId();
  const found = Object.getOwnPropertySymbols(resource).find((key) => resource[key] === id);
  invariant(found !== undefined, "an AsyncResource does not carry its identity");
  return found;
}

function probe(triggerAsyncId: number): Record<symbol, unknown> {
  return new AsyncResource("IOLoopProbe", { triggerAsyncId }) as never;
}
