// Query strings and urlencoded forms: `a=1&b=2`. `;` separates nothing; blanks are kept.

import { fromLatin1, fromUtf8, isBytes } from "@tw/util";
import { checkText } from "./check.js";
import { urlUnescape, urlUnescapeBytes } from "./url.js";

/**
 * Parses a query string (without its `?`) or a urlencoded body into raw values by name, in the order they came. The
 * values are bytes because nothing says yet that they are text; names are decoded as UTF-8 with U+FFFD for what is not.
 * Pairs without a name are ignored, a pair without `=` has an empty value, `%zz` is kept literally. Linear time.
 *
 * @throws TypeError for what is neither a string nor bytes
 * @example
 * parseQsBytes("a=1&a=&c=1;d=2"); // Map { "a" => ["1", ""], "c" => ["1;d=2"] }, as bytes
 */
export function parseQsBytes(query: string | Uint8Array): Map<string, Uint8Array[]> {
  return parse(query, (value) => urlUnescapeBytes(value));
}

/**
 * {@link parseQsBytes} with the values decoded as UTF-8.
 *
 * @throws TypeError for what is neither a string nor bytes, or when a value is not UTF-8
 */
export function parseQs(query: string | Uint8Array): Map<string, string[]> {
  return parse(query, (value) => urlUnescape(value));
}

function parse<T>(query: string | Uint8Array, decode: (value: string) => T): Map<string, T[]> {
  const text = isBytes(query) ? fromLatin1(query) : query;
  checkText(text);
  const values = new Map<string, T[]>();
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf("&", at);
    if (end === -1) end = text.length;
    const pair = text.slice(at, end);
    at = end + 1;
    const equals = pair.indexOf("=");
    const name = fromUtf8(urlUnescapeBytes(equals === -1 ? pair : pair.slice(0, equals)));
    if (name === "") continue;
    const value = decode(equals === -1 ? "" : pair.slice(equals + 1));
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  }
  return values;
}
