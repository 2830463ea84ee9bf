// What a pure package must not touch: everything that does I/O, reads a clock, waits or rolls dice. The compiler with
// `"types": []` refuses most of it; this also sees `Date.now`, `Math.random` and `new Date()`, which it does not, and
// `Date` and `Math` where they are given another name: assigned, returned, or handed to a call.
//
// A name that the file declares is its own from there on, within the brackets around it. What this does not see: an
// alias by other ways (in an array, behind `??`), and globals that are missing in the list.
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
  const own = declarations(tokens);
  const isOwn = (name, i) => own.get(name)?.some(([from, to]) => from <= i && i <= to) === true;
  const found = [];
  for (let i = 0; i < tokens.length; i++) {
    const { kind, text, line } = tokens[i];
    if (kind !== "word" || isOwn(text, i) || mark(tokens[i - 1], ".", "?.")) continue;
    if (FORBIDDEN.has(text)) {
      if (!isMemberName(tokens, i)) found.push({ name: text, line });
    } else if (mark(tokens[i + 1], ".", "?.") && FORBIDDEN_MEMBERS.get(text) === tokens[i + 2]?.text) {
      found.push({ name: `${text}.${tokens[i + 2].text}`, line });
    } else if (FORBIDDEN_MEMBERS.has(text) && isAlias(tokens, i)) {
      found.push({ name: `${text} by another name`, line });
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

/** `Date["now"]`, and `Date` as a value: in `= Date`, `return Date`, `f(Date)`. A type is none of these. */
function isAlias(tokens, i) {
  const before = tokens[i - 1];
  const next = tokens[i + 1];
  if (mark(next, "[")) return !mark(tokens[i + 2], "]");
  if (mark(next, ".", "?.", "(", "<")) return false;
  if (before?.text === "return") return true;
  if (mark(before, "=")) return tokens[i - 3]?.text !== "type";
  return tokens[i].within === "(" && mark(before, "(", ",") && mark(next, ")", ",");
}

/**
 * What the file declares itself (variables, functions, classes, typed parameters, imports): for each name, from which
 * token to which it is the file's own.
 *
 * @returns {Map<string, [number, number][]>}
 */
function declarations(tokens) {
  const names = new Map();
  const open = [];
  const declare = (name, scope) => names.set(name, [...(names.get(name) ?? []), scope]);
  const here = () => {
    const from = open.at(-1);
    if (from === undefined) return [0, tokens.length];
    const end = closing(tokens, from);
    return [from, mark(tokens[from], "(") ? bodyEnd(tokens, end) : end];
  };
  for (let i = 0; i < tokens.length; i++) {
    const { kind, text, within } = tokens[i];
    if (kind === "punctuation" && "([{".includes(text)) open.push(i);
    else if (kind === "punctuation" && ")]}".includes(text)) open.pop();
    if (kind !== "word") continue;
    const before = tokens[i - 1];
    if (before?.kind === "word" && DECLARES.test(before.text)) declare(text, here());
    const typed = mark(tokens[i + 1], ":") || (mark(tokens[i + 1], "?") && mark(tokens[i + 2], ":"));
    if (within === "(" && typed && mark(before, "(", ",")) declare(text, here());
    if (text === "import" && mark(tokens[i + 1], "{")) {
      for (let j = i + 2; j < closing(tokens, i + 1); j++) declare(tokens[j].text, [0, tokens.length]);
    }
  }
  return names;
}

/** Where that ends which the parameters, or the head of a loop, before this `)` are for. */
function bodyEnd(tokens, end) {
  for (let i = end + 1; i < tokens.length; i++) {
    if (mark(tokens[i], ";", ",", ")", "]", "}")) return i;
    if (!mark(tokens[i], "(", "[", "{")) continue;
    const ofType = mark(tokens[i - 1], ":", "|", "&");
    const body = mark(tokens[i], "{") && !ofType;
    i = closing(tokens, i);
    if (body) return i;
  }
  return tokens.length;
}
