// What HTTP calls optional whitespace: SP and HTAB, and nothing else that looks empty.

/**
 * Takes SP and HTAB off both ends (S-03). What `String.trim` would also take off, NBSP for one, belongs to a value: with it a
 * name is another one. Linear: `replace(/[ \t]+$/, "")` is quadratic in blanks that something follows.
 *
 * @example
 * trimBlanks("\t gzip "); // "gzip"
 */
export function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return end - start === value.length ? value : value.slice(start, end);
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}
