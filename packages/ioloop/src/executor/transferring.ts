// Results that move instead of being copied.

import type { Transferable } from "node:worker_threads";

const KEY: unique symbol = Symbol.for("@tw/ioloop.transferring") as never;

/** A result together with what of it moves. See {@link transferring}. */
export interface Transferring<T> {
  readonly [KEY]: true;
  readonly value: T;
  readonly transfer: readonly Transferable[];
}

/**
 * Marks a task's result: `value` is what the caller gets, and `transfer` moves to its thread instead of being copied.
 * For tasks only; to anybody else it is an object with these two.
 *
 * @example
 * export function render(width: number) {
 *   const pixels = new Uint8Array(width);
 *   return transferring(pixels, [pixels.buffer]);
 * }
 */
export function transferring<T>(value: T, transfer: readonly Transferable[]): Transferring<T> {
  if (!Array.isArray(transfer)) throw new TypeError("What is transferred must be an array");
  return { [KEY]: true, value, transfer };
}
