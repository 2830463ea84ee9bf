// Writes that no callback of a transport will flush leave together, at the end of the microtask checkpoint: all
// streams of a thread that have something to send share one tick. While the poller calls one transport after the other,
// and runs ticks and promises in between, it is its turn behind them: a tick costs more.

import type { DeliveryTurns } from "@tw/poller";

/** A stream that waits for its turn to write. */
export interface Flushable {
  flushNow(): void;
}

/** Flushes `stream` after the continuations that run now. The caller sees to it that a stream waits once. */
export function flushLater(stream: Flushable): void {
  waiting[count++] = stream;
  if (count === 1 && !inDelivery) process.nextTick(flushAll);
}

/** What the poller calls. */
export const deliveryTurns: DeliveryTurns = {
  begin() {
    inDelivery = true;
  },
  settled() {
    if (count === 0) return false;
    flushAll();
    return true;
  },
  end() {
    inDelivery = false;
    if (count > 0) process.nextTick(flushAll);
  },
};

let inDelivery = false;
const waiting: (Flushable | undefined)[] = [];
let count = 0;
let served = 0;

function flushAll(): void {
  try {
    // A flush may queue more; it is served in the same pass.
    while (served < count) {
      const stream = waiting[served] as Flushable;
      waiting[served++] = undefined;
      stream.flushNow();
    }
  } finally {
    // What one stream throws must not silence all others of the thread.
    if (served < count) process.nextTick(flushAll);
    else {
      served = 0;
      count = 0;
    }
  }
}
