// How long a body is, RFC 9112 §6. Two readers that disagree here make one message two: request smuggling. So there is
// one length or an error, and nothing is guessed (S-01, S-02).

import { type HTTPHeaders, HTTPInputError, sameName, trimBlanks } from "@tw/httputil";
import { quote } from "@tw/util";
import type { FieldFacts } from "./field-reader.js";

/** What the fields of a message say about its body. */
export interface Framing {
  /** Bytes; undefined without Content-Length. Above 2^53 it is inexact, and above every limit. */
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
}

/** A message without framing fields; one object for all. */
export const NO_FRAMING: Framing = Object.freeze({ contentLength: undefined, chunked: false });
const CHUNKED: Framing = Object.freeze({ contentLength: undefined, chunked: true });

/** Tells whether the answer ends HTTP on the connection, RFC 9110 §9.3.6. */
export function opensTunnel(method: string, code: number): boolean {
  return method === "CONNECT" && code >= 200 && code < 300;
}

/**
 * Reads Content-Length and Transfer-Encoding. Identical repetitions of Content-Length are collapsed in `headers`
 * into one field, RFC 9110 §8.6.
 *
 * @param minor minor version of the message: HTTP/1.0 has no Transfer-Encoding
 * @throws HTTPInputError 400
 */
export function readFraming(facts: FieldFacts, minor: number, headers: HTTPHeaders): Framing {
  if (facts.transferEncodingCount > 0) return transferEncoding(facts, minor);
  if (facts.contentLength === undefined) return NO_FRAMING;
  let value = facts.contentLength;
  if (facts.contentLengthCount > 1 || value.includes(",")) value = collapseContentLength(headers);
  // RFC 9110 §8.6 (5): a number beyond 2^53 is inexact, and above every limit.
  return { contentLength: parseContentLength(value), chunked: false };
}

function transferEncoding(facts: FieldFacts, minor: number): Framing {
  // RFC 9112 §6.1 (9): a message with both fields ought to be handled as an error.
  if (facts.contentLengthCount > 0) throw new HTTPInputError("Both Transfer-Encoding and Content-Length");
  // RFC 9112 §6.1 (10): a 1.0 message with Transfer-Encoding has faulty framing.
  if (minor === 0) throw new HTTPInputError("Transfer-Encoding in an HTTP/1.0 message");
  const value = facts.transferEncoding as string;
  // RFC 9112 §6.3 (3): chunked, and nothing else. An unknown coding might be a 501, RFC 9112 §6.1; S-02 has 400 for all.
  if (facts.transferEncodingCount > 1 || !sameName(value, "chunked")) {
    throw new HTTPInputError(`Unsupported Transfer-Encoding: ${quote(value)}`);
  }
  return CHUNKED;
}

/** Digits, and nothing else: `+5`, `0x5`, `1_0`, blanks and the empty text are what lenient readers accept. */
function parseContentLength(value: string): number {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    // RFC 9112 §6.3 (4), (5): an error that ends the connection.
    if (c < 0x30 || c > 0x39) throw badLength(value);
  }
  if (value.length === 0) throw badLength(value);
  return Number(value);
}

/** Repeated or listed values must be the same digits; one field with one value is kept. */
function collapseContentLength(headers: HTTPHeaders): string {
  let single: string | undefined;
  for (const value of headers.getList("Content-Length")) single = sameLength(value, single);
  headers.set("Content-Length", single as string);
  return single as string;
}

function sameLength(list: string, before: string | undefined): string {
  let single = before;
  for (const item of list.split(",")) {
    const value = trimBlanks(item);
    single ??= value;
    // RFC 9112 §6.3 (4): equal values are one.
    if (value !== single) throw badLength(list);
  }
  return single as string;
}

function badLength(value: string): HTTPInputError {
  return new HTTPInputError(`Malformed Content-Length: ${quote(value)}`);
}
