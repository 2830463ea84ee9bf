// Timers that a layer keeps for what is open in it.

/** The same in all copies of this package. */
const HOUSEKEEPING = Symbol.for("tw.ioloop.housekeeping");

/**
 * Marks the callback of a timer as a layer's own, and returns it: who reports what a test left behind names the stream or
 * the server that it serves, and not the timer.
 */
export function housekeeping<F extends () => void>(callback: F): F {
  return Object.defineProperty(callback, HOUSEKEEPING, { value: true });
}

/** Whether a callback is marked so. */
export function isHousekeeping(callback: () => void): boolean {
  return HOUSEKEEPING in callback;
}
