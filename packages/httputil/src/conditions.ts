// Conditional requests, RFC 9110 §13: "only if it has changed", "only if nobody changed it meanwhile", "the range, if it
// is still of the same version".

import { quote } from "@tw/util";
import { type EntityTag, parseETag, parseETagList, sameStrongly, sameWeakly } from "./etag.js";
import type { HTTPHeaders } from "./headers.js";
import { parseHTTPDate } from "./http-date.js";

/** What a server knows of the version that it would answer with. */
export interface Validators {
  /** As it goes into the Etag field, quotes included. */
  readonly etag?: string | undefined;
  /** Milliseconds since the epoch; what is below a second does not count. */
  readonly lastModified?: number | undefined;
}

/** What {@link evaluatePreconditions} judges. */
export interface ConditionalRequest extends Validators {
  readonly method: string;
  readonly headers: Pick<HTTPHeaders, "get">;
  /** Whether the resource has a representation: false where PUT would create it. @default true */
  readonly exists?: boolean;
  /** The present, in milliseconds since the epoch, for dates whose year has two digits. */
  readonly now?: number;
}

/**
 * Says whether to go on, or to answer 304 (what the client has is good) or 412 (what the client expects is gone), in the
 * order of RFC 9110 §13.2.2.
 *
 * Ask after everything else that could refuse the request: a precondition counts only where the answer would be 2xx.
 * An If-None-Match that cannot be read matches nothing, an If-Match neither, a date that cannot be read is ignored.
 * If-Range is {@link ifRangeMatches}.
 *
 * @throws TypeError for an `etag` that is none: no client could match it
 * @example
 * const headers = new HTTPHeaders({ "If-None-Match": '"a", "b"' });
 * evaluatePreconditions({ method: "GET", headers, etag: '"b"' }); // 304
 */
export function evaluatePreconditions(request: ConditionalRequest): "proceed" | 304 | 412 {
  const { method, headers, exists = true, now } = request;
  const etag = ownTag(request.etag);
  const modified = seconds(request.lastModified);
  // RFC 9110 §13.2.1 (4): methods that select no representation have no preconditions.
  if (method === "CONNECT" || method === "OPTIONS" || method === "TRACE") return "proceed";
  const reads = method === "GET" || method === "HEAD";
  // RFC 9110 §13.1.3 (2), (4), RFC 9110 §13.1.4 (2), (4): what is no date is undefined; a date is one of ours.
  const since = (name: string) => seconds(parseHTTPDate(headers.get(name) ?? "", now));

  const ifMatch = headers.get("If-Match");
  if (ifMatch !== null) {
    // RFC 9110 §13.1.1 (1), (3): somebody changed it meanwhile.
    if (!matches(ifMatch, etag, exists, sameStrongly)) return 412;
  } else if (modified !== undefined) {
    // RFC 9110 §13.1.4 (1), (3): only here, beside no If-Match and with a date of ours.
    const unmodifiedSince = since("If-Unmodified-Since");
    // RFC 9110 §13.1.4 (6): the same, by the clock.
    if (unmodifiedSince !== undefined && modified > unmodifiedSince) return 412;
  }

  // RFC 9110 §13.2.2 (1): behind If-Match and If-Unmodified-Since.
  const ifNoneMatch = headers.get("If-None-Match");
  if (ifNoneMatch !== null) {
    // RFC 9110 §13.1.2 (1), (3): what the client has is good.
    if (matches(ifNoneMatch, etag, exists, sameWeakly)) return reads ? 304 : 412;
  } else if (reads && modified !== undefined) {
    // RFC 9110 §13.1.3 (1), (2), (3): only here, for GET and HEAD, beside no If-None-Match and with a date of ours.
    const modifiedSince = since("If-Modified-Since");
    if (modifiedSince !== undefined && modified <= modifiedSince) return 304;
  }
  return "proceed";
}

/**
 * Says whether a Range may be honoured under an If-Range field, RFC 9110 §13.1.5: its tag is strongly the same, or its
 * date is exactly the last modification. Otherwise the answer has the whole, because the range would be of a version
 * that the client does not have. Without the field (`null`) the range is honoured.
 *
 * @param now the present: a modification less than a second ago makes a date no strong validator, RFC 9110 §8.8.2.2,
 * because there could be another within the same second
 * @throws TypeError for an `etag` that is none
 * @example
 * ifRangeMatches('"a"', { etag: '"b"' }); // false: send the whole
 */
export function ifRangeMatches(value: string | null, validators: Validators, now?: number): boolean {
  const etag = ownTag(validators.etag);
  if (value === null) return true;
  const tag = parseETag(value);
  // RFC 9110 §13.1.5 (7): where it is false, the range is not asked for.
  if (tag !== undefined) return etag !== undefined && sameStrongly(tag, etag);
  const date = seconds(parseHTTPDate(value, now));
  const modified = seconds(validators.lastModified);
  if (date === undefined || date !== modified) return false;
  return now === undefined || now >= modified + 1000;
}

function matches(
  list: string,
  etag: EntityTag | undefined,
  exists: boolean,
  same: (a: EntityTag, b: EntityTag) => boolean,
): boolean {
  const tags = parseETagList(list);
  if (tags === "*") return exists;
  return exists && etag !== undefined && (tags?.some((tag) => same(tag, etag)) ?? false);
}

function ownTag(etag: string | undefined): EntityTag | undefined {
  if (etag === undefined) return undefined;
  const tag = typeof etag === "string" ? parseETag(etag) : undefined;
  if (tag === undefined) throw new TypeError(`Not an entity tag, quotes included: ${quote(etag)}`);
  return tag;
}

/** Dates of HTTP have no fractions, RFC 9110 §8.8.2. */
function seconds(time: number | undefined): number | undefined {
  return time === undefined ? undefined : Math.floor(time / 1000) * 1000;
}
