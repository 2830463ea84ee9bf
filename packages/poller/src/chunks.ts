// Makes a list of chunks fit for the addon, which copies whole strings only and cannot see what is not latin1.

import { LONGEST_STRING } from "./native.js";

/** Bytes, or a string whose characters are bytes (latin1). */
export type Chunk = Uint8Array | string;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of latin1
const NOT_LATIN1 = /[^\x00-\xff]/;

/**
 * Throws for a string with a character above U+00FF. Cut down to its low byte, U+010D U+010A would become CR LF:
 * response splitting behind the back of whoever checked the text.
 *
 * @throws RangeError
 */
export function checkLatin1(text: string): void {
  const at = text.search(NOT_LATIN1);
  if (at === -1) return;
  const unit = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
  throw new RangeError(`Cannot write U+${unit} at index ${at}: a string chunk is latin1 bytes`);
}

/** Whether the list must go through {@link splitChunks} first; checks its strings in passing. */
export function needsSplit(chunks: readonly Chunk[], skip: number): boolean {
  let split = false;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i];
    if (typeof chunk !== "string") continue;
    checkLatin1(chunk);
    if (chunk.length > LONGEST_STRING || (i === 0 && skip > 0)) split = true;
  }
  return split;
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
