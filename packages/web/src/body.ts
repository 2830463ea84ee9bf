// Pieces of a body before they are sent.

// The global one is a getter, which every answer would ask.
import { Buffer } from "node:buffer";
import { type BodyChunk, type HTTPHeaders, HTTPOutputError } from "@tw/httputil";
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

/**
 * RFC 9110 §8.6: Content-Length is the length of the body. Asked before the head is out, so that another answer can take
 * the place of one that is wrong. What is no number the connection refuses.
 *
 * @throws HTTPOutputError when a whole body has not the length that was promised
 */
export function requireLength(promised: string, length: number): void {
  const expected = Number(promised);
  if (length > expected) throw mismatch("ERR_TW_BODY_TOO_LONG", length, `more than the ${CL} of ${promised}`);
  if (length < expected)
    throw mismatch("ERR_TW_BODY_TOO_SHORT", length, `less than the ${CL} of ${promised}`);
}

/** As {@link requireLength}, for a body of which more may come. @throws HTTPOutputError when it is too long already */
export function requireRoom(headers: HTTPHeaders, piece: BodyChunk): void {
  const promised = headers.get(CL);
  if (promised === null) return;
  const { length } = sized(piece);
  if (length > Number(promised)) requireLength(promised, length);
}

const CL = "Content-Length";

function mismatch(code: string, length: number, what: string): HTTPOutputError {
  return new HTTPOutputError(`Wrote ${length} bytes, ${what}`, { code });
}

const NOTHING = { body: EMPTY_BYTES, length: 0 };
