// Start lines, RFC 9112 §3 and §4, and the events made of whole heads. The text is latin1: bytes from 0x80 on are the
// characters of the same number.

import { HTTPHeaders, HTTPInputError, isHost } from "@tw/httputil";
import { quote } from "@tw/util";
import type { InformationEvent, RequestEvent, ResponseEvent } from "./events.js";
import { type FieldFacts, facts, isRemembered, readFields, rememberHost } from "./field-reader.js";
import { NO_FRAMING, opensTunnel, readFraming } from "./framing.js";
import { lines } from "./section-lines.js";
import { isTarget } from "./target.js";

/** A request and whether the client wants to keep the connection. */
export interface RequestHead {
  readonly event: RequestEvent;
  readonly persistent: boolean;
}

/** A response, informational or final, and whether the server keeps the connection. */
export interface ResponseHead {
  readonly event: ResponseEvent | InformationEvent;
  readonly persistent: boolean;
}

/**
 * Reads the head that was scanned last.
 *
 * @param buf the bytes; the head begins at `at`
 * @param text the head, decoded as latin1
 * @throws HTTPInputError 400
 */
export function readRequestHead(buf: Uint8Array, at: number, text: string): RequestHead {
  const end = lines.ends[0] as number;
  const methodEnd = lines.tokenEnds[0] as number;
  // `METHOD SP target SP HTTP/1.x`, one blank each, RFC 9112 §3: the second one stands 9 bytes before the end.
  const targetEnd = end - 9;
  const minor = minorVersion(buf, at + targetEnd + 1);
  if (methodEnd === 0 || methodEnd + 1 >= targetEnd || minor === -1) throw badStart("request", text, end);
  if (buf[at + methodEnd] !== 0x20 || buf[at + targetEnd] !== 0x20) throw badStart("request", text, end);
  // Controls but HTAB were refused by the scan, so that what is not above SP is a blank. A fragment is never sent: two
  // readers that cut it off in two places route one request to two resources.
  for (let i = at + methodEnd + 1; i < at + targetEnd; i++) {
    const c = buf[i] as number;
    if (c <= 0x23 && (c <= 0x20 || c === 0x23)) throw badStart("request", text, end);
  }
  const method = methodOf(buf, at, text, methodEnd);
  const target = text.substring(methodEnd + 1, targetEnd);

  const headers = HTTPHeaders.fromSection(text, readFields(buf, at, text, 1));
  checkHost(facts, minor);
  if (!isTarget(method, target)) {
    throw new HTTPInputError(`Malformed target for ${method}: ${quote(target)}`);
  }
  const { contentLength, chunked } = readFraming(facts, minor, headers);
  const event: RequestEvent = {
    type: "request",
    method,
    target,
    version: versionOf(minor),
    headers,
    contentLength,
    chunked,
    // RFC 9110 §10.1.1 (3): the expectation of an HTTP/1.0 client is ignored; without a body there is nothing to wait for.
    expectContinue:
      facts.expectContinue && minor >= 1 && (chunked || (contentLength !== undefined && contentLength > 0)),
    expectsOther: facts.expectsOther && minor >= 1,
    // RFC 9110 §7.8 (6): not in HTTP/1.0.
    upgrade: facts.upgradeListed && minor >= 1 ? facts.upgrade : undefined,
  };
  return { event, persistent: isPersistent(facts, minor) };
}

/**
 * Checks the first bytes of a response, as many as there are, before anything looks for the end of its head: a peer that
 * speaks something else may never send one, and its client would wait until its time is over. What it says is the same
 * however the bytes were cut: up to the first that is wrong, they are there whenever it is.
 *
 * @throws HTTPInputError 400 at the first of `buf[at, end)` with which no status line of HTTP/1.x begins
 */
export function checkResponseStart(buf: Uint8Array, at: number, end: number): void {
  const length = Math.min(end - at, RESPONSE_START.length);
  for (let i = 0; i < length; i++) {
    // RFC 9112 §2.3: case-sensitive. RFC 9112 §2.2: the empty line that a server ignores is none of a response.
    if (buf[at + i] !== RESPONSE_START.charCodeAt(i)) throw badResponseStart(buf, at, at + i + 1);
  }
}

const RESPONSE_START = "HTTP/1.";

function badResponseStart(buf: Uint8Array, at: number, end: number): HTTPInputError {
  const start = quote(String.fromCharCode(...buf.subarray(at, end)));
  return new HTTPInputError(`Malformed status line: it begins with ${start}, not "${RESPONSE_START}"`);
}

