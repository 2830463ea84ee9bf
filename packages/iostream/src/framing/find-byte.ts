// Where a byte is: short distances in a loop, long ones by the engine's own search, which costs a call.

const NEAR = 32;

/** Index of `byte` in `bytes[start, end)`, or −1. */
export function findByte(bytes: Uint8Array, byte: number, start: number, end: number): number {
  const near = Math.min(start + NEAR, end);
  for (let at = start; at < near; at++) if (bytes[at] === byte) return at;
  if (near === end) return -1;
  const at = bytes.indexOf(byte, near);
  return at >= end ? -1 : at;
}
