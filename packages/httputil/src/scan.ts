// The pieces that field values are made of, RFC 9110 §5.6: blanks, tokens, quoted strings. Each function looks at a
// character once and says where it stopped, so that whoever goes on from there takes linear time.

import { trimBlanks } from "@tw/util";
import { CHARS, FIELD, TOKEN } from "./grammar.js";

/** Index of the first character from `at` on that is neither SP nor HTAB. */
export function skipBlanks(text: string, at: number): number {
  let i = at;
  for (let c = text.charCodeAt(i); c === 0x20 || c === 0x09; c = text.charCodeAt(i)) i++;
  return i;
}

/** Index after the token that begins at `at`, which is `at` itself when there is none, RFC 9110 §5.6.2. */
export function tokenEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length && ((CHARS[text.charCodeAt(i)] as number) & TOKEN) !== 0) i++;
  return i;
}

/** Index after the quoted string that begins at `at`, or −1 when there is none or it does not end, RFC 9110 §5.6.4. */
function quotedEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x22) return -1;
  for (let i = at + 1; i < text.length; i++) {
    let c = text.charCodeAt(i);
    if (c === 0x22) return i + 1;
    if (c === 0x5c) c = text.charCodeAt(++i);
    // Also when the backslash was the last character, since NaN has no class.
    if (((CHARS[c] as number) & FIELD) === 0) return -1;
  }
  return -1;
}

/** What stands in the quoted string from `start` to `end`, both as {@link quotedEnd} takes and gives them. */
function unquote(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return inner.includes("\\") ? inner.replace(/\\(.)/g, "$1") : inner;
}

/** Index after the token or quoted string that begins at `at`, or −1 when there is neither. */
export function valueEnd(text: string, at: number): number {
  const end = tokenEnd(text, at);
  return end === at ? quotedEnd(text, at) : end;
}

/** The value from `start` to `end`, as {@link valueEnd} takes and gives them, without quotes. */
export function valueAt(text: string, start: number, end: number): string {
  return text.charCodeAt(start) === 0x22 ? unquote(text, start, end) : text.slice(start, end);
}

/**
 * Yields the elements of a list, RFC 9110 §5.6.1, without blanks around them; empty ones are left out. A comma in a quoted
 * string separates nothing, and a quoted string without end goes to the end of the text.
 */
export function* listElements(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = elementEnd(text, start);
    const element = trimBlanks(text.slice(start, end));
    if (element !== "") yield element;
    start = end + 1;
  }
}

function elementEnd(text: string, start: number): number {
  let quoted = false;
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) quoted = !quoted;
    else if (!quoted && c === 0x2c) return i;
    else if (quoted && c === 0x5c) i++;
  }
  return text.length;
}
