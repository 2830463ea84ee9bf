// Cuts TypeScript into tokens, no finer than the import check needs: comments vanish, strings, templates and regular
// expressions are one token each, so that nothing inside them is taken for code. Code inside `${…}` is code.
//
// Strings and regular expressions end at the end of their line at the latest: where the guess between a division and a
// regular expression is wrong, it is wrong for one line.

/**
 * @typedef {object} Token
 * @property {"word" | "string" | "template" | "number" | "regexp" | "punctuation" | "reference"} kind
 * @property {string} text  a string's content without quotes; a template's when it has no `${…}`, else ""
 * @property {number} line  counted from 1
 * @property {string} within  the innermost open bracket: "(", "[", "{", "${" or "" at the top
 */

const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)n?/y;
const STRING = /(["'])((?:\\(?:\r\n|[\s\S])|(?!\1)[^\\\n])*)\1?/y;
const REGEXP = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]?|[^/\\[\n])+\/?[a-z]*/y;
const TEMPLATE_CHUNK = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*/y;
const TRIVIA = /(?:\s+|\/\*[\s\S]*?(?:\*\/|$)|\/\/(?!\/\s*<reference)[^\n]*)+/y;
const REFERENCE = /\/\/\/\s*<reference\s[^\n]*/y;
const PUNCTUATION = /\.\.\.|\?\.(?!\d)|[\s\S]/uy;

/** Words after which `/` opens a regular expression though a value could not follow a name. */
const BEFORE_VALUE = new Set(
  "return typeof case in of delete void throw new instanceof await yield else do".split(" "),
);
const HEADED = new Set(["if", "while", "for", "with"]);

/** @returns {Token[]} */
export function tokenize(/** @type {string} */ source) {
  const tokens = [];
  /** @type {{ bracket: string, headed: boolean }[]} */
  const open = [];
  let at = 0;
  let line = 1;
  let afterHead = false; // the last token is the `)` of `if (…)` and its like
  if (source.startsWith("#!")) at = source.indexOf("\n");

  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match === null || match[0] === "") return undefined;
    at += match[0].length;
    return match;
  };
  const push = (kind, text, matched) => {
    tokens.push({ kind, text, line, within: open.at(-1)?.bracket ?? "" });
    countLines(matched);
    afterHead = false;
  };
  const countLines = (text) => {
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) line++;
  };
  const template = () => {
    const text = take(TEMPLATE_CHUNK)?.[0] ?? "";
    if (source[at] === "$") {
      at += 2;
      push("template", "", text);
      open.push({ bracket: "${", headed: false });
    } else {
      at += 1;
      push("template", text, text);
    }
  };
  const opensRegexp = () => {
    const last = tokens.at(-1);
    if (last === undefined) return true;
    if (last.kind === "word") return BEFORE_VALUE.has(last.text);
    if (last.kind !== "punctuation") return false;
    if (last.text === ")") return afterHead;
    if (last.text === "}") return last.line !== line;
    return last.text !== "]";
  };

  while (at < source.length) {
    let match = take(TRIVIA);
    if (match) {
      countLines(match[0]);
      continue;
    }
    match = take(REFERENCE);
    if (match) {
      push("reference", match[0], match[0]);
      continue;
    }
    const next = source[at];
    if (next === "`") {
      at += 1;
      template();
      continue;
    }
    if (next === "}" && open.at(-1)?.bracket === "${") {
      at += 1;
      open.pop();
      template();
      continue;
    }
    match = take(STRING);
    if (match) {
      push("string", match[2], match[0]);
      continue;
    }
    match = take(NUMBER);
    if (match) {
      push("number", match[0], "");
      continue;
    }
    match = take(WORD);
    if (match) {
      push("word", match[0], "");
      continue;
    }
    match = next === "/" && opensRegexp() ? take(REGEXP) : undefined;
    if (match) {
      push("regexp", match[0], "");
      continue;
    }
    const mark = take(PUNCTUATION)[0];
    const closed = ")]}".includes(mark) ? open.pop() : undefined;
    const before = tokens.at(-1);
    push("punctuation", mark, "");
    afterHead = mark === ")" && closed?.headed === true;
    if ("([{".includes(mark)) {
      open.push({ bracket: mark, headed: before?.kind === "word" && HEADED.has(before.text) });
    }
  }
  return tokens;
}
