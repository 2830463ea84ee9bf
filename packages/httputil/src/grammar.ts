// The character classes of RFC 9110 that more than one module needs, as one table: one lookup a character.

/** Bit of {@link CHARS}: may stand in a token, RFC 9110 §5.6.2. */
export const TOKEN = 1;
/** Bit of {@link CHARS}: may stand in a field value, RFC 9110 §5.5: HTAB, SP, VCHAR, obs-text. */
export const FIELD = 2;

/** Classes of the characters U+0000 to U+00FF; what lies above belongs to none. */
export const CHARS: Uint8Array = classify();

/** Tells whether `text` is a token, RFC 9110 §5.6.2: not empty, and letters, digits and some marks only. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++)
    if (((CHARS[text.charCodeAt(i)] as number) & TOKEN) === 0) return false;
  return text.length > 0;
}

/** Tells whether `text` may stand in a field value or a reason phrase: no control but HTAB, nothing above U+00FF. */
export function isFieldText(text: string): boolean {
  for (let i = 0; i < text.length; i++)
    if (((CHARS[text.charCodeAt(i)] as number) & FIELD) === 0) return false;
  return true;
}

/** Compares two names without regard to the case of ASCII letters. */
export function sameName(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if ((x ^ y) !== 0x20) return false;
    const lower = x | 0x20;
    if (lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}

function classify(): Uint8Array {
  const table = new Uint8Array(256);
  for (let c = 0x20; c < 256; c++) if (c !== 0x7f) table[c] = FIELD;
  table[0x09] = FIELD;
  const marks = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (const c of marks) table[c.charCodeAt(0)] = FIELD | TOKEN;
  return table;
}
