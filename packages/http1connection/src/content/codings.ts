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
 * The codings that a Content-Encoding field names, in the order they were applied, `identity` and empty members left
 * out; `undefined` when one is not among `known`, or there are more than two. Names are case-insensitive.
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
  const members = value.split(",", MAX_MEMBERS + 1);
  if (members.length > MAX_MEMBERS) return undefined;
  for (const member of members) {
    const name = trimBlanks(member).toLowerCase();
    // RFC 9110 §5.6.1.2 (1), (2): an empty member is none.
    if (name === "" || name === "identity") continue;
    const coding = name === "x-gzip" ? "gzip" : known.find((each) => each === name);
    if (coding === undefined || !known.includes(coding) || codings.length === MAX_CODINGS) return undefined;
    codings.push(coding);
  }
  return codings;
}

/** Members of a Content-Encoding field, with those that name nothing. */
const MAX_MEMBERS = 8;
