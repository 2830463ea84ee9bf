// The Cookie field, RFC 6265 §5.4, as Tornado and browsers read it: text between semicolons, and nothing else separates.
// A parser that let a quote or a bracket swallow what follows let attackers hide a cookie from one reader (S-15).

import { trimBlanks } from "@tw/util";
import { isToken } from "./grammar.js";
import type { HTTPHeaders } from "./headers.js";

/** Characters of a cookie's name and value together; browsers drop one that is longer, RFC 6265bis §5.6. */
export const MAX_COOKIE_SIZE = 4096;
/** Characters of one attribute; browsers drop a longer attribute, RFC 6265bis §5.6. */
export const MAX_ATTRIBUTE_SIZE = 1024;

/**
 * Reads a Cookie field into values by name, in order of first appearance. The last cookie of a name wins, text without
 * `=` is the value of the name `""`, and a value in quotes is decoded. The names are as they came: `request.cookies`
 * drops those that no server can have set. Characters are latin1, as in every field. Time is linear in the text (S-14).
 *
 * @example
 * parseCookie('a=1; b="x y"; a=2; bare'); // Map { "a" => "2", "b" => "x y", "" => "bare" }
 */
export function parseCookie(text: string): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of text.split(";")) {
    const equals = pair.indexOf("=");
    const name = equals === -1 ? "" : trimBlanks(pair.slice(0, equals));
    const value = trimBlanks(equals === -1 ? pair : pair.slice(equals + 1));
    if (name !== "" || value !== "") cookies.set(name, unquoteCookie(value));
  }
  return cookies;
}

/**
 * The cookies of a request, without names that no server can have set: `""` and what is no token. Several Cookie fields
 * are one, RFC 9113 §8.2.3.
 */
export function requestCookies(headers: Pick<HTTPHeaders, "getList">): Map<string, string> {
  const cookies = parseCookie(headers.getList("Cookie").join(";"));
  for (const name of cookies.keys()) if (!isToken(name)) cookies.delete(name);
  return cookies;
}

/**
 * Decodes a cookie value in quotes: a backslash and three octal digits up to 377 are a character, a backslash and
 * anything else is that. A value without quotes around it stays as it is.
 *
 * @example
 * unquoteCookie(String.raw`"\101\054\"\400"`); // 'A,"400'
 */
export function unquoteCookie(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  const inner = value.slice(1, -1);
  if (!inner.includes("\\")) return inner;
  return inner.replace(/\\(?:([0-3][0-7][0-7])|(.))/gs, (_, octal: string | undefined, other: string) =>
    octal === undefined ? other : String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
