// Which fields may stand in a trailer section, RFC 9110 §6.5.1. A field that says how to read a message, whom it is
// for, who sends it or what to do with it comes too late behind the body: whoever looked for it in the header section
// has acted without it, and whoever merges trailers into the headers would let a peer say it twice.

import { type HTTPHeaders, HTTPInputError, hopByHopFields } from "@tw/httputil";

/** Two readers that differ about these see two different messages: request smuggling. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "host"]);

const TOO_LATE: ReadonlySet<string> = new Set([
  // of the connection
  ...hopByHopFields.map((name) => name.toLowerCase()),
  // who sends it
  "authorization",
  "proxy-authorization",
  "proxy-authenticate",
  "www-authenticate",
  "cookie",
  "set-cookie",
  "forwarded",
  // what the request is to do
  "cache-control",
  "expect",
  "max-forwards",
  "pragma",
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  // what is to be done with the response
  "age",
  "date",
  "expires",
  "location",
  "retry-after",
  "vary",
  // what the body is
  "content-encoding",
  "content-range",
  "content-type",
]);

/** Tells whether a field of this name may not be sent as a trailer. */
export function isForbiddenTrailer(name: string): boolean {
  const lower = name.toLowerCase();
  return FRAMING.has(lower) || TOO_LATE.has(lower);
}

/**
 * The trailers that a reader hands on: without those that come too late.
 *
 * @throws HTTPInputError for one that frames or routes
 */
export function acceptTrailers(trailers: HTTPHeaders): HTTPHeaders | undefined {
  const fields = trailers.rawFields;
  const late: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const lower = (fields[i] as string).toLowerCase();
    if (FRAMING.has(lower)) throw new HTTPInputError(`Forbidden trailer field ${fields[i]}`);
    if (TOO_LATE.has(lower)) late.push(lower);
  }
  for (const name of new Set(late)) trailers.delete(name);
  return trailers.rawFields.length === 0 ? undefined : trailers;
}
