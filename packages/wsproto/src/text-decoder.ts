// Payloads to text. Small ones are unmasked into one scratch array that all machines share, since nothing else runs
// between the unmasking and the decoding: a text message then costs its string and no array.

import { maskInto } from "./mask.js";

/** Payloads beyond this many bytes get an array of their own. */
const SCRATCH_SIZE = 16384;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
let scratch: Uint8Array | undefined;

/** Decodes UTF-8 with U+FEFF kept; `undefined` when it is not valid. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Decodes `view[start, end)` after unmasking, leaving the view as it is; `undefined` when it is not valid UTF-8. */
export function decodeMasked(view: Uint8Array, start: number, end: number, key: number): string | undefined {
  if (start === end) return "";
  if (key === 0) return decodeText(view.subarray(start, end));
  const length = end - start;
  scratch ??= new Uint8Array(SCRATCH_SIZE);
  const bytes = length <= SCRATCH_SIZE ? scratch.subarray(0, length) : new Uint8Array(length);
  maskInto(bytes, 0, view, start, end, key, 0);
  return decodeText(bytes);
}
