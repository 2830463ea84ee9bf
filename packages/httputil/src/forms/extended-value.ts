// Text beyond ASCII in a parameter, RFC 8187 §3.2: `filename*=UTF-8''%e2%82%ac.txt`.

import { urlUnescapeBytes } from "@tw/escape";
import { fromLatin1, fromUtf8 } from "@tw/util";

/**
 * Decodes `charset'language'percent-encoded`. UTF-8 and ISO-8859-1 are known; anything else, a broken escape, a
 * character that should have been escaped, and bytes that are not in that charset give `undefined`, never an exception.
 *
 * @example
 * decodeExtendedValue("UTF-8''%e2%82%ac.txt"); // "€.txt"
 */
export function decodeExtendedValue(text: string): string | undefined {
  const first = text.indexOf("'");
  const second = first === -1 ? -1 : text.indexOf("'", first + 1);
  if (second === -1) return undefined;
  const encoded = text.slice(second + 1);
  if (!isEncoded(encoded)) return undefined;
  const bytes = urlUnescapeBytes(encoded, { plus: false });
  const charset = text.slice(0, first).toLowerCase();
  if (charset === "iso-8859-1") return fromLatin1(bytes);
  if (charset !== "utf-8") return undefined;
  try {
    return fromUtf8(bytes, { fatal: true });
  } catch {
    return undefined;
  }
}

/** value-chars of RFC 8187 §3.2.1: pct-encoded or attr-char. */
function isEncoded(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const c = text[at] as string;
    if (c !== "%") {
      if (!ATTR_CHARS.has(c)) return false;
      continue;
    }
    if (!HEX.has(text[at + 1] ?? "") || !HEX.has(text[at + 2] ?? "")) return false;
    at += 2;
  }
  return true;
}

const ATTR_CHARS: ReadonlySet<string> = new Set(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~",
);
const HEX: ReadonlySet<string> = new Set("0123456789ABCDEFabcdef");
