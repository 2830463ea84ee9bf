// Frames that are all of one size.

import type { Codec } from "./codec.js";
import { checkBytes, checkBytesOption, payloadOf } from "./payload.js";

/**
 * Messages of exactly `size` bytes, which is their limit too. 0 is for a body that is not there (see `headed`).
 *
 * @example
 * for await (const record of stream.frames(fixed(16))) console.log(record.length); // 16
 */
export function fixed(size: number): Codec<Uint8Array> {
  checkBytesOption("size", size, 0);
  return {
    maxFrameSize: Math.max(size, 1),
    measure: () => size,
    decode: payloadOf,
    encode(message) {
      checkBytes(message);
      if (message.length !== size)
        throw new RangeError(`A message of this codec has ${size} bytes, got ${message.length}`);
      return new Uint8Array(message); // not `slice`, which of a Buffer is a view
    },
  };
}
