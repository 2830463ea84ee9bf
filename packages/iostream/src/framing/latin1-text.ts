// Text of bytes that are each a character.

/** `bytes[start, end)` as latin1. A Buffer's method does it for any Uint8Array, without one being made. */
export function latin1Text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
