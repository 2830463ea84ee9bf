// Heads as text. Names and values were validated when they were put into HTTPHeaders, so this is concatenation; what
// is looked at here are the fields that frame the message or steer the connection.

import { type HTTPHeaders, HTTPOutputError, isToken, reasonPhrase, responses, sameName } from "@tw/httputil";
import { fieldLine } from "./field-line.js";
import { listHas } from "./grammar.js";
import { isTarget } from "./target.js";

const UPGRADE = 1;
const UPGRADE_LISTED = 2;
const TE = 4;
const TE_LISTED = 8;

/** Field lines, and what they say. */
class FieldText {
  text = "";
  /** Value of Content-Length, or −1. */
  contentLength = -1;
  /** The program asked for chunks; its field is not in the text. */
  chunked = false;
  close = false;
  hasDate = false;
  host: string | undefined = undefined;
  /** Bits of the fields that are for the next hop: there, and listed in Connection. */
  hops = 0;

  /** See {@link writeFields}. */
  write(headers: HTTPHeaders, omitLength: boolean): void {
    this.contentLength = -1;
    this.chunked = false;
    this.close = false;
    this.hasDate = false;
    this.host = undefined;
    this.hops = 0;
    const fields = fieldsOf(headers);
    let text = "";
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const value = fields[i + 1] as string;
      if (!STEERING[name.length] || this.#keeps(name, value, omitLength)) text += fieldLine(name, value);
    }
    // RFC 9112 §6.2 (1): one of them.
    if (this.chunked && this.contentLength !== -1) {
      throw new HTTPOutputError("Both Transfer-Encoding and Content-Length");
    }
    // RFC 9110 §7.6.1 (1), RFC 9110 §7.8 (5): what is meant for the next hop alone is listed in Connection.
    if ((this.hops & (UPGRADE | UPGRADE_LISTED)) === UPGRADE) text += "Connection: Upgrade\r\n";
    // RFC 9112 §7.4 (2), RFC 9110 §10.1.4 (1): TE is for the next hop too.
    if ((this.hops & (TE | TE_LISTED)) === TE) text += "Connection: TE\r\n";
    this.text = text;
  }

  #keeps(name: string, value: string, omitLength: boolean): boolean {
    if (sameName(name, "Date")) this.hasDate = true;
    else if (sameName(name, "Host")) {
      if (this.host !== undefined) throw new HTTPOutputError("Host twice");
      this.host = value;
    } else if (sameName(name, "Connection")) return this.#keepsConnection(value);
    else if (sameName(name, "Content-Length")) {
      if (this.contentLength !== -1) throw new HTTPOutputError("Content-Length twice");
      this.contentLength = lengthOf(value);
      return !omitLength;
    } else if (sameName(name, "Transfer-Encoding")) {
      // RFC 9112 §6.1 (2), (3), (4): chunked, once, and no other coding.
      if (this.chunked || !sameName(value, "chunked")) {
        throw new HTTPOutputError(`Unsupported Transfer-Encoding: ${JSON.stringify(value.slice(0, 80))}`);
      }
      this.chunked = true;
      return false;
    } else if (sameName(name, "Upgrade")) this.hops |= UPGRADE;
    else if (sameName(name, "TE")) {
      // RFC 9112 §7.4 (1): chunks are always acceptable, and saying so is not.
      if (listHas(value, "chunked")) throw new HTTPOutputError("TE lists chunked");
      this.hops |= TE;
    }
    return true;
  }

  #keepsConnection(value: string): boolean {
    if (sameName(value, "keep-alive")) return false;
    if (sameName(value, "close")) {
      this.close = true;
      return false;
    }
    if (listHas(value, "close")) this.close = true;
    if (listHas(value, "upgrade")) this.hops |= UPGRADE_LISTED;
    if (listHas(value, "te")) this.hops |= TE_LISTED;
    return true;
  }
}

/**
 * Writes the lines of `headers`. Transfer-Encoding, and Connection where it only says close or keep-alive, are left to
 * the machine; Content-Length is left out with `omitLength`. The result is one for all machines, and used up within
 * the call that asked for it.
 *
 * @throws HTTPOutputError for framing that contradicts itself
 */
export function writeFields(headers: HTTPHeaders, omitLength: boolean): FieldText {
  fieldText.write(headers, omitLength);
  return fieldText;
}

const fieldText = new FieldText();

/** The flat list of names and values. @throws TypeError for what are no HTTPHeaders */
export function fieldsOf(headers: HTTPHeaders): readonly string[] {
  const fields: readonly string[] | undefined = headers.rawFields;
  if (fields === undefined) throw new TypeError("The fields of a head must be HTTPHeaders");
  return fields;
}

export type { FieldText };

/** The status line with its CRLF; an empty reason is the registered phrase. @throws RangeError for a code that is not three digits from 100 on */
export function statusLine(code: number, reason: string): string {
  const standard = reason === "" || reason === PHRASES[code];
  if (standard) {
    const cached = STATUS_LINES[code];
    if (cached !== undefined) return cached;
  }
  if (!Number.isInteger(code) || code < 100 || code > 999)
    throw new RangeError(`Not a status code: ${String(code)}`);
  // RFC 9112 §4 (1): the blank is there, whatever the reason. RFC 9110 §6.2 (2).
  const line = `HTTP/1.1 ${code} ${reasonPhrase(code, standard ? undefined : reason)}\r\n`;
  if (standard) STATUS_LINES[code] = line;
  return line;
}

/**
 * The request line with its CRLF.
 *
 * @throws TypeError for a method that is no token, or a target that is none for that method, or has a blank, a
 * control, a fragment or a character above U+00FF (S-33)
 */
export function requestLine(method: string, target: string): string {
  if (!isToken(method)) throw new TypeError(`Not a method: ${JSON.stringify(method)}`);
  // RFC 9110 §2.2 (2): what is no target stays here.
  if (!TARGET.test(target) || !isTarget(method, target))
    throw new TypeError(`Not a request target: ${JSON.stringify(target)}`);
  // RFC 9112 §2.2 (4), (6): nothing in front of the line, and nothing between it and the fields. RFC 9110 §6.2 (1).
  return `${method} ${target} HTTP/1.1\r\n`;
}

function lengthOf(value: string): number {
  let length = value === "" ? Number.NaN : 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    length = digit >= 0 && digit <= 9 ? length * 10 + digit : Number.NaN;
  }
  if (!Number.isSafeInteger(length))
    throw new HTTPOutputError(`Malformed Content-Length: ${JSON.stringify(value)}`);
  return length;
}

const TARGET = /^[\x21\x22\x24-\x7e\x80-\xff]+$/;

// `responses` as a list: a lookup in a sparse table costs more than all the rest of the line.
const PHRASES: readonly (string | undefined)[] = Array.from({ length: 600 }, (_, code) => responses[code]);

// By code; filled as codes are used.
const STATUS_LINES: (string | undefined)[] = new Array<string | undefined>(1000);

// Lengths of the names that are looked at.
const STEERING: readonly boolean[] = lengths(
  "Date",
  "Host",
  "Connection",
  "Content-Length",
  "Transfer-Encoding",
  "Upgrade",
  "TE",
);

function lengths(...names: readonly string[]): boolean[] {
  return Array.from({ length: 32 }, (_, length) => names.some((name) => name.length === length));
}
