// Names of header fields, in the spelling that Tornado calls Http-Header-Case: `content-TYPE` is `Content-Type`. Case
// means nothing to HTTP, so this is for whoever iterates, logs and compares.

import { quote } from "@tw/util";
import { HTTPFieldError } from "./errors.js";
import { isToken } from "./grammar.js";

/**
 * Spells a field name in Http-Header-Case: every word between hyphens begins with a capital, and the rest is small.
 *
 * @throws HTTPFieldError (`ERR_TW_FIELD_NAME`) for what is no token, RFC 9110 §5.1 (S-24)
 * @example
 * canonicalName("foo-BAR"); // "Foo-Bar"
 * canonicalName("ETag"); // "Etag"
 */
export function canonicalName(name: string): string {
  if (typeof name === "string" && lastNames[name.length] === name)
    return lastCanonical[name.length] as string;
  return lookUp(name);
}

// The last name of each length, and its canonical form. Programs use the same few constants again and again, so that
// one comparison of pointers usually tells that a name is good.
const MAX_LENGTH = 64;
const lastNames: (string | undefined)[] = new Array<string | undefined>(MAX_LENGTH).fill(undefined);
const lastCanonical: (string | undefined)[] = new Array<string | undefined>(MAX_LENGTH).fill(undefined);

// Behind that, for names of equal length in turns. Received names come here too when somebody iterates, so whoever
// invents names can empty it, and no more.
const MAX_NAMES = 1000;
const known = new Map<string, string>();

function lookUp(name: string): string {
  let canonical = known.get(name);
  if (canonical === undefined) {
    if (typeof name !== "string" || !isToken(name))
      throw new HTTPFieldError("ERR_TW_FIELD_NAME", `Header name ${quote(name)} is not a token`);
    canonical = capitalize(name);
    if (name.length >= MAX_LENGTH) return canonical;
    if (known.size === MAX_NAMES) known.clear();
    known.set(copyOf(name), canonical);
  }
  lastNames[name.length] = name;
  lastCanonical[name.length] = canonical;
  return canonical;
}

function capitalize(name: string): string {
  return name.toLowerCase().replace(/(?<![^-])[a-z]/g, (first) => first.toUpperCase());
}

/** The same text in memory of its own: a name cut out of a received head would keep all of that head. */
function copyOf(name: string): string {
  return String.fromCharCode(...Array.from(name, (c) => c.charCodeAt(0)));
}
