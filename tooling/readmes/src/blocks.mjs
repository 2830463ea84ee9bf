// The examples of a README: its ```ts and ```js blocks, each a module by itself, or in JavaScript several.

/**
 * @typedef {object} Block
 * @property {"ts" | "js"} language
 * @property {string} source  what a reader would copy
 * @property {number} line  of its first line in the README
 */

/** Every block of `markdown`, in order. @returns {Block[]} */
export function blocksOf(/** @type {string} */ markdown) {
  return [...markdown.matchAll(/^```(ts|js)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: /** @type {"ts" | "js"} */ (match[1]),
    source: match[2] ?? "",
    line: markdown.slice(0, match.index).split("\n").length + 1,
  }));
}

/**
 * The files of a block of JavaScript, the program first: a line `// name.mjs` begins one. They are run as they are.
 *
 * @returns {{ name: string, source: string }[]}
 */
export function filesOf(/** @type {string} */ source) {
  const parts = source.split(/^\/\/ ([\w-]+\.mjs)\n/m);
  if (parts.length === 1) return [{ name: "main.mjs", source }];
  const names = parts.filter((_, i) => i % 2 === 1);
  return names.map((name, i) => ({ name, source: parts[2 * i + 2] ?? "" }));
}

/**
 * What is compiled and run of a block of TypeScript: on `port` in place of 8888, without waiting for a signal, and no
 * longer than its statements.
 *
 * @returns {string}
 */
export function runnable(/** @type {string} */ source, /** @type {number} */ port) {
  const once = source
    .replaceAll("8888", String(port))
    .replaceAll(/^await IOLoop\.current\(\)\.start\(\);/gm, "IOLoop.current();");
  return `${once}\nprocess.exit(0);\nexport {};\n`;
}
