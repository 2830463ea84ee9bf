// One test in virtual time on a simulated network: everything made, installed, watched, and put back.

import { IOLoop } from "@tw/ioloop";
import { installLoop, VirtualHost, type VirtualHostOptions } from "@tw/ioloop/testing";
import { useNetwork } from "@tw/tcp";
import { checkOptions, type Logger } from "@tw/util";
import { checkGuardOptions, type LeakGuard, type LeakGuardOptions, watchLeaks } from "./leaks/guard.js";
import { SimulatedNetwork, type SimulatedNetworkOptions } from "./network/network.js";

/** Options of {@link simulate}. */
export interface SimulateOptions extends Omit<SimulatedNetworkOptions, "clock">, VirtualHostOptions {
  /** The logger of the loop. @default `tw.application` on stderr */
  readonly logger?: Logger;
  /** What counts as a leak; `graceMs` is virtual time. False: nothing does. @default all, 1000 ms */
  readonly leaks?: LeakGuardOptions | false;
}

/** What a simulated test works with. */
export interface Simulation {
  /** The loop of this thread meanwhile. */
  readonly loop: IOLoop;
  /** Its clock. */
  readonly clock: VirtualHost;
  /** The network that all servers and clients on that loop use. */
  readonly network: SimulatedNetwork;
}

const GRACE_MS = 1000;
/** In how many steps it passes: after each it may be over. */
const STEPS = 100;

/**
 * Runs `fn` in virtual time, with a loop that is `IOLoop.current()` and a {@link SimulatedNetwork} behind it, and
 * resolves with what it returned. One at a time in a thread.
 *
 * @throws VirtualIdleError `ERR_TW_VIRTUAL_IDLE` when nothing is left to wait for; it names what is still there
 * @throws LeakError `ERR_TW_LEAK` when handlers, timers or streams survive
 * @example
 * await simulate(async ({ network }) => {
 *   await using server = new TCPServer((stream) => stream.write("hello\n").then(() => stream.close()));
 *   await server.listen(7);
 *   const stream = await new TCPClient().connect("localhost", 7);
 *   await stream.readUntilClose();
 * }, { seed: 3, latencyMs: [1, 80], pieces: "bytes" });
 */
export async function simulate<T>(
  fn: (simulation: Simulation) => T | PromiseLike<T>,
  options: SimulateOptions = {},
): Promise<T> {
  if (typeof fn !== "function") throw new TypeError("simulate() takes a function");
  checkOptions("options", options, { number: "seed" });
  const { logger, leaks = {}, now, wall, ...wires } = options;
  if (leaks !== false) checkGuardOptions(leaks, "leaks");
  const clock = new VirtualHost({ ...(now !== undefined && { now }), ...(wall !== undefined && { wall }) });
  const loop = new IOLoop({ host: clock, ...(logger !== undefined && { logger }) });
  const network = new SimulatedNetwork(loop, { ...wires, clock });
  useNetwork(loop, network);
  const restore = installLoop(loop);
  // The guard also tells what hangs, so it listens even where nothing counts as a leak.
  const guard = watchLeaks(leaks === false ? {} : leaks);
  try {
    const result = await clock.run(() => fn({ loop, clock, network }));
    if (leaks !== false) await settle(guard, clock, leaks.graceMs ?? GRACE_MS);
    return result;
  } finally {
    guard.stop();
    restore();
  }
}

async function settle(guard: LeakGuard, clock: VirtualHost, graceMs: number): Promise<void> {
  for (let i = 0; i < STEPS && guard.leaks().length > 0; i++) await clock.advance(graceMs / STEPS);
  guard.check();
}
