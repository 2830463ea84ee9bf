// What all native transports of one loop share: the loop, its poller and its slabs.

import type { IOLoop } from "@tw/ioloop";
import type { Poller } from "@tw/poller";
import { SlabPool } from "../slab.js";

/** The native engine of one loop. */
export interface NativeEngine {
  readonly loop: IOLoop;
  readonly poller: Poller;
  readonly slabs: SlabPool;
}

/** The native engine of `loop`, or `undefined` where there is no poller. One per loop. */
export function nativeEngine(loop: IOLoop): NativeEngine | undefined {
  const known = engines.get(loop);
  if (known !== undefined) return known;
  const poller = loop.poller;
  if (poller === undefined) return undefined;
  const engine = { loop, poller, slabs: new SlabPool() };
  engines.set(loop, engine);
  return engine;
}

const engines = new WeakMap<IOLoop, NativeEngine>();
