import type { IOLoop } from "@tw/ioloop";

/**
 * Calls `fn` in the next turn of `loop`. A closed loop has none: then behind what runs now, so that whoever waits for the
 * end of a stream learns of it all the same.
 */
export function inNextTurn(loop: IOLoop, fn: () => void): void {
  if (loop.closed) process.nextTick(fn);
  else loop.addCallback(fn);
}
