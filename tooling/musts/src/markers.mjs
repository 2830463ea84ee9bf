// Markers are citations with a number: `RFC 9112 §6.3 (4)` is the fourth sentence of that section that says MUST.
// Above a line of source one says that the line obeys; in the name of a test, or under the heading of a case of a
// corpus, that this is the proof.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/**
 * @typedef {object} Marker
 * @property {string} id    `9112 6.3 (4)`
 * @property {string} file  below packages/
 * @property {number} line  of the marker, from 1 on
 * @property {string} text  the line that obeys, or the name of the proof
 */

const MARKER = /RFC (911[02]) §(\d+(?:\.\d+)*)((?:,? \(\d+\))+)/g;

/** @returns {string[]} the ids that a line names */
export function idsIn(/** @type {string} */ line) {
  return [...line.matchAll(MARKER)].flatMap(([, rfc, section, numbers]) =>
    [...numbers.matchAll(/\((\d+)\)/g)].map(([, n]) => `${rfc} ${section} (${n})`),
  );
}

/** The markers of what is published, with the line of code below each. @returns {Marker[]} */
export function readSources(/** @type {string} */ root) {
  return walk(root, (path) => /^[\w-]+\/src\/.*\.ts$/.test(path)).flatMap(({ path, text }) =>
    markSource(path, text),
  );
}

/** The markers of tests and corpora, with the name of each. @returns {Marker[]} */
export function readProofs(/** @type {string} */ root) {
  return [
    ...walk(root, (path) => /^[\w-]+\/test\/.*\.test\.ts$/.test(path)).flatMap(({ path, text }) =>
      markTests(path, text),
    ),
    ...walk(root, (path) => /^[\w-]+\/test\/corpus\/.*\.md$/.test(path)).flatMap(({ path, text }) =>
      markCorpus(path, text),
    ),
  ];
}

/** @returns {Marker[]} */
export function markSource(/** @type {string} */ file, /** @type {string} */ text) {
  const lines = text.split("\n");
  return lines.flatMap((line, i) =>
    idsIn(line).map((id) => ({ id, file, line: i + 1, text: codeAt(lines, i) })),
  );
}

/** The code of a line, or of the first one below it that is not a comment; `""` where there is none. */
function codeAt(/** @type {string[]} */ lines, /** @type {number} */ from) {
  for (let i = from; i < lines.length; i++) {
    const code = /^\s*(\/\/|\/?\*)/.test(lines[i]) ? "" : lines[i].replace(/\s*\/\/ .*$/, "").trim();
    if (code !== "") return code;
  }
  return "";
}

/** @returns {Marker[]} */
export function markTests(/** @type {string} */ file, /** @type {string} */ text) {
  const lines = text.split("\n");
  return lines.flatMap((line, i) =>
    idsIn(line).map((id) => ({ id, file, line: i + 1, text: testAt(lines, i) })),
  );
}

/** The name that holds the marker, or that of the test below the comment that does; `""` where there is none. */
function testAt(/** @type {string[]} */ lines, /** @type {number} */ from) {
  if (!/^\s*\/\//.test(lines[from])) return withoutMarkers(NAME_WITH_MARKER.exec(lines[from])?.[2] ?? "");
  for (const line of lines.slice(from + 1)) {
    const name = NAME_OF_TABLE.exec(line) ?? NAME_OF_TEST.exec(line);
    if (name !== null) return name[2];
  }
  return "";
}

const NAME_WITH_MARKER = /(["'`])((?:\\.|(?!\1).)*RFC 911[02] §(?:\\.|(?!\1).)*)\1/;
/** `it.each(…)("name"`, over one line or with the rest of its call. */
const NAME_OF_TABLE = /[\])]\)\(\s*(["'`])((?:\\.|(?!\1).)+)\1/;
const NAME_OF_TEST = /\b(?:it|test|describe)\(\s*(["'`])((?:\\.|(?!\1).)+)\1/;

/** @returns {Marker[]} */
export function markCorpus(/** @type {string} */ file, /** @type {string} */ text) {
  let heading = "";
  return text.split("\n").flatMap((line, i) => {
    if (line.startsWith("## ")) heading = line.slice(3);
    return idsIn(line).map((id) => ({ id, file, line: i + 1, text: heading }));
  });
}

function withoutMarkers(/** @type {string} */ name) {
  return name.replace(MARKER, "").replace(/^[\s,:]+/, "");
}

function walk(/** @type {string} */ root, /** @type {(path: string) => boolean} */ wanted) {
  const packages = join(root, "packages");
  const found = [];
  const visit = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === "node_modules" || entry.name === "dist") continue;
      const full = join(folder, entry.name);
      const path = relative(packages, full).replaceAll("\\", "/");
      if (entry.isDirectory()) visit(full);
      else if (wanted(path)) found.push({ path, text: readFileSync(full, "utf8") });
    }
  };
  visit(packages);
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}
