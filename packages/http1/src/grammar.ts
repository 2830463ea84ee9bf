// Character classes for bytes, as tables.

import { isToken, trimBlanks } from "@tw/httputil";

/** 1 for each character of a token, RFC 9110 §5.6.2. */
export const TOKEN_CHARS: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) =>
  isToken(String.fromCharCode(c)) ? 1 : 0,
);

/** Of a token. */
export const TOKEN_CHAR = 0;
/** Of no token, but allowed in a line: blanks, the other marks, obs-text. */
const TEXT_CHAR = 1;
/** CR, LF and the controls that neither a field value nor a start line may hold, RFC 9110 §5.5: all but HTAB. */
export const CONTROL_CHAR = 2;

/** Which of the three each byte of a head is. */
export const SECTION_CLASSES: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => {
  if (TOKEN_CHARS[c] === 1) return TOKEN_CHAR;
  return (c < 0x20 && c !== 0x09) || c === 0x7f ? CONTROL_CHAR : TEXT_CHAR;
});

/** Value of each hexadecimal digit, 0xff for every other byte. */
export const HEX_VALUES: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(c).toLowerCase());
  return digit === -1 ? 0xff : digit;
});

/** Tells whether `c` is SP or HTAB, the only blanks of the protocol (S-03). */
export function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}

/** Tells whether `list`, a comma-separated list, holds `token` in any case, RFC 9110 §5.6.1. */
export function listHas(list: string, token: string): boolean {
  // RFC 9110 §5.6.1.2 (1), (2): an empty member is like no token.
  for (const item of list.toLowerCase().split(",")) if (trimBlanks(item) === token) return true;
  return false;
}
