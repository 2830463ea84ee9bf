// When two messages are the same: in all that they are made of, where bytes are bytes, Node's Buffers or not.

import { isDeepStrictEqual } from "node:util";

/** Whether `a` and `b` are the same message, or lists or records of the same ones. */
export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(withoutBuffers(a), withoutBuffers(b));
}

function withoutBuffers(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(withoutBuffers);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, withoutBuffers(of)]));
}
