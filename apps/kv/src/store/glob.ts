// Redis's patterns: * ? [abc] [^a-z] \x. Written without recursion: for a pattern with many stars a matcher that tries
// everything takes exponential time, which a client could ask for; this one takes at most pattern times text.

/** Whether all of `text` is as `pattern` says. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where to go on when what follows the last star does not fit here: one character later.
  let star = -1;
  let starText = 0;
  while (t < text.length || p < pattern.length) {
    if (pattern[p] === "*") {
      star = p++;
      starText = t;
      continue;
    }
    const next = t < text.length ? matchOne(pattern, p, text[t] as string) : -1;
    if (next !== -1) {
      p = next;
      t++;
    } else if (star !== -1 && starText < text.length) {
      p = star + 1;
      t = ++starText;
    } else return false;
  }
  return true;
}

/** The index behind the one element at `p` if `char` fits it, or −1. */
function matchOne(pattern: string, p: number, char: string): number {
  switch (pattern[p]) {
    case undefined:
      return -1;
    case "?":
      return p + 1;
    case "[":
      return matchClass(pattern, p + 1, char);
    case "\\":
      if (p + 1 < pattern.length) return pattern[p + 1] === char ? p + 2 : -1;
      return char === "\\" ? p + 1 : -1;
    default:
      return pattern[p] === char ? p + 1 : -1;
  }
}

/**
 * A class without its end takes the rest of the pattern. As Redis has it, whatever stands behind `x-` is the end of a range,
 * a `]` too, and what is escaped begins none.
 */
function matchClass(pattern: string, from: number, char: string): number {
  let p = from;
  const negated = pattern[p] === "^";
  if (negated) p++;
  let found = false;
  for (; p < pattern.length && pattern[p] !== "]"; p++) {
    let low = pattern[p] as string;
    let high = low;
    if (low === "\\" && p + 1 < pattern.length) {
      p++;
      low = high = pattern[p] as string;
    } else if (pattern[p + 1] === "-" && p + 2 < pattern.length) {
      p += 2;
      high = pattern[p] as string;
    }
    if (low > high) [low, high] = [high, low];
    if (char >= low && char <= high) found = true;
  }
  return found === negated ? -1 : p + 1;
}
