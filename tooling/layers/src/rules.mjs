// All rules over the whole tree, in the order in which they are printed: files, package by package, then what concerns
// the package as such, then layers.mjs itself.
import { checkFile } from "./file-rules.mjs";
import { Policy } from "./policy.mjs";

/**
 * @typedef {object} Violation
 * @property {string} where  "packages/x/src/file.ts:12", or the file that has to change
 * @property {string} rule  a stable short name
 * @property {string} message
 */

/** @returns {Violation[]} */
export function checkTree(/** @type {import("./workspace.mjs").Tree} */ { packages, others, policy: data }) {
  const policy = new Policy(data);
  const byName = new Map(packages.map((each) => [each.name, each]));
  return [
    ...packages.flatMap((each) => {
      const used = new Set();
      const inFiles = each.files.flatMap((file) => checkFile(each, file, { policy, byName, used }));
      return [...inFiles, ...checkManifest(each, policy, byName, used)];
    }),
    ...checkPolicy(packages, policy),
    ...checkCycles([...packages, ...others]),
  ];
}

function checkManifest({ dir, folder, name, manifest, files }, policy, byName, used) {
  const found = [];
  const report = (rule, message) => found.push({ where: `${dir}/package.json`, rule, message });
  if (name !== `@tw/${folder}`) report("package-name", `is named "${name}", its folder says "@tw/${folder}"`);
  if (files.length === 0) report("no-sources", "has no source files, so nothing of it was checked");
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (!dependency.startsWith("@tw/"))
      report("third-party-dependency", `depends on "${dependency}" at run time`);
    else if (!byName.has(dependency))
      report("unknown-dependency", `depends on "${dependency}", which is not in packages/`);
    else if (!used.has(dependency))
      report("unused-dependency", `declares "${dependency}" and never imports it`);
  }
  for (const kind of [
    "optionalDependencies",
    "peerDependencies",
    "bundleDependencies",
    "bundledDependencies",
  ]) {
    for (const dependency of Object.keys(manifest[kind] ?? {})) {
      report("third-party-dependency", `has "${dependency}" in its ${kind}`);
    }
  }
  if (policy.line(folder) === undefined) report("not-in-layers", "is not in layers.mjs");
  return found;
}

function checkPolicy(packages, policy) {
  const folders = new Set(packages.map((each) => each.folder));
  const found = policy.listed
    .filter((folder) => !folders.has(folder))
    .map((folder) => ({
      where: "layers.mjs",
      rule: "listed-and-missing",
      message: `lists "${folder}", which is not in packages/`,
    }));
  for (const folder of policy.repeated) {
    found.push({ where: "layers.mjs", rule: "listed-twice", message: `lists "${folder}" twice` });
  }
  return found;
}

/** Cycles through dependencies of every kind; turbo refuses those through devDependencies too, less readably. */
function checkCycles(members) {
  const graph = new Map(
    members.map(({ name, manifest }) => [
      name,
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies }),
    ]),
  );
  const dirs = new Map(members.map(({ name, dir }) => [name, dir]));
  const found = [];
  const finished = new Set();
  const visit = (name, path) => {
    const start = path.indexOf(name);
    if (start >= 0) {
      const cycle = [...path.slice(start), name].join(" → ");
      found.push({
        where: `${dirs.get(name)}/package.json`,
        rule: "cycle",
        message: `depends on itself: ${cycle}`,
      });
      return;
    }
    if (finished.has(name) || !graph.has(name)) return;
    for (const next of graph.get(name)) visit(next, [...path, name]);
    finished.add(name);
  };
  for (const name of graph.keys()) visit(name, []);
  return found;
}
