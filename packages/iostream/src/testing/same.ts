// When two messages are the same: in all that they are made of, where bytes are bytes, Node's Buffers or not.

import { isDeepStrictEqual } from "node:util";

/** Whether `a` and `b` are the same message, or lists or records or objects of the same ones. */
export function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(withoutBuffers(a, new Map()), withoutBuffers(b, new Map()));
}

/** A copy in which plain arrays of bytes take the place of Buffers. */
function withoutBuffers(value: unknown, copies: Map<object, object>): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (typeof value !== "object" || value === null || !isRecord(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const copy: object = Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value));
  copies.set(value, copy);
  for (const key of Reflect.ownKeys(value))
    Reflect.set(copy, key, withoutBuffers(Reflect.get(value, key), copies));
  return copy;
}

/** What has its state in properties: a Map, a Date and their like have it elsewhere. */
function isRecord(value: object): boolean {
  return Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
}
