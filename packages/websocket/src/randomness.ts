// Randomness and SHA-1 from node:crypto: what the pure protocol package takes as parameters.

import { createHash, randomBytes, randomFillSync } from "node:crypto";

/** Keys are drawn from the system this many at a time: a call for each would cost more than the masking. */
const POOL = 1024;
let pool: Int32Array | undefined;
let used = POOL;

/** A fresh masking key. RFC 6455 §5.3: unpredictable, so that no script can choose what goes over the wire. */
export function maskingKey(): number {
  pool ??= new Int32Array(POOL);
  if (used === POOL) {
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++] as number;
}

/** The 16 bytes of a handshake's key. */
export function nonce(): Uint8Array {
  return randomBytes(16);
}

/** SHA-1, which the handshake uses as a checksum, not for security. */
export function sha1(data: Uint8Array): Uint8Array {
  return createHash("sha1").update(data).digest();
}
