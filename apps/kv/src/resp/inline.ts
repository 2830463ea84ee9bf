// Requests as people type them: words between blanks, "with escapes \x00 \n \"" or 'without'.

import { flat } from "../store/flat-text.js";

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/** The words of a line, or `undefined` when a quote is missing or stands in a word. */
export function splitInline(line: string): string[] | undefined {
  const words: string[] = [];
  let at = 0;
  for (;;) {
    while (isBlank(line[at])) at++;
    if (at >= line.length) return words;
    let word = "";
    for (; at < line.length && !isBlank(line[at]); at++) {
      const quote = line[at];
      if (quote !== '"' && quote !== "'") {
        word += quote;
        continue;
      }
      const end = closing(line, at);
      if (end === -1 || !(end + 1 === line.length || isBlank(line[end + 1]))) return undefined;
      word += unquote(line.slice(at + 1, end), quote);
      at = end;
    }
    words.push(flat(word));
  }
}

/** Where the quote ends that begins at `at`, or −1. */
function closing(line: string, at: number): number {
  for (let i = at + 1; i < line.length; i++) {
    if (line[i] === "\\") i++;
    else if (line[i] === line[at]) return i;
  }
  return -1;
}

function unquote(text: string, quote: string): string {
  if (quote === "'") return text.replaceAll("\\'", "'");
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_whole, hex?: string, char = "") =>
    hex === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t" || char === "\r" || char === "\n" || char === "\0";
}
