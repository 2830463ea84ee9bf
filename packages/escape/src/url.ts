// Percent-encoding (RFC 3986 §2.1) in its two dialects: form style, where `+` is a blank, and path style.

import { fromUtf8, utf8 } from "@tw/util";
import { checkText } from "./check.js";

/** Which dialect: form style (`plus: true`, the default, as in Tornado) or path style. */
export interface UrlEscapeOptions {
  /** Form style: a blank is `+`, `/` is escaped. Off: path style, a blank is `%20`, `/` stays. @default true */
  readonly plus?: boolean;
}

/**
 * Percent-encodes text as UTF-8. Letters, digits and `-._~` stay as they are.
 *
 * @throws TypeError when it is no string; URIError when it has a lone surrogate
 * @example
 * urlEscape("a b/c"); // "a+b%2Fc"
 * urlEscape("a b/c", { plus: false }); // "a%20b/c"
 */
export function urlEscape(text: string, options: UrlEscapeOptions = {}): string {
  checkText(text);
  // encodeURIComponent spares five characters that RFC 3986 §2.2 reserves.
  const escaped = encodeURIComponent(text).replace(/[!'()*]/g, percent);
  return options.plus === false ? escaped.replaceAll("%2F", "/") : escaped.replaceAll("%20", "+");
}

/**
 * Decodes percent-encoded UTF-8. A `%` that is not followed by two hexadecimal digits stays as it is.
 *
 * @throws TypeError when it is no string, or the decoded bytes are not UTF-8
 */
export function urlUnescape(text: string, options: UrlEscapeOptions = {}): string {
  checkText(text);
  if (!text.includes("%") && !(options.plus !== false && text.includes("+")) && ASCII.test(text)) return text;
  return fromUtf8(urlUnescapeBytes(text, options), { fatal: true });
}

/**
 * Decodes percent-encoded text into bytes. Characters U+0080 to U+00FF are taken as the byte of that number, because
 * that is how a raw byte of a request target reads; characters above become UTF-8.
 *
 * @throws TypeError when it is no string
 */
export function urlUnescapeBytes(text: string, options: UrlEscapeOptions = {}): Uint8Array {
  checkText(text);
  const plus = options.plus !== false;
  const wide = WIDE.test(text) ? text.replace(EACH_WIDE, encoded) : text;
  const bytes = new Uint8Array(wide.length);
  let length = 0;
  for (let at = 0; at < wide.length; at++) {
    let unit = wide.charCodeAt(at);
    if (unit === PERCENT && at + 2 < wide.length) {
      const high = hexDigit(wide.charCodeAt(at + 1));
      const low = hexDigit(wide.charCodeAt(at + 2));
      if (high >= 0 && low >= 0) {
        unit = high * 16 + low;
        at += 2;
      }
    } else if (unit === PLUS && plus) {
      unit = BLANK;
    }
    bytes[length++] = unit;
  }
  return bytes.subarray(0, length);
}

const PERCENT = 0x25;
const PLUS = 0x2b;
const BLANK = 0x20;
const ASCII = /^[\x20-\x7e]*$/;
const WIDE = /[\u0100-\uffff]/;
const EACH_WIDE = /[\u0100-\uffff]+/g;

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** UTF-8 of a run of characters, percent-encoded; a lone surrogate becomes U+FFFD. */
function encoded(run: string): string {
  let text = "";
  for (const byte of utf8(run)) text += `%${byte.toString(16)}`;
  return text;
}

/** The value of a hexadecimal digit, or −1. */
function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
