// Which loop is the one of this thread. Kept on `globalThis`, which every thread has its own of, under a registered
// symbol, because two copies of this package may meet in one process and must agree.

import type { IOLoop } from "./ioloop.js";

const KEY: unique symbol = Symbol.for("@tw/ioloop.current") as never;

interface Home {
  [KEY]?: IOLoop | undefined;
}

/** The loop of this thread, made by `make` where there is none, or only a closed one. */
export function currentLoop(make: () => IOLoop): IOLoop {
  const home = globalThis as Home;
  const known = home[KEY];
  if (known !== undefined && !known.closed) return known;
  const made = make();
  keep(made);
  return made;
}

/**
 * Puts another loop in this thread's place, and returns the function that puts the former one back. For tests.
 *
 * @throws TypeError on what is no loop
 */
export function installLoop(loop: IOLoop): () => void {
  // By what it can do: one of another copy of this package is one, too.
  if (typeof (loop as IOLoop | null | undefined)?.addCallback !== "function") {
    throw new TypeError(`installLoop() takes an IOLoop, got ${loop === null ? "null" : typeof loop}`);
  }
  const former = (globalThis as Home)[KEY];
  keep(loop);
  return () => keep(former);
}

function keep(loop: IOLoop | undefined): void {
  Object.defineProperty(globalThis, KEY, {
    value: loop,
    configurable: true,
    writable: true,
    enumerable: false,
  });
}
