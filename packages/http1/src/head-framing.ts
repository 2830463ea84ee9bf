// Heads to write, with how their bodies are framed, RFC 9112 §6, and whether the connection outlives them, §9.

import {
  type HTTPHeaders,
  HTTPOutputError,
  isFieldText,
  isHost,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { CHUNKED_WRITER, LengthWriter, NO_BODY_WRITER, UNTIL_CLOSE_WRITER } from "./body-writers.js";
import { listHas } from "./grammar.js";
import { type FieldText, fieldsOf, requestLine, statusLine, writeFields } from "./head-writer.js";
import { knownHead, noteHead, type OutgoingHead, type ResponseParts } from "./known-heads.js";

/** What `HTTP1Machine.writeHead` is told besides the head. */
export interface WriteHeadOptions {
  /** Value for Date, already formatted; added unless the headers have one. */
  readonly date?: string;
  /** Ends the connection after this cycle, and says so. @default false */
  readonly close?: boolean;
  /** Bytes of the body where they are known; becomes Content-Length unless the headers have one. */
  readonly contentLength?: number;
}

/**
 * The head of a final response to `method`.
 *
 * @param peerIs11 the client understands chunks and expects to keep the connection
 * @param mayPersist nothing so far says that the connection ends
 */
export function responseHead(
  start: ResponseStartLine,
  headers: HTTPHeaders,
  options: WriteHeadOptions,
  method: string,
  peerIs11: boolean,
  mayPersist: boolean,
): OutgoingHead {
  const fields = fieldsOf(headers);
  const parts: ResponseParts = {
    code: start.code,
    reason: start.reason,
    date: options.date,
    contentLength: options.contentLength,
    headOnly: method === "HEAD",
    // What comes behind a CONNECT that is refused may be meant for the tunnel, and not for us.
    close: options.close === true || !mayPersist || method === "CONNECT",
    peerIs11,
  };
  const known = knownHead(parts, fields);
  if (known !== undefined) return known;
  const head = composeResponse(parts, headers);
  noteHead(parts, fields, head);
  return head;
}

function composeResponse(parts: ResponseParts, headers: HTTPHeaders): OutgoingHead {
  const { code, peerIs11 } = parts;
  const line = statusLine(code, parts.reason);
  if (code < 200) throw new RangeError(`Status ${code} is for writeInformation`);
  // RFC 9112 §6.1 (5), RFC 9110 §8.6 (3): no framing in a 204. RFC 9110 §15.3.6 (1): the length of a 205 is 0.
  const fields = writeFields(headers, code === 204 || code === 205);
  // RFC 9110 §9.3.2 (1): what is written to these is dropped.
  const bodiless = parts.headOnly || code === 204 || code === 205 || code === 304;
  const length = lengthFor(fields, parts.contentLength, bodiless);
  let text = line + fields.text + dateLine(fields, parts.date);
  let writer = NO_BODY_WRITER;
  let close = fields.close || parts.close;
  if (bodiless) {
    // RFC 9110 §8.6 (1), (2): HEAD is told the length that GET would have; a 304 is not told one that is not known.
    if (code === 205) text += "Content-Length: 0\r\n";
    else if (code !== 204 && code !== 304) text += lengthLine(fields, length);
  } else if (length !== -1) {
    writer = new LengthWriter(length);
    text += lengthLine(fields, length);
  } else if (peerIs11) {
    // RFC 9112 §6.1 (8): chunks go to who asked in HTTP/1.1.
    writer = CHUNKED_WRITER;
    text += "Transfer-Encoding: chunked\r\n";
  } else {
    writer = UNTIL_CLOSE_WRITER;
    close = true;
  }
  // RFC 9112 §9.6: a server that closes says so; a client of HTTP/1.0 expects nothing else.
  if (close && peerIs11) text += "Connection: close\r\n";
  else if (!close && !peerIs11) text += "Connection: Keep-Alive\r\n";
  return { text: `${text}\r\n`, bytes: undefined, writer, persistent: !close };
}

/** The head of a 101, or of a 2xx to CONNECT: it has neither body nor Content-Length, and HTTP ends with it. */
export function switchHead(
  start: ResponseStartLine,
  headers: HTTPHeaders,
  options: WriteHeadOptions,
): OutgoingHead {
  const line = statusLine(start.code, start.reason);
  // RFC 9112 §6.1 (6), RFC 9110 §8.6 (4), RFC 9110 §9.3.6 (4): no framing where HTTP ends.
  const fields = writeFields(headers, true);
  const text = `${line}${fields.text}${dateLine(fields, options.date)}\r\n`;
  return { text, bytes: undefined, writer: NO_BODY_WRITER, persistent: false };
}

/**
 * The head of a request.
 *
 * @param peerIs11 as far as it is known, the server understands chunks
 */
export function requestHead(
  start: RequestStartLine,
  headers: HTTPHeaders,
  options: WriteHeadOptions,
  peerIs11: boolean,
): OutgoingHead {
  const { method, path } = start;
  const line = requestLine(method, path);
  const fields = writeFields(headers, false);
  // RFC 9112 §3.2 (1), RFC 9112 §3.2.2 (2), RFC 9110 §7.2 (1): Host goes out with every request.
  if (fields.host === undefined) throw new HTTPOutputError("A request needs Host");
  if (!isHost(fields.host)) throw new HTTPOutputError(`Malformed Host: ${JSON.stringify(fields.host)}`);
  const length = lengthFor(fields, options.contentLength, false);
  let text = line + fields.text + dateLine(fields, options.date);
  let writer = NO_BODY_WRITER;
  if (length !== -1) {
    writer = new LengthWriter(length);
    text += lengthLine(fields, length);
    // RFC 9112 §6.3 (9): a body has a length or chunks.
  } else if (fields.chunked || !BODILESS_METHODS.has(method)) {
    // RFC 9112 §6.1 (7), RFC 9112 §6.3 (10): not to a server that has shown that it is older.
    if (!peerIs11) throw new HTTPOutputError("This server speaks HTTP/1.0: a body needs Content-Length");
    writer = CHUNKED_WRITER;
    text += "Transfer-Encoding: chunked\r\n";
  }
  checkContent(method, headers, length > 0 || writer === CHUNKED_WRITER);
  const close = fields.close || options.close === true;
  if (close) text += "Connection: close\r\n";
  return { text: `${text}\r\n`, bytes: undefined, writer, persistent: !close };
}

/** What a request may not say with content, and what not without it. */
function checkContent(method: string, headers: HTTPHeaders, hasContent: boolean): void {
  if (!hasContent) {
    const expectation = headers.get("Expect");
    // RFC 9110 §10.1.1 (1): without content there is nothing that a 100 could allow.
    if (expectation !== null && listHas(expectation, "100-continue"))
      throw new HTTPOutputError("Expect: 100-continue without a body");
    return;
  }
  // RFC 9110 §9.3.8 (2): there is no content in a TRACE.
  if (method === "TRACE") throw new HTTPOutputError("TRACE has no body");
  // RFC 9110 §9.3.7 (2): content of an OPTIONS request says what it is.
  if (method === "OPTIONS" && !headers.has("Content-Type"))
    throw new HTTPOutputError("A body of OPTIONS needs Content-Type");
}

/** Bytes of the body that headers or options give, or −1. */
function lengthFor(fields: FieldText, given: number | undefined, bodiless: boolean): number {
  if (given === undefined || fields.chunked) return fields.contentLength;
  if (fields.contentLength === -1) return given;
  if (fields.contentLength !== given && !bodiless) {
    throw new HTTPOutputError(`Content-Length is ${fields.contentLength}, but the body has ${given} bytes`, {
      code: given > fields.contentLength ? "ERR_TW_BODY_TOO_LONG" : "ERR_TW_BODY_TOO_SHORT",
    });
  }
  return fields.contentLength;
}

function lengthLine(fields: FieldText, length: number): string {
  return length === -1 || fields.contentLength !== -1 ? "" : `Content-Length: ${length}\r\n`;
}

function dateLine(fields: FieldText, date: string | undefined): string {
  if (date === undefined || fields.hasDate) return "";
  if (date !== lastDate) {
    if (!isFieldText(date)) throw new TypeError(`Not a date: ${JSON.stringify(date)}`);
    lastDate = date;
    lastDateLine = `Date: ${lastDate}\r\n`;
  }
  return lastDateLine;
}

// Thousands of heads a second have the same date.
let lastDate = "";
let lastDateLine = "";

// Methods whose requests have no body unless the headers say so, RFC 9110 §9.3.
const BODILESS_METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
]);
