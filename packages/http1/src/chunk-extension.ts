// Chunk extensions, RFC 9112 §7.1.1: parsed, bounded and ignored.
//
//   *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
//
// They are walked by their grammar, not skipped, because what one reader skips another reader may end a line in.

import { TOKEN_CHARS } from "./grammar.js";

/** Where in an extension a byte stands. */
export const AFTER_SEMICOLON = 0;
const NAME = 1;
const AFTER_NAME = 2;
const AFTER_EQUALS = 3;
const VALUE = 4;
const QUOTED = 5;
const ESCAPED = 6;
const AFTER_QUOTED = 7;
const AFTER_VALUE = 8;

/** The place after `c`, or −1 where `c` must not stand. Neither CR nor LF ever may. */
export function stepExtension(place: number, c: number): number {
  const blank = c === 0x20 || c === 0x09;
  switch (place) {
    case AFTER_SEMICOLON:
      return blank ? AFTER_SEMICOLON : TOKEN_CHARS[c] === 1 ? NAME : -1;
    case NAME:
      if (TOKEN_CHARS[c] === 1) return NAME;
      return blank ? AFTER_NAME : c === 0x3d ? AFTER_EQUALS : c === 0x3b ? AFTER_SEMICOLON : -1;
    case AFTER_NAME:
      return blank ? AFTER_NAME : c === 0x3d ? AFTER_EQUALS : c === 0x3b ? AFTER_SEMICOLON : -1;
    case AFTER_EQUALS:
      return blank ? AFTER_EQUALS : c === 0x22 ? QUOTED : TOKEN_CHARS[c] === 1 ? VALUE : -1;
    case VALUE:
      if (TOKEN_CHARS[c] === 1) return VALUE;
      return blank ? AFTER_VALUE : c === 0x3b ? AFTER_SEMICOLON : -1;
    case QUOTED:
      return c === 0x22 ? AFTER_QUOTED : c === 0x5c ? ESCAPED : isText(c) ? QUOTED : -1;
    case ESCAPED:
      return isText(c) ? QUOTED : -1;
    default:
      return blank ? AFTER_VALUE : c === 0x3b ? AFTER_SEMICOLON : -1;
  }
}

/** Tells whether the line may end at this place. */
export function mayEndAt(place: number): boolean {
  return place === NAME || place === VALUE || place === AFTER_QUOTED;
}

function isText(c: number): boolean {
  return c === 0x09 || (c >= 0x20 && c !== 0x7f);
}
