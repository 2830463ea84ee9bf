// What all copies of this package in one thread have in common.

/** The value under `Symbol.for(key)` of this thread's globals, made where there is none. */
export function shared<T>(key: string, make: () => T): T {
  const symbol = Symbol.for(key);
  const home = globalThis as { [key: symbol]: T | undefined };
  const known = home[symbol];
  if (known !== undefined) return known;
  const made = make();
  Object.defineProperty(globalThis, symbol, { value: made });
  return made;
}
