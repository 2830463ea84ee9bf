// One package as it would be published: packed by pnpm, then looked at by publint, attw and our own eyes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root } from "./packages.mjs";
import { run } from "./run.mjs";

const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** Who resolves so asks for CommonJS, which these packages have none of. */
const NOT_OURS = new Set(["node10", "node16-cjs"]);
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare"];

/**
 * @typedef {object} Tarball
 * @property {string} path
 * @property {Buffer} bytes
 * @property {Record<string, any>} manifest  as published
 * @property {string[]} files
 */

/** @returns {Promise<Tarball>} */
export async function pack(
  /** @type {import("./packages.mjs").Packed} */ { dir, name },
  /** @type {string} */ target,
) {
  const { status, output } = await run("pnpm", ["pack", "--json", "--pack-destination", target], {
    cwd: dir,
  });
  if (status !== 0) throw new Error(`pnpm pack: ${output}`);
  const { filename } = JSON.parse(output.slice(output.indexOf("{")));
  const path = join(target, filename.split("/").at(-1));
  const bytes = readFileSync(path);
  const entries = readTar(gunzipSync(bytes));
  const manifest = JSON.parse(entries.get("package/package.json") ?? "{}");
  if (manifest.name !== name) throw new Error(`packed ${path}, which is not ${name}`);
  return { path, bytes, manifest, files: [...entries.keys()].map((file) => file.replace(/^package\//, "")) };
}

/** @returns {Promise<string[]>} what is wrong with it */
export async function checkTarball(/** @type {Tarball} */ tarball) {
  return [...(await lint(tarball)), ...(await checkTypes(tarball))];
}

/** Entries that the manifest promises and the tarball lacks: then nothing else is worth asking. */
export function missingEntries(/** @type {Pick<Tarball, "manifest" | "files">} */ { manifest, files }) {
  return Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) =>
    (typeof target === "string" ? [target] : Object.values(target))
      .filter((file) => !files.includes(file.replace("./", "")))
      .map((file) => `exports ${entry} as ${file}, which it lacks (was it built?)`),
  );
}

/** @returns {string[]} what a package must not be published with, or without */
export function checkContents(/** @type {Pick<Tarball, "manifest" | "files">} */ { manifest, files }) {
  const problems = [];
  for (const file of ["README.md", "LICENSE", "package.json"]) {
    if (!files.includes(file)) problems.push(`has no ${file}`);
  }
  const stray = files.find((file) => /^test\/|\.test\.|\.tsbuildinfo$|^node_modules\//.test(file));
  if (stray !== undefined) problems.push(`carries ${stray}`);
  for (const script of INSTALL_SCRIPTS) {
    if (manifest.scripts?.[script] !== undefined) problems.push(`runs a script on ${script}`);
  }
  return [...problems, ...checkManifest(manifest), ...checkSideEffects(manifest, files)];
}

/** What every package of ours says of itself. */
function checkManifest({ files = [], dependencies = {}, license, engines: own, publishConfig }) {
  const problems = [];
  for (const [name, range] of Object.entries(dependencies)) {
    // Anything narrower than a caret gives a program two copies of a package; "workspace:^" becomes one.
    if (!range.startsWith("^"))
      problems.push(`depends on ${name} ${range}: in the repository this is "workspace:^"`);
  }
  if (license !== "MIT") problems.push("does not say license: MIT");
  if (own?.node !== engines.node) problems.push(`does not say engines: ${JSON.stringify(engines)}`);
  if (publishConfig?.access !== "public") problems.push("does not say publishConfig: access: public");
  // No release has written one yet, so it cannot be looked for in the tarball.
  if (!files.includes("CHANGELOG.md")) problems.push("does not list CHANGELOG.md in files");
  return problems;
}

/** `false`, or by name the files that do something when they are imported: the entries of threads. */
function checkSideEffects({ sideEffects }, files) {
  if (sideEffects === false) return [];
  if (!Array.isArray(sideEffects) || sideEffects.length === 0)
    return ["says neither sideEffects: false nor which files have them"];
  return sideEffects
    .filter((file) => !files.includes(file.replace("./", "")))
    .map((file) => `says that ${file} has side effects, which it lacks`);
}

async function lint({ bytes }) {
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({
    pack: { tarball },
    strict: true,
    level: "warning",
  });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function checkTypes({ bytes }) {
  const { types, problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)));
  if (!types) return ["has no types"];
  return problems
    .filter(({ resolutionKind }) => !NOT_OURS.has(resolutionKind))
    .map(
      ({ kind, entrypoint = ".", resolutionKind = "any" }) =>
        `attw: ${kind} of ${entrypoint} (${resolutionKind})`,
    );
}

/** Regular files of a ustar archive, by name. */
function readTar(/** @type {Buffer} */ bytes) {
  const files = new Map();
  const text = (from, length) => bytes.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    const name = prefix === "" ? text(at, 100) : `${prefix}/${text(at, 100)}`;
    const type = text(at + 156, 1);
    if (type === "0" || type === "") files.set(name, bytes.toString("utf8", at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
