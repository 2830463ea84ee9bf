// Set-Cookie as a server writes it, RFC 6265 §4.1 with what browsers have added since: SameSite, the name prefixes,
// Partitioned and Priority.
//
// A browser drops a cookie that it does not like without a word. So what cannot be stored is an error here, where
// somebody sees it, and so is whatever could end the value and begin an attribute of an attacker's choice (S-16).

import { quote } from "@tw/util";
import { MAX_ATTRIBUTE_SIZE, MAX_COOKIE_SIZE } from "./cookie.js";
import { CookieError } from "./errors.js";
import { isToken } from "./grammar.js";
import { formatTimestamp } from "./timestamp.js";

/** What a browser is told about a cookie besides its value. */
export interface CookieAttributes {
  /** Also send it to the hosts below this one; without it, to the host that set it alone. Not with `__Host-`. */
  readonly domain?: string;
  /** The instant it ends, in milliseconds since the epoch or as a `Date`; without it and `maxAge`, with the session. */
  readonly expires?: number | Date;
  /** **Seconds** until it ends, as the RFC counts; it wins over `expires`, and 0 or less removes the cookie. */
  readonly maxAge?: number;
  /** Sent for this path and below; without it, for the folder of the path that set it. */
  readonly path?: string;
  /** Sent over TLS only. */
  readonly secure?: boolean;
  /** Out of reach of scripts. */
  readonly httpOnly?: boolean;
  /** Whether requests from other sites carry it; `None` takes `secure`. Browsers take `Lax` when it is not said. */
  readonly sameSite?: "Strict" | "Lax" | "None" | "strict" | "lax" | "none";
  /** A jar of its own for each site that embeds this one; takes `secure`. */
  readonly partitioned?: boolean;
  /** Which cookies Chromium throws away last when there are too many of them. */
  readonly priority?: "Low" | "Medium" | "High" | "low" | "medium" | "high";
}

/**
 * Writes a Set-Cookie field, attributes in Tornado's order. A value with a comma, semicolon, quote, backslash or a
 * character U+0080 to U+00FF is quoted, and {@link parseCookie} reads it back.
 *
 * @throws CookieError (`ERR_TW_COOKIE`, a `TypeError`) for a name that is no token; a value with a blank, a control or a
 * character above U+00FF (encode it first); a domain, path, SameSite or priority that is none, or could inject;
 * name and value above 4096 characters together, an attribute above 1024; `__Secure-` without `secure`; `__Host-`
 * without `secure` and the path `/`, or with a domain; `SameSite=None` or `partitioned` without `secure`
 * @throws RangeError for a `maxAge` that is no integer, and for `expires` outside the years 0000 to 9999
 * @example
 * serializeCookie("__Host-id", "2|1:0", { path: "/", secure: true, httpOnly: true, sameSite: "Lax" });
 * // "__Host-id=2|1:0; HttpOnly; Path=/; SameSite=Lax; Secure"
 */
export function serializeCookie(name: string, value: string, attributes: CookieAttributes = {}): string {
  if (typeof name !== "string" || !isToken(name))
    throw new CookieError(`Cookie name ${quote(name)} is not a token`);
  const encoded = encodeValue(name, value);
  const size = name.length + encoded.length;
  if (size > MAX_COOKIE_SIZE)
    throw new CookieError(`Cookie ${quote(name)} has ${size} characters, limit ${MAX_COOKIE_SIZE}`);
  checkPromises(name, attributes);
  const { domain, path, expires, maxAge, sameSite, priority } = attributes;
  let text = `${name}=${encoded}`;
  if (domain !== undefined) text += `; Domain=${checked(name, "domain", domain, DOMAIN)}`;
  if (expires !== undefined) text += `; expires=${formatTimestamp(expires)}`;
  if (attributes.httpOnly) text += "; HttpOnly";
  if (maxAge !== undefined) {
    if (!Number.isSafeInteger(maxAge))
      throw new RangeError(`maxAge of cookie ${quote(name)} is no number of seconds: ${String(maxAge)}`);
    text += `; Max-Age=${maxAge}`;
  }
  if (attributes.partitioned) text += "; Partitioned";
  if (path !== undefined) text += `; Path=${checked(name, "path", path, PATH)}`;
  if (priority !== undefined)
    text += `; Priority=${capitalized(checked(name, "priority", priority, PRIORITY))}`;
  if (sameSite !== undefined)
    text += `; SameSite=${capitalized(checked(name, "sameSite", sameSite, SAME_SITE))}`;
  return attributes.secure ? `${text}; Secure` : text;
}

/** What the name, or one attribute, promises about the others, RFC 6265bis §4.1.3. */
function checkPromises(
  name: string,
  { secure, path, domain, sameSite, partitioned }: CookieAttributes,
): void {
  // Browsers compare the prefixes without regard to case.
  const isHostOnly = /^__Host-/i.test(name);
  const takesSecure =
    isHostOnly || /^__Secure-/i.test(name)
      ? "its prefix"
      : partitioned
        ? "partitioned"
        : sameSite !== undefined && /^none$/i.test(sameSite) && "SameSite=None";
  if (takesSecure && !secure)
    throw new CookieError(`Cookie ${quote(name)} needs secure: true, because of ${takesSecure}`);
  if (isHostOnly && (path !== "/" || domain !== undefined))
    throw new CookieError(`Cookie ${quote(name)} needs the path "/" and no domain, because of its prefix`);
}

function encodeValue(name: string, value: string): string {
  if (typeof value !== "string")
    throw new CookieError(`Value of cookie ${quote(name)} is not a string, but ${quote(value)}`);
  if (!VALUE.test(value))
    throw new CookieError(
      `Value of cookie ${quote(name)} has a blank, a control or a character above U+00FF: ${quote(value)}`,
    );
  if (OCTETS.test(value)) return value;
  return `"${value.replace(/["\\]|[^!-~]|[,;]/g, escaped)}"`;
}

function escaped(c: string): string {
  return c === '"' || c === "\\" ? `\\${c}` : `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
}

function checked(cookie: string, attribute: string, value: string, pattern: RegExp): string {
  if (typeof value !== "string" || value.length > MAX_ATTRIBUTE_SIZE || !pattern.test(value))
    throw new CookieError(`Invalid ${attribute} of cookie ${quote(cookie)}: ${quote(value)}`);
  return value;
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}

const VALUE = /^[\x21-\x7e\x80-\xff]*$/;
// RFC 6265 §4.1.1 cookie-octet.
const OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/;
const DOMAIN = /^\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const PATH = /^\/[\x20-\x3a\x3c-\x7e]*$/;
const SAME_SITE = /^(?:strict|lax|none)$/i;
const PRIORITY = /^(?:low|medium|high)$/i;
