// Reads the tree that is to be checked: layers.mjs, each package's package.json and sources.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * @typedef {object} Package
 * @property {string} folder  below packages/, also its name without the scope
 * @property {string} name
 * @property {string} dir  relative to the root, "packages/util"
 * @property {Record<string, any>} manifest
 * @property {{ path: string, source: string }[]} files  path relative to the root
 * @property {string} readme  empty where there is none
 *
 * @typedef {object} Tree
 * @property {Package[]} packages
 * @property {{ name: string, dir: string, manifest: Record<string, any> }[]} others  apps and tooling
 * @property {{ layers: string[][], pure: string[], nodeImports: Record<string, string[]>, computedImports?: string[], requires?: string[] }} policy
 */

const SOURCE = /\.[cm]?[jt]sx?$/;

/** @returns {Promise<Tree>} */
export async function readTree(/** @type {string} */ root) {
  const policy = await import(pathToFileURL(join(root, "layers.mjs")).href);
  const packages = members(root, "packages").map((member) => ({
    ...member,
    files: sources(root, `${member.dir}/src`),
    readme: readIfThere(join(root, member.dir, "README.md")),
  }));
  return { policy, packages, others: [...members(root, "apps"), ...members(root, "tooling")] };
}

function members(root, parent) {
  if (!existsSync(join(root, parent))) return [];
  return readdirSync(join(root, parent))
    .filter((folder) => existsSync(join(root, parent, folder, "package.json")))
    .map((folder) => {
      const dir = `${parent}/${folder}`;
      const manifest = JSON.parse(readFileSync(join(root, dir, "package.json"), "utf8"));
      return { folder, name: manifest.name, dir, manifest };
    });
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function sources(root, dir) {
  if (!existsSync(join(root, dir))) return [];
  return readdirSync(join(root, dir), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${dir}/${entry.name}`;
      if (entry.isDirectory()) return sources(root, path);
      return SOURCE.test(entry.name) ? [{ path, source: readFileSync(join(root, path), "utf8") }] : [];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
