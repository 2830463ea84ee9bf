// Names. They stand beside what others say, so nobody may look like somebody else or turn the line around.

/** Control characters, line breaks, lone surrogates, and the marks that change the direction of what follows. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** A name with its blanks in order: none at the ends, one between words. */
export function tidyName(name: string): string {
  return name.trim().replace(/[\p{Zs}\t]+/gu, " ");
}

/** Whether nothing of the name could disturb the text around it. */
export function isDecentName(name: string): boolean {
  return !FORBIDDEN.test(name) && nameKey(name) !== "";
}

/** Names with the same key cannot be told apart: upper case, wide letters and what cannot be seen make no difference. */
export function nameKey(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\p{Cf}\p{Mn}\p{Zs}\u115f\u1160\u3164\uffa0\u2800]/gu, "");
}
