// The examples of a README: its ```ts blocks, each a module by itself.

/**
 * @typedef {object} Block
 * @property {string} source  what a reader would copy
 * @property {number} line  of its first line in the README
 */

/** Every block of `markdown`, in order. @returns {Block[]} */
export function blocksOf(/** @type {string} */ markdown) {
  return [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    source: match[1] ?? "",
    line: markdown.slice(0, match.index).split("\n").length + 1,
  }));
}

/**
 * What is compiled and run: on `port` in place of 8888, without waiting for a signal, and no longer than its statements.
 *
 * @returns {string}
 */
export function runnable(/** @type {string} */ source, /** @type {number} */ port) {
  const once = source
    .replaceAll("8888", String(port))
    .replaceAll(/^await IOLoop\.current\(\)\.start\(\);/gm, "IOLoop.current();");
  return `${once}\nprocess.exit(0);\nexport {};\n`;
}
