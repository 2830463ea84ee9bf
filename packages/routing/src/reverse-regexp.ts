// A path out of a regular expression, where that can be read off it: literal text and groups side by side.

import { urlEscape } from "@tw/escape";

/**
 * Puts `args` where the groups of `pattern` are, escaped in path style (a slash stays, as in Tornado).
 *
 * @throws TypeError for a wrong number of arguments, and for an expression that says more than text and plain groups
 */
export function reverseRegExp(pattern: RegExp, args: readonly (string | number)[]): string {
  const parts = literalParts(pattern);
  const arity = parts.length - 1;
  if (args.length !== arity)
    throw new TypeError(`Pattern ${pattern} takes ${arity} arguments, got ${args.length}`);
  let path = parts[0] as string;
  for (const [i, arg] of args.entries())
    path += urlEscape(String(arg), { plus: false }) + (parts[i + 1] as string);
  return path;
}

/** The text around the groups: always one piece more than there are groups. */
function literalParts(pattern: RegExp): string[] {
  const source = pattern.source.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  const parts = [""];
  for (let at = 0; at < source.length; at++) {
    const character = source[at] as string;
    if (character === "(") {
      at = groupEnd(pattern, source, at);
      parts.push("");
      continue;
    }
    let text = character;
    if (character === "\\") {
      text = source[++at] ?? "";
      if (text === "" || /[A-Za-z0-9]/.test(text)) throw irreversible(pattern, `\\${text}`);
    } else if (/[[\]{}|+*?^$)]/.test(character)) throw irreversible(pattern, character);
    parts[parts.length - 1] += text;
  }
  return parts;
}

/** Index of the `)` of the group that opens at `open`. */
function groupEnd(pattern: RegExp, source: string, open: number): number {
  if (/^\(\?(?!<[^=!])/.test(source.slice(open, open + 4)))
    throw irreversible(pattern, source.slice(open, open + 3));
  let inClass = false;
  for (let at = open + 1; at < source.length; at++) {
    const character = source[at];
    if (character === "\\") at++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (inClass) continue;
    else if (character === "(") throw irreversible(pattern, "a group in a group");
    else if (character === ")") return at;
  }
  throw irreversible(pattern, "(");
}

function irreversible(pattern: RegExp, what: string): TypeError {
  return new TypeError(`Pattern ${pattern} cannot be turned into a path: it has ${what}`);
}
