// Makes a list of chunks fit for the addon, which copies whole strings only. That they are latin1 it sees itself.

import { LONGEST_STRING } from "./native.js";

/** Bytes, or a string whose characters are bytes (latin1). */
export type Chunk = Uint8Array | string;

/** Whether the list must go through {@link splitChunks} first. */
export function needsSplit(chunks: readonly Chunk[], skip: number): boolean {
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i];
    if (typeof chunk === "string" && (chunk.length > LONGEST_STRING || (i === 0 && skip > 0))) return true;
  }
  return false;
}

/**
 * The same bytes, without the first `skip`, in strings of bounded length.
 *
 * @throws TypeError, RangeError when `skip` is no number of bytes of the first chunk.
 */
export function splitChunks(chunks: readonly Chunk[], skip: number): Chunk[] {
  if (typeof skip !== "number") throw new TypeError("skip must be a number");
  const first = chunks[0]?.length ?? 0;
  if (!Number.isInteger(skip) || skip < 0 || skip > first) {
    throw new RangeError(`Cannot skip ${skip} bytes of a chunk of ${first}`);
  }
  const list: Chunk[] = [];
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i] as Chunk;
    const from = i === 0 ? skip : 0;
    if (typeof chunk !== "string") {
      list.push(from === 0 ? chunk : chunk.subarray(from)); // what is neither is for the addon to refuse
      continue;
    }
    for (let at = from; at < chunk.length; at += LONGEST_STRING)
      list.push(chunk.slice(at, at + LONGEST_STRING));
  }
  return list;
}
