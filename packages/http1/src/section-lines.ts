/** The lines of a section, in bytes from its start. */
export interface SectionLines {
  count: number;
  /** Where the token that a line begins with ends: the method, or a field name. */
  tokenEnds: Int32Array;
  /** Where the line ends, at its CR. */
  ends: Int32Array;
}

/**
 * The lines of the last complete section. One for all machines: it is filled and used up within one call of `next()`.
 */
export const lines: SectionLines = { count: 0, tokenEnds: new Int32Array(128), ends: new Int32Array(128) };

/** Makes room for more lines, and keeps what is there. */
export function growLines(): SectionLines {
  const { tokenEnds, ends } = lines;
  lines.tokenEnds = new Int32Array(ends.length * 2);
  lines.tokenEnds.set(tokenEnds);
  lines.ends = new Int32Array(ends.length * 2);
  lines.ends.set(ends);
  return lines;
}
