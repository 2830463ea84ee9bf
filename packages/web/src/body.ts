// Pieces of a body before they are sent.

// The global one is a getter, which every answer would ask.
import { Buffer } from "node:buffer";
import type { BodyChunk } from "@tw/httputil";
import { concatBytes, EMPTY_BYTES, utf8 } from "@tw/util";

/** Texts up to this length are measured and handed on; longer ones are encoded here, which takes one look instead of two. */
const SHORT_TEXT = 4096;

/** One piece out of many, copied. */
export function joinChunks(chunks: readonly BodyChunk[]): Uint8Array {
  return concatBytes(chunks.map(bytesOf));
}

/** A body with its length in bytes, RFC 9110 §8.6. */
export function sized(chunk: BodyChunk | undefined): { readonly body: BodyChunk; readonly length: number } {
  if (chunk === undefined) return NOTHING;
  if (typeof chunk === "string" && chunk.length <= SHORT_TEXT) {
    return { body: chunk, length: Buffer.byteLength(chunk) };
  }
  const body = bytesOf(chunk);
  return { body, length: body.length };
}

/** UTF-8 of text; bytes as they are. */
export function bytesOf(chunk: BodyChunk): Uint8Array {
  return typeof chunk === "string" ? utf8(chunk) : chunk;
}

const NOTHING = { body: EMPTY_BYTES, length: 0 };
