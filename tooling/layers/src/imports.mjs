// Finds everything a TypeScript file reaches for by name: static, dynamic and type imports, re-exports, `require`,
// `createRequire`, `process.getBuiltinModule`, `import.meta.resolve`, module augmentations, files beside this one, and
// in JavaScript the types of comments.
//
// What it does not see: code in strings (`eval`, a Worker with `eval: true`), `process.binding` and other doors of Node
// that have no documentation, and names that are put together ("get" + "BuiltinModule").

/**
 * @typedef {object} Import
 * @property {string | undefined} specifier  undefined where it is computed and nobody can tell
 * @property {number} line
 * @property {"import" | "star" | "require" | "builtin" | "file"} how  "star" is export *; "file" is new URL(…, import.meta.url): nothing is imported yet
 */

const isMark = (token, text) => token?.kind === "punctuation" && token.text === text;
const isWord = (token, text) => token?.kind === "word" && token.text === text;
const isMember = (token) => isMark(token, ".") || isMark(token, "?.");

/** @returns {Import[]} */
export function findImports(/** @type {import("./tokens.mjs").Token[]} */ tokens) {
  /** @type {Import[]} */
  const found = [];
  const requires = requireNames(tokens);
  const add = (how, token, at) => {
    const literal = token?.kind === "string" || (token?.kind === "template" && token.text !== "");
    found.push({ specifier: literal ? token.text : undefined, line: (token ?? at).line, how });
  };

  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token.kind === "string" && token.text === "getBuiltinModule") add("builtin", undefined, token);
    if (token.kind !== "word") continue;
    const next = tokens[i + 1];
    const member = isMember(tokens[i - 1]);
    if (token.text === "import" && !member) {
      if (isMark(next, "(")) addCall("import", i + 2);
      else if (next?.kind === "string") add("import", next, token);
      else if (isMark(next, ".") && isWord(tokens[i + 4], "resolve")) addCall("import", i + 6);
      else if (!isMark(next, ".")) addFrom(i);
    } else if (token.text === "export" && !member) {
      const clause = isWord(next, "type") ? tokens[i + 2] : next;
      if (isMark(clause, "{") || isMark(clause, "*")) addFrom(i, isMark(clause, "*") ? "star" : "import");
    } else if (requires.has(token.text) && (!member || isWord(tokens[i - 2], "module"))) {
      if (isMark(next, "(")) addCall("require", i + 2);
      else if (isMark(next, ".") && isWord(tokens[i + 2], "resolve")) addCall("require", i + 4);
    } else if (token.text === "createRequire" && isMark(next, "(")) {
      const end = closing(tokens, i + 1);
      if (isMark(tokens[end + 1], "(")) addCall("require", end + 2);
    } else if (token.text === "getBuiltinModule") {
      if (isMark(next, "(")) addCall("builtin", i + 2);
      else add("builtin", undefined, token);
    } else if (token.text === "URL" && isMark(next, "(") && isBeside(i + 2)) {
      add("file", tokens[i + 2]);
    } else if (token.text === "module" && isWord(tokens[i - 1], "declare") && next?.kind === "string") {
      add("import", next, token);
    }
  }
  return found;

  /** Whether these are the arguments `"…", import.meta.url`. */
  function isBeside(at) {
    const rest = tokens.slice(at + 1, at + 7);
    return rest.map(({ text }) => text).join("") === ",import.meta.url";
  }

  /** The first argument of a call, which starts at `at`. What `require` is given by a computed name is not looked at. */
  function addCall(how, at) {
    const whole = isMark(tokens[at + 1], ")") || isMark(tokens[at + 1], ",");
    if (whole) add(how, tokens[at], tokens[at - 1]);
    else add(how, undefined, tokens[at - 1]);
  }

  /** `from "x"` or `= require("x")` of the statement which starts at `at`; nothing for `export { local }`. */
  function addFrom(at, how = "import") {
    for (let i = at + 1; i < tokens.length; i++) {
      if (isWord(tokens[i], "from") && tokens[i + 1]?.kind === "string") return add(how, tokens[i + 1]);
      if (isMark(tokens[i], ";") || isMark(tokens[i], "=")) return undefined;
      if (isMark(tokens[i], "}") && !isWord(tokens[i + 1], "from")) return undefined;
      if (i > at + 1 && tokens[i].line > tokens[i - 1].line && /^(?:import|export)$/.test(tokens[i].text))
        return undefined;
    }
    return undefined;
  }
}

/** `import("x")` in the comments of a JavaScript file, where the compiler takes it for a type. @returns {Import[]} */
export function findDocImports(/** @type {string} */ source) {
  return [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) =>
    [...comment[0].matchAll(/\bimport\(\s*(["'])(.+?)\1|@import\b[^"'\n]*(["'])(.+?)\3/g)].map((match) => ({
      specifier: match[2] ?? match[4],
      line: source.slice(0, comment.index + match.index).split("\n").length,
      how: "import",
    })),
  );
}

/** `require`, and each `const name = createRequire(…)`. */
function requireNames(tokens) {
  const names = new Set(["require"]);
  for (let i = 2; i < tokens.length; i++) {
    if (!isWord(tokens[i], "createRequire")) continue;
    let before = i - 1;
    if (isMember(tokens[before])) before -= 2;
    if (!isMark(tokens[before], "=") || tokens[before - 1]?.kind !== "word") continue;
    if (!isMark(tokens[closing(tokens, i + 1) + 1], "(")) names.add(tokens[before - 1].text);
  }
  return names;
}

/** The index of the bracket that closes the one at `at`. */
export function closing(tokens, at) {
  let depth = 0;
  for (let i = at; i < tokens.length; i++) {
    if (tokens[i].kind !== "punctuation") continue;
    if ("([{".includes(tokens[i].text)) depth++;
    else if (")]}".includes(tokens[i].text) && --depth === 0) return i;
  }
  return tokens.length;
}
