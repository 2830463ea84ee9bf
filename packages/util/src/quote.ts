// How messages repeat what they complain about: quoted, not all of a megabyte, and so that nothing a peer sent begins a
// line of a log, talks to a terminal or shows text in another order than it has (S-43).

/** What JSON leaves alone: DEL, C1 controls (U+009B begins an escape sequence), line separators, what turns text round. */
const UNSAFE = /[\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * The first `limit` characters of a text as JSON with every control escaped, and anything else as it is written.
 *
 * @example
 * quote('say "\u009b31m"'); // '"say \\"\\u009b31m\\""'
 */
export function quote(value: unknown, limit = 100): string {
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.slice(0, limit)).replace(UNSAFE, unicodeEscape);
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
