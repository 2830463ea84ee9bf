// How a server that accepts no more waits for its connections. Those that are arriving hear of nothing and may never say
// anything: they have a moment to come through the header of a proxy or a handshake, and are not waited for any longer.

import type { IOLoop } from "@tw/ioloop";
import { TwError } from "@tw/util";
import type { Connections } from "./connections.js";
import type { DrainResult } from "./server-options.js";

/** How long a connection may still be arriving. */
const ARRIVAL_GRACE_MS = 1000;

/** Resolves when no connection is left; what is there after `timeoutMs` is aborted, at once on a closed loop. */
export async function drainConnections(
  loop: IOLoop,
  connections: Connections,
  timeoutMs: number,
): Promise<DrainResult> {
  const before = connections.size;
  let isOver = false;
  let turnedAway = 0;
  let aborted = 0;

  const closeArriving = (): void => {
    if (isOver) return;
    turnedAway = connections.arriving;
    connections.closeArriving();
  };
  const abort = (when: string): void => {
    isOver = true;
    // Who was turned away just now may not be gone yet, and counts once.
    const leaving = turnedAway === 0 ? 0 : connections.arriving;
    aborted = connections.abortAll(new TwError("ERR_TW_DRAINING", `Still open ${when}`)) - leaving;
  };

  if (loop.closed) {
    abort("on a closed loop");
    await connections.whenEmpty();
  } else {
    const graceMs = Math.min(ARRIVAL_GRACE_MS, timeoutMs / 2);
    // After a blocked loop what a peer sent may wait in the kernel.
    const grace = loop.callLater(graceMs, () => loop.afterPoll(closeArriving));
    const timer = loop.callLater(timeoutMs, abort, `${timeoutMs} ms after drain()`);
    await connections.whenEmpty();
    isOver = true;
    loop.removeTimeout(grace);
    loop.removeTimeout(timer);
  }
  return { finished: before - turnedAway - aborted, aborted: turnedAway + aborted };
}
