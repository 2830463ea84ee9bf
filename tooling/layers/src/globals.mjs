// What a pure package must not touch: everything that does I/O, reads a clock, waits or rolls dice. The compiler with
// `"types": []` refuses most of it; this also sees `Date.now`, `Math.random` and `new Date()`, which it does not.
import { closing } from "./imports.mjs";

const FORBIDDEN = new Set(
  (
    "process Buffer setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask " +
    "performance crypto fetch WebSocket EventSource XMLHttpRequest console navigator globalThis window document " +
    "require __dirname __filename"
  ).split(" "),
);
const FORBIDDEN_MEMBERS = new Map([
  ["Date", "now"],
  ["Math", "random"],
  ["AbortSignal", "timeout"],
  ["Atomics", "wait"],
]);
const DECLARES = /^(?:const|let|var|function|class|interface|type|enum)$/;
const MODIFIES = /^(?:get|set|static|async|readonly|public|private|protected|abstract|override|declare)$/;

const mark = (token, ...texts) => token?.kind === "punctuation" && texts.includes(token.text);

/** @returns {{ name: string, line: number }[]} */
export function findGlobals(/** @type {import("./tokens.mjs").Token[]} */ tokens) {
  const own = declaredNames(tokens);
  const found = [];
  for (let i = 0; i < tokens.length; i++) {
    const { kind, text, line } = tokens[i];
    if (kind !== "word" || own.has(text) || mark(tokens[i - 1], ".", "?.")) continue;
    if (FORBIDDEN.has(text)) {
      if (!isMemberName(tokens, i)) found.push({ name: text, line });
    } else if (mark(tokens[i + 1], ".", "?.") && FORBIDDEN_MEMBERS.get(text) === tokens[i + 2]?.text) {
      found.push({ name: `${text}.${tokens[i + 2].text}`, line });
    } else if (text === "Date" && readsClock(tokens, i)) {
      found.push({ name: tokens[i - 1]?.text === "new" ? "new Date()" : "Date()", line });
    }
  }
  return found;
}

/** `new Date()`, `new Date` and `Date()` without arguments: all of them are now. */
function readsClock(tokens, i) {
  const next = tokens[i + 1];
  if (mark(next, "(")) return mark(tokens[i + 2], ")");
  return tokens[i - 1]?.text === "new" && !mark(next, ".", "?.");
}

/** A key, a parameter, a method or a field that merely has the name. */
function isMemberName(tokens, i) {
  const { within } = tokens[i];
  const before = tokens[i - 1];
  const next = mark(tokens[i + 1], "?", "!") ? tokens[i + 2] : tokens[i + 1];
  if (mark(next, ":") && (within === "{" || within === "(") && !mark(before, "?", ":")) return true;
  const starts =
    mark(before, "{", "}", ";", ",", "*") || (before?.kind === "word" && MODIFIES.test(before.text));
  if (!starts || within !== "{" || !mark(next, "(")) return false;
  return mark(tokens[closing(tokens, tokens.indexOf(next, i)) + 1], "{", ":");
}

/** Names that the file declares itself: variables, functions, classes, typed parameters, imports. */
function declaredNames(tokens) {
  const names = new Set();
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i].kind !== "word") continue;
    const before = tokens[i - 1];
    if (before?.kind === "word" && DECLARES.test(before.text)) names.add(tokens[i].text);
    const typed = mark(tokens[i + 1], ":") || (mark(tokens[i + 1], "?") && mark(tokens[i + 2], ":"));
    if (tokens[i].within === "(" && typed && mark(before, "(", ",")) names.add(tokens[i].text);
    if (tokens[i].text === "import" && mark(tokens[i + 1], "{")) {
      for (let j = i + 2; j < closing(tokens, i + 1); j++) names.add(tokens[j].text);
    }
  }
  return names;
}