/**
 * Reads the head that was scanned last; parameters as in {@link readRequestHead}.
 *
 * @param method of the request that is answered
 * @throws HTTPInputError for a malformed head, and for a response that cannot have the body it announces
 */
export function readResponseHead(buf: Uint8Array, at: number, text: string, method: string): ResponseHead {
  const end = lines.ends[0] as number;
  const minor = minorVersion(buf, at);
  const code = buf[at + 8] === 0x20 ? statusCode(buf, at + 9) : -1;
  // RFC 9112 §4: the blank after the code is there even when the reason is not.
  if (minor === -1 || code === -1 || end < 13 || buf[at + 12] !== 0x20) throw badStart("status", text, end);
  const reason = text.substring(13, end);
  const headers = HTTPHeaders.fromSection(text, readFields(buf, at, text, 1));
  const version = versionOf(minor);
  const persistent = isPersistent(facts, minor);
  // RFC 9112 §6.3 (1), RFC 9110 §9.3.6 (5): what opens a tunnel has no body, whatever its fields say.
  const framing = opensTunnel(method, code) ? NO_FRAMING : readFraming(facts, minor, headers);
  // RFC 9112 §6.1, RFC 9110 §8.6: neither field in a 1xx or a 204; a reader that believed them would lose step.
  if ((code < 200 || code === 204) && (framing.chunked || (framing.contentLength ?? 0) > 0)) {
    throw new HTTPInputError(`Response ${code} announces a body`);
  }
  if (code < 200 && code !== 101) {
    return { event: { type: "information", version, code, reason, headers }, persistent };
  }
  const { contentLength, chunked } = code === 101 ? NO_FRAMING : framing;
  const upgrade = code === 101 ? facts.upgrade : undefined;
  return {
    event: { type: "response", version, code, reason, headers, contentLength, chunked, upgrade },
    persistent,
  };
}

/** The most usual method as a constant, so that comparing it later is comparing pointers. */
function methodOf(buf: Uint8Array, at: number, text: string, end: number): string {
  if (end === 3 && buf[at] === 0x47 && buf[at + 1] === 0x45 && buf[at + 2] === 0x54) return "GET";
  return text.substring(0, end);
}

/** Minor version of `HTTP/1.x` at `i`, or −1. Case-sensitive, one digit each, RFC 9112 §2.3. */
function minorVersion(buf: Uint8Array, i: number): number {
  // "HTTP" and "/1." one by one: a loop over them costs as much as reading a field.
  if (buf[i] !== 0x48 || buf[i + 1] !== 0x54 || buf[i + 2] !== 0x54 || buf[i + 3] !== 0x50) return -1;
  if (buf[i + 4] !== 0x2f || buf[i + 5] !== 0x31 || buf[i + 6] !== 0x2e) return -1;
  const minor = (buf[i + 7] as number) - 0x30;
  return minor >= 0 && minor <= 9 ? minor : -1;
}

function versionOf(minor: number): string {
  return minor === 1 ? "HTTP/1.1" : minor === 0 ? "HTTP/1.0" : `HTTP/1.${minor}`;
}

function statusCode(buf: Uint8Array, at: number): number {
  let code = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = (buf[i] as number) - 0x30;
    // Written so that NaN, past the end of the bytes, fails too.
    if (!(digit >= 0 && digit <= 9)) return -1;
    code = code * 10 + digit;
  }
  return code >= 100 ? code : -1;
}

/** RFC 9112 §9.3. A minor version we do not know is not trusted to keep the connection, as in Tornado. */
function isPersistent(facts: FieldFacts, minor: number): boolean {
  if (facts.close) return false;
  return minor === 1 || (minor === 0 && facts.keepAlive);
}

/** Whether there is a Host, one, and one that two readers read alike. */
function checkHost(facts: FieldFacts, minor: number): void {
  // RFC 9112 §3.2 (4): none, two or a bad one is answered with 400 (S-04).
  if (facts.hostCount > 1) throw new HTTPInputError("More than one Host");
  if (facts.host === undefined) {
    if (minor > 0) throw new HTTPInputError("No Host");
  } else if (!isRemembered(facts.host)) {
    if (!isHost(facts.host)) {
      throw new HTTPInputError(`Malformed Host: ${quote(facts.host)}`);
    }
    rememberHost(facts.host);
  }
}

function badStart(kind: "request" | "status", text: string, end: number): HTTPInputError {
  return new HTTPInputError(`Malformed ${kind} line: ${quote(text.slice(0, end))}`);
}
