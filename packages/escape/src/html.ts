// Text into HTML and back. One escaping serves element content and quoted attribute values alike.

import { checkText } from "./check.js";
import { NAMED_ENTITIES } from "./entities.js";

/**
 * Escapes `&`, `<`, `>`, `"` and `'`, so that text can stand in element content and in quoted attribute values.
 * It is not enough inside `<script>`, `<style>`, an unquoted attribute or a URL.
 *
 * @throws TypeError when it is no string
 * @example
 * xhtmlEscape(`<a href="x">`); // "&lt;a href=&quot;x&quot;&gt;"
 */
export function xhtmlEscape(text: string): string {
  checkText(text);
  return UNSAFE.test(text) ? text.replace(EACH_UNSAFE, replacement) : text;
}

/**
 * Turns character references into characters: decimal, hexadecimal, and the names HTML 4 defined. A name that is not
 * known stays as it was; a number that is no character (0, a surrogate, above U+10FFFF) becomes U+FFFD.
 *
 * @throws TypeError when it is no string
 */
export function xhtmlUnescape(text: string): string {
  checkText(text);
  return text.includes("&") ? text.replace(REFERENCE, character) : text;
}

const UNSAFE = /[&<>"']/;
const EACH_UNSAFE = /[&<>"']/g;
const REFERENCE = /&(?:#([0-9]+|[xX][0-9a-fA-F]+)|([A-Za-z][A-Za-z0-9]{1,31}));/g;

function replacement(unsafe: string): string {
  switch (unsafe) {
    case "&":
      return "&amp;";
    case "<":
      return "&lt;";
    case ">":
      return "&gt;";
    case '"':
      return "&quot;";
    default:
      return "&#x27;";
  }
}

function character(reference: string, digits: string | undefined, name: string | undefined): string {
  if (digits === undefined) return NAMED_ENTITIES.get(name as string) ?? reference;
  const hexadecimal = digits[0] === "x" || digits[0] === "X";
  const point = hexadecimal ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
  const impossible = point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
  return impossible ? "\ufffd" : String.fromCodePoint(point);
}
