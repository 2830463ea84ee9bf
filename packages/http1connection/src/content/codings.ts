// Content codings, RFC 9110 §8.4: which of them can be undone here, and what a Content-Encoding field asks for.

import zlib from "node:zlib";
import { trimBlanks } from "@tw/httputil";

/** A coding by its registered name; `x-gzip` is `gzip`, RFC 9110 §8.4.1.3. */
export type ContentCoding = "gzip" | "deflate" | "br" | "zstd";

/** The codings that this Node can undo: gzip, deflate and br; zstd from Node 22.15 and 23.8 on. */
export const contentCodings: readonly ContentCoding[] =
  typeof (zlib as { createZstdDecompress?: unknown }).createZstdDecompress === "function"
    ? ["gzip", "deflate", "br", "zstd"]
    : ["gzip", "deflate", "br"];

/** Codings of one message. Each multiplies what the one before it made of a byte. */
const MAX_CODINGS = 2;

/**
 * The codings that a Content-Encoding field names, in the order they were applied, `identity` left out; `undefined`
 * when one is not among `known`, is empty, or there are more than two. Names are case-insensitive.
 *
 * @example
 * parseContentCodings("x-gzip, BR", contentCodings); // ["gzip", "br"]
 */
export function parseContentCodings(
  value: string,
  known: readonly ContentCoding[],
): ContentCoding[] | undefined {
  const codings: ContentCoding[] = [];
  // A field of 64 KiB of commas is not worth splitting.
  for (const part of value.split(",", MAX_NAMES + 1)) {
    const name = trimBlanks(part).toLowerCase();
    if (name === "identity") continue;
    const coding = name === "x-gzip" ? "gzip" : known.find((each) => each === name);
    if (coding === undefined || !known.includes(coding) || codings.length === MAX_CODINGS) return undefined;
    codings.push(coding);
  }
  return codings;
}

const MAX_NAMES = 8;
