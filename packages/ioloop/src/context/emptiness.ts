// Tells again and again whether a resource of somebody else's is still without a store, for less than a new resource.

import { ownSymbols } from "./model.js";

type Keyed = Record<PropertyKey, unknown>;

/** Copying what a resource carries costs about 10 ns a key; beyond this an AsyncResource is as cheap. */
const MAX_KEYS = 12;

/**
 * Remembers the keys of a resource in an object that cannot get others: copying the resource onto it throws as soon as
 * a storage that was not in use then has put a store there, which no other public call tells as cheaply.
 */
export class Emptiness {
  readonly #resource: Keyed;
  /** Where stores are, or may be: a storage that is left for the moment (`exit`) does not show. */
  readonly #storages: readonly symbol[];
  readonly #mould: Keyed = {};

  private constructor(resource: Keyed) {
    this.#resource = resource;
    this.#storages = Object.getOwnPropertySymbols(resource).filter((key) => !ownSymbols.has(key));
    for (const key of Reflect.ownKeys(resource)) this.#mould[key] = undefined;
    Object.preventExtensions(this.#mould);
  }

  /** `undefined` where a store may be live, and where looking is not worth it or would call somebody's getter. */
  static of(resource: object): Emptiness | undefined {
    const keys = Reflect.ownKeys(resource);
    if (keys.length > MAX_KEYS || keys.includes("__proto__")) return undefined;
    for (const key of keys) {
      const property = Reflect.getOwnPropertyDescriptor(resource, key);
      if (property === undefined || !("value" in property)) return undefined;
    }
    const emptiness = new Emptiness(resource as Keyed);
    return emptiness.holds() ? emptiness : undefined;
  }

  /** Whether there still is no store. */
  holds(): boolean {
    const storages = this.#storages;
    for (let i = 0; i < storages.length; i++)
      if (this.#resource[storages[i] as symbol] !== undefined) return false;
    try {
      Object.assign(this.#mould, this.#resource);
      return true;
    } catch {
      return false;
    }
  }
}
