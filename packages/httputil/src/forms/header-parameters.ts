// A field value with parameters, RFC 9110 §5.6.6, as Content-Type and Content-Disposition have it. One pass: no
// character is looked at more than twice, however many semicolons, quotes or backslashes there are (S-11).

import { trimBlanks } from "@tw/util";
import { isToken } from "../grammar.js";
import { skipBlanks } from "../scan.js";

/** A field value and its parameters. */
export interface HeaderParameters {
  /** What stands before the first semicolon, blanks around it taken off. */
  readonly value: string;
  /** By name in lower case, quotes and escapes taken off. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Takes `value; name=text; name="quoted text"` apart (Tornado's `_parse_header`, but strict).
 *
 * In a quoted text `\"` is `"` and `\\` is `\`; a backslash before anything else is itself, because browsers send
 * the backslashes of a file's name as they are. Empty parameters are skipped, RFC 9110 §5.6.6.
 *
 * Returns `undefined` for what two readers could read differently: a name that is no token or comes twice, a quote
 * that does not end or has text behind it, a quote within an unquoted text. Linear in time.
 *
 * @example
 * parseHeaderParameters('form-data; name="a"')?.parameters.get("name"); // "a"
 */
export function parseHeaderParameters(text: string): HeaderParameters | undefined {
  const parameters = new Map<string, string>();
  let at = indexOrEnd(text, ";", 0);
  const value = trimBlanks(text.slice(0, at));
  while (at < text.length) {
    at = skipBlanks(text, at + 1);
    if (at === text.length || text[at] === ";") continue;
    const equals = text.indexOf("=", at);
    const name = text.slice(at, equals === -1 ? at : equals).toLowerCase();
    if (!isToken(name) || parameters.has(name)) return undefined;
    at = equals + 1;
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1);
      if (close === -1) return undefined;
      parameters.set(name, unescapeQuoted(text.slice(at + 1, close)));
      at = skipBlanks(text, close + 1);
      if (at < text.length && text[at] !== ";") return undefined;
    } else {
      const end = indexOrEnd(text, ";", at);
      const raw = trimBlanks(text.slice(at, end));
      if (raw.includes('"')) return undefined;
      parameters.set(name, raw);
      at = end;
    }
  }
  return { value, parameters };
}

/** Index of the quote that ends what begins at `from`, or −1. */
function closingQuote(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const c = text[at];
    if (c === '"') return at;
    if (c === "\\" && (text[at + 1] === '"' || text[at + 1] === "\\")) at++;
  }
  return -1;
}

function unescapeQuoted(text: string): string {
  // RFC 9110 §5.6.4 (1): for the two characters that need it, since browsers send others as they are.
  return text.includes("\\") ? text.replace(/\\(["\\])/g, "$1") : text;
}

function indexOrEnd(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at;
}
