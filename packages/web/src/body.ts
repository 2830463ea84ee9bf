// Pieces of a body before they are sent.

import type { BodyChunk } from "@tw/httputil";
import { concatBytes, EMPTY_BYTES, utf8 } from "@tw/util";

/** Texts up to this length are looked at for ASCII, whose length in UTF-8 is known without encoding it. */
const SHORT_TEXT = 1024;

/** One piece out of many, copied. */
export function joinChunks(chunks: readonly BodyChunk[]): Uint8Array {
  return concatBytes(chunks.map(bytesOf));
}

/** A body with its length in bytes, RFC 9110 §8.6. */
export function sized(chunk: BodyChunk | undefined): { readonly body: BodyChunk; readonly length: number } {
  if (chunk === undefined) return NOTHING;
  if (typeof chunk === "string" && isShortAscii(chunk)) return { body: chunk, length: chunk.length };
  const body = bytesOf(chunk);
  return { body, length: body.length };
}

/** UTF-8 of text; bytes as they are. */
export function bytesOf(chunk: BodyChunk): Uint8Array {
  return typeof chunk === "string" ? utf8(chunk) : chunk;
}

const NOTHING = { body: EMPTY_BYTES, length: 0 };

function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
