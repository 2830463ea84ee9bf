// Set-Cookie as a client reads it: the algorithm of RFC 6265bis §5.6, which takes anything apart and drops what it does
// not understand, because that is what servers got used to.

import { trimBlanks } from "@tw/util";
import { MAX_ATTRIBUTE_SIZE, MAX_COOKIE_SIZE } from "./cookie.js";
import { instant } from "./http-date.js";
import { MONTHS } from "./timestamp.js";

/** A cookie as a server sent it. What it left out, or wrote wrong, is `undefined`: the client knows the defaults. */
export interface ReceivedCookie {
  /** `""` for a field without `=`. */
  readonly name: string;
  /** As it came, quotes included: a client sends it back so. */
  readonly value: string;
  /** In lower case, without the dot before it. Whether the server may speak for it, the client must check. */
  readonly domain: string | undefined;
  /** Begins with `/`. */
  readonly path: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expires: number | undefined;
  /** Seconds; 0 and less remove the cookie. Wins over `expires`. */
  readonly maxAge: number | undefined;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: "Strict" | "Lax" | "None" | undefined;
  readonly partitioned: boolean;
  readonly priority: "Low" | "Medium" | "High" | undefined;
}

/**
 * Reads a Set-Cookie field. Of an attribute that comes twice the last counts; one that is unknown, malformed or longer than
 * 1024 characters is ignored. `undefined` for what a browser does not store: a control character, neither name nor
 * value, or more than 4096 characters of them. Linear time.
 *
 * @example
 * parseSetCookie("a=b; Path=/; Max-Age=60; Secure");
 * // { name: "a", value: "b", path: "/", maxAge: 60, secure: true, httpOnly: false, … }
 */
export function parseSetCookie(text: string): ReceivedCookie | undefined {
  if (CONTROL.test(text)) return undefined;
  const [pair = "", ...attributes] = text.split(";");
  const equals = pair.indexOf("=");
  const name = trimBlanks(pair.slice(0, Math.max(equals, 0)));
  const value = trimBlanks(pair.slice(equals + 1));
  const size = name.length + value.length;
  if (size === 0 || size > MAX_COOKIE_SIZE) return undefined;
  // RFC 6265bis §5.7: or a cookie without a name would be sent as one that promises something.
  if (name === "" && /^__(?:Secure|Host)-/i.test(value)) return undefined;
  const cookie: Draft = { name, value, ...NOTHING_SAID };
  for (const attribute of attributes) {
    const at = attribute.indexOf("=");
    const word = trimBlanks(at === -1 ? attribute : attribute.slice(0, at));
    const argument = at === -1 ? "" : trimBlanks(attribute.slice(at + 1));
    if (argument.length <= MAX_ATTRIBUTE_SIZE) apply(cookie, word.toLowerCase(), argument);
  }
  return cookie;
}

type Draft = { -readonly [Key in keyof ReceivedCookie]: ReceivedCookie[Key] };

const NOTHING_SAID: Omit<ReceivedCookie, "name" | "value"> = {
  domain: undefined,
  path: undefined,
  expires: undefined,
  maxAge: undefined,
  secure: false,
  httpOnly: false,
  sameSite: undefined,
  partitioned: false,
  priority: undefined,
};

function apply(cookie: Draft, attribute: string, value: string): void {
  switch (attribute) {
    case "expires":
      cookie.expires = parseCookieDate(value) ?? cookie.expires;
      return;
    case "max-age":
      if (/^-?\d+$/.test(value)) cookie.maxAge = Math.max(Math.min(Number(value), FAR), -FAR);
      return;
    case "domain":
      cookie.domain = value.replace(/^\./, "").toLowerCase() || undefined;
      return;
    case "path":
      cookie.path = value.startsWith("/") ? value : undefined;
      return;
    case "samesite":
      cookie.sameSite = oneOf(["Strict", "Lax", "None"], value);
      return;
    case "priority":
      cookie.priority = oneOf(["Low", "Medium", "High"], value) ?? cookie.priority;
      return;
    case "secure":
      cookie.secure = true;
      return;
    case "httponly":
      cookie.httpOnly = true;
      return;
    case "partitioned":
      cookie.partitioned = true;
  }
}

function oneOf<T extends string>(words: readonly T[], value: string): T | undefined {
  return words.find((word) => word.toLowerCase() === value.toLowerCase());
}

/** RFC 6265 §5.1.1: a time, a day, a month and a year in any order, between almost anything. */
function parseCookieDate(text: string): number | undefined {
  let time: string | undefined;
  let day: number | undefined;
  let month: string | undefined;
  let year: number | undefined;
  for (const token of text.split(DELIMITERS)) {
    const [, hms] = time === undefined ? (COOKIE_TIME.exec(token) ?? []) : [];
    const digits = DIGITS.exec(token)?.[1];
    const name = MONTHS.find((each) => each.toLowerCase() === token.slice(0, 3).toLowerCase());
    if (hms !== undefined) time = hms;
    else if (day === undefined && digits !== undefined && digits.length <= 2) day = Number(digits);
    else if (month === undefined && name !== undefined) month = name;
    else if (year === undefined && digits !== undefined && digits.length >= 2) year = Number(digits);
  }
  if (year === undefined || month === undefined || day === undefined) return undefined;
  if (year < 70) year += 2000;
  else if (year < 100) year += 1900;
  return year < 1601 || time === undefined || /:60$/.test(time) ? undefined : instant(year, month, day, time);
}

const FAR = Number.MAX_SAFE_INTEGER;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const DELIMITERS = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/;
const COOKIE_TIME = /^(\d{1,2}:\d{1,2}:\d{1,2})(?:\D|$)/;
const DIGITS = /^(\d{1,4})(?:\D|$)/;
