// Field lines, RFC 9112 §5, and what the fields among them say that steer the connection.

import { HTTPInputError, sameName, trimBlanks } from "@tw/httputil";
import { quote } from "@tw/util";
import { isBlank, listHas } from "./grammar.js";
import { lines } from "./section-lines.js";

/** The fields that framing, Host rule and connection management look at. */
class FieldFacts {
  host: string | undefined = undefined;
  hostCount = 0;
  contentLength: string | undefined = undefined;
  /** More than one field, or a list in one: `collapseContentLength` has to look. */
  contentLengthCount = 0;
  transferEncoding: string | undefined = undefined;
  transferEncodingCount = 0;
  close = false;
  keepAlive = false;
  upgradeListed = false;
  upgrade: string | undefined = undefined;
  expectContinue = false;
  /** Something that nobody here can do. */
  expectsOther = false;

  /** Forgets everything: the next section is another message. */
  reset(): void {
    this.host = undefined;
    this.hostCount = 0;
    this.contentLength = undefined;
    this.contentLengthCount = 0;
    this.transferEncoding = undefined;
    this.transferEncodingCount = 0;
    this.close = false;
    this.keepAlive = false;
    this.upgradeListed = false;
    this.upgrade = undefined;
    this.expectContinue = false;
    this.expectsOther = false;
  }

  /** Notes the field whose name has this length, which tells it from the others. */
  note(nameLength: number, value: string): void {
    switch (nameLength) {
      case 4:
        this.host = value;
        this.hostCount++;
        return;
      case 6:
        this.#noteExpect(value);
        return;
      case 7:
        this.upgrade = this.upgrade === undefined ? value : `${this.upgrade}, ${value}`;
        return;
      case 10:
        this.#noteConnection(value);
        return;
      case 14:
        this.contentLength = value;
        this.contentLengthCount++;
        return;
      case 17:
        this.transferEncoding = value;
        this.transferEncodingCount++;
        return;
    }
  }

  #noteExpect(value: string): void {
    // RFC 9110 §5.6.1.2 (1), (2): empty members are none.
    const members = value.split(",").map(trimBlanks).filter(Boolean);
    if (!members.every((member) => sameName(member, "100-continue"))) this.expectsOther = true;
    else if (members.length > 0) this.expectContinue = true;
  }

  #noteConnection(value: string): void {
    if (value === "keep-alive") {
      this.keepAlive = true;
      return;
    }
    if (listHas(value, "close")) this.close = true;
    if (listHas(value, "keep-alive")) this.keepAlive = true;
    if (listHas(value, "upgrade")) this.upgradeListed = true;
  }
}

/** The facts of the last section. One for all machines: they are filled and used up within one call of `next()`. */
export const facts: FieldFacts = new FieldFacts();

export type { FieldFacts };

/**
 * Checks the field lines of the section that was scanned last, from line `first` on, and notes in {@link facts} what
 * steers the connection. Returns where the first of them begins in `text`; the rest is split when somebody asks for it.
 *
 * RFC 9112 §5.1: no blank between name and colon. RFC 9112 §5.2: a folded line is refused.
 *
 * @param buf the bytes; the section begins at `at`
 * @param text the section, decoded as latin1
 */
export function readFields(buf: Uint8Array, at: number, text: string, first: number): number {
  const { count, tokenEnds, ends } = lines;
  facts.reset();
  const begin = first === 0 ? 0 : (ends[first - 1] as number) + 2;
  let start = begin;
  for (let line = first; line < count; line++) {
    const colon = tokenEnds[line] as number;
    const lineEnd = ends[line] as number;
    // RFC 9112 §2.2 (7), RFC 9112 §5.1 (1), RFC 9112 §5.2 (2): a line is a name and a colon from its first byte on.
    if (colon === start || buf[at + colon] !== 0x3a) throw badLine(text, start, lineEnd);
    if (STEERING[colon - start] === ((buf[at + start] as number) | 0x20)) {
      noteField(buf, at, text, start, colon, lineEnd);
    }
    start = lineEnd + 2;
  }
  return begin;
}

/** A field whose name has the length and the first letter of one that steers. */
function noteField(
  buf: Uint8Array,
  at: number,
  text: string,
  start: number,
  colon: number,
  lineEnd: number,
): void {
  const length = colon - start;
  const name = NAMES[length] as string;
  for (let i = 1; i < length; i++) {
    // Of the characters of a token only a letter becomes another one by this bit, the small one of the same letter.
    if (((buf[at + start + i] as number) | 0x20) !== name.charCodeAt(i)) return;
  }
  let from = colon + 1;
  let end = lineEnd;
  // RFC 9110 §5.5 (1): blanks around a value are no part of it.
  while (from < end && isBlank(buf[at + from] as number)) from++;
  while (end > from && isBlank(buf[at + end - 1] as number)) end--;
  if (length === HOST && isLastHost(buf, at + from, end - from)) facts.note(length, lastHost);
  else facts.note(length, text.substring(from, end));
}

/** Remembers a Host that was found well-formed: most requests name the same. */
export function rememberHost(host: string): void {
  if (host.length > hostBytes.length) return;
  for (let i = 0; i < host.length; i++) hostBytes[i] = host.charCodeAt(i);
  lastHost = host;
}

/** Tells whether {@link rememberHost} was given the same last. */
export function isRemembered(host: string): boolean {
  return host === lastHost;
}

function isLastHost(buf: Uint8Array, at: number, length: number): boolean {
  if (length !== lastHost.length) return false;
  for (let i = 0; i < length; i++) if (buf[at + i] !== hostBytes[i]) return false;
  return true;
}

// As bytes too, because that is what it is compared with.
let lastHost = "";
const hostBytes = new Uint8Array(256);

const HOST = "host".length;

// The names that steer, by their length, and their first letters (0 where there is none).
const NAMES: readonly (string | undefined)[] = Array.from({ length: 32 }, (_, length) =>
  ["host", "expect", "upgrade", "connection", "content-length", "transfer-encoding"].find(
    (name) => name.length === length,
  ),
);
const STEERING: readonly number[] = NAMES.map((name) => name?.charCodeAt(0) ?? 0);

function badLine(text: string, start: number, end: number): HTTPInputError {
  const quoted = quote(text.slice(start, end));
  const folded = isBlank(text.charCodeAt(start));
  return new HTTPInputError(folded ? `Folded header line: ${quoted}` : `Malformed header line: ${quoted}`);
}
