// What there is to publish, derived from packages/*/package.json and layers.mjs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { layers, pure } from "../../../layers.mjs";

export const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * @typedef {object} Packed
 * @property {string} name
 * @property {string} folder
 * @property {string} dir  absolute
 * @property {Record<string, any>} manifest  as in the repository
 * @property {boolean} pure
 * @property {string[]} entries  what can be imported: "@tw/iostream", "@tw/iostream/testing"
 */

/** @returns {Packed[]} */
export function readPackages() {
  return readdirSync(`${root}packages`)
    .filter((folder) => existsSync(`${root}packages/${folder}/package.json`))
    .map((folder) => {
      const dir = `${root}packages/${folder}`;
      const manifest = JSON.parse(readFileSync(`${dir}/package.json`, "utf8"));
      const entries = Object.keys(manifest.exports ?? {})
        .filter((entry) => entry !== "./package.json")
        .map((entry) => manifest.name + entry.slice(1));
      return { name: manifest.name, folder, dir, manifest, pure: pure.includes(folder), entries };
    });
}

/** Everything that an install of `name` brings along, itself included. */
export function closure(/** @type {string} */ name, /** @type {Packed[]} */ packages) {
  const found = new Set();
  const visit = (each) => {
    if (found.has(each)) return;
    found.add(each);
    const { manifest } = packages.find((one) => one.name === each) ?? {};
    for (const dependency of Object.keys(manifest?.dependencies ?? {})) visit(dependency);
  };
  visit(name);
  return [...found].sort();
}

const HTTP = /^@tw\/(?:http.*|wsproto|routing|web|websocket|tornado)$/;

/**
 * What is wrong with the set of packages that installing `name` alone has brought.
 * @param {string[]} installed  names below node_modules, the package itself among them
 * @returns {string[]}
 */
export function checkInstalled(name, installed, packages) {
  const line = (each) => layers.findIndex((folders) => folders.includes(each.replace("@tw/", "")));
  const expected = closure(name, packages);
  const problems = [];
  for (const each of installed) {
    if (!each.startsWith("@tw/")) problems.push(`brings ${each}, which is not ours`);
    else if (!expected.includes(each)) problems.push(`brings ${each}, on which it does not depend`);
    else if (each !== name && line(each) >= line(name))
      problems.push(`brings ${each}, which is not on a lower line`);
    // What DESIGN promises to somebody with a protocol of their own on TCP.
    if ((name === "@tw/iostream" || name === "@tw/tcp") && HTTP.test(each))
      problems.push(`brings ${each} of HTTP`);
  }
  for (const each of expected) if (!installed.includes(each)) problems.push(`does not bring ${each}`);
  return problems;
}
