// Whether a body comes behind a head, RFC 9112 §6.3: known before the first byte of it.

import type { HTTPHeaders } from "@tw/httputil";

/**
 * Tells whether the head of a request announces a body of at least one byte, or one whose length is not known. Without
 * Content-Length and Transfer-Encoding a request has none.
 *
 * @example
 * announcesBody(new HTTPHeaders({ "Content-Length": "0" })); // false
 */
export function announcesBody(headers: HTTPHeaders): boolean {
  const length = headers.get("Content-Length") ?? "0";
  return (length !== "0" && !ZEROS.test(length)) || headers.has("Transfer-Encoding");
}

/** 1*DIGIT, RFC 9110 §8.6, or a list of them, which is one length where they are equal. */
const ZEROS = /^0+(?:[\t ]*,[\t ]*0+)*$/;
