// The sizes of streams are checked where they are given, not when the first connection comes.

import type { StreamOptions } from "@tw/iostream";

/** Throws unless the sizes in `options` can be such, or are left out. */
export function checkStreamOptions(options: StreamOptions): void {
  checkSize("maxBufferSize", options.maxBufferSize);
  checkSize("maxWriteBufferSize", options.maxWriteBufferSize);
}

function checkSize(name: string, value: unknown): void {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  throw new RangeError(`${name} must be an integer of at least 0, got ${String(value)}`);
}
