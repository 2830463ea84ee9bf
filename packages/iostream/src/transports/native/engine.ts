// What all native transports of one loop share: the loop, and with the other loops of the thread its poller and slabs.

import type { IOLoop } from "@tw/ioloop";
import type { Poller, ReadAhead } from "@tw/poller";
import { deliveryTurns } from "../../flush.js";
import { Leases } from "../leases.js";
import { READ_SIZE, SlabPool } from "../slab.js";

/** The native engine of one loop. */
export interface NativeEngine {
  readonly loop: IOLoop;
  readonly poller: Poller;
  /** One for each read that the poller does before it calls a transport; the first one also for all other reads. */
  readonly slabs: readonly [SlabPool, ...SlabPool[]];
  readonly leases: Leases;
  /** What the poller reads before it calls a transport; `undefined` where it does so for somebody else. */
  readonly ahead: ReadAhead | undefined;
}

/** The native engine of `loop`, or `undefined` where there is no poller. One per loop. */
export function nativeEngine(loop: IOLoop): NativeEngine | undefined {
  const known = engines.get(loop);
  if (known !== undefined) return known;
  const poller = loop.poller;
  if (poller === undefined) return undefined;
  const engine = { loop, poller, ...reading(poller) };
  engines.set(loop, engine);
  return engine;
}

type Reading = Pick<NativeEngine, "slabs" | "leases" | "ahead">;

/** How transports on this poller read. */
function reading(poller: Poller): Reading {
  const known = readings.get(poller);
  if (known !== undefined) return known;
  const ahead = poller.readAhead(READ_SIZE);
  if (ahead !== undefined) ahead.turns = deliveryTurns;
  const [first, ...others] = (ahead?.lanes ?? []).map((lane) => new SlabPool(lane));
  const made: Reading = { slabs: [first ?? new SlabPool(), ...others], leases: new Leases(), ahead };
  readings.set(poller, made);
  return made;
}

const readings = new WeakMap<Poller, Reading>();
const engines = new WeakMap<IOLoop, NativeEngine>();
