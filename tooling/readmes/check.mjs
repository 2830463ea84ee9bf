// Compiles and runs every example of the READMEs, as it is written:  node tooling/readmes/check.mjs [package …]
//
// Each block is a module in a directory that depends on all packages, as a reader's project would. TypeScript is strict in
// its types and has run when the last of its statements has; servers that it has made listen then, and end with it.
// JavaScript is run by this Node as it stands, until it ends by itself.
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { blocksOf, filesOf, runnable } from "./src/blocks.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const TIMEOUT_MS = 20_000;

/** Of what a failed example says. */
const STDERR_LINES = 10;

/** Whether the poller was compiled. Where it was not, what an example says of that is what it is there for. */
const prebuilds = join(root, "packages/poller/prebuilds");
const compiled = existsSync(prebuilds) && readdirSync(prebuilds).some((name) => name.endsWith(".node"));

/** So many examples run at a time. */
const LANES = 2;

const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : readdirSync(join(root, "packages"));
const readmes = names
  .map((name) => `packages/${name}/README.md`)
  .filter((each) => existsSync(join(root, each)));
if (asked.length === 0) readmes.unshift("README.md");
const examples = readmes.flatMap((readme) =>
  blocksOf(readFileSync(join(root, readme), "utf8")).map(({ language, source, line }) => ({
    language,
    source,
    where: `${readme}:${line}`,
    file: `${readme.replaceAll(/\W/g, "-")}-${line}`,
  })),
);

const modules = join(here, "dist");
rmSync(modules, { recursive: true, force: true });
mkdirSync(modules);
const scratch = mkdtempSync(join(tmpdir(), "tw-readmes-"));
try {
  const failures = [...compile(await freePorts(examples.length)), ...(await run())];
  for (const failure of failures) console.error(failure);
  console.log(`${examples.length} examples, ${failures.length} failures`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(modules, { recursive: true });
  rmSync(scratch, { recursive: true });
}

/** Ports that nobody listened on just now, a different one for each example. @returns {Promise<number[]>} */
async function freePorts(/** @type {number} */ count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => server.listening || once(server, "listening")));
  const ports = servers.map(
    (server) => /** @type {import("node:net").AddressInfo} */ (server.address()).port,
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Writes the examples, and JavaScript beside them. @returns {string[]} what is wrong with their types */
function compile(/** @type {number[]} */ ports) {
  examples.forEach(({ language, source, file }, i) => {
    if (language === "ts") writeFileSync(join(modules, `${file}.ts`), runnable(source, ports[i] ?? 0));
    else writeFiles(join(modules, file), source);
  });
  const compilerOptions = {
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    sourceMap: false,
    noUnusedLocals: false,
  };
  const files = examples.filter(({ language }) => language === "ts").map(({ file }) => `${file}.ts`);
  if (files.length === 0) return [];
  const config = { extends: "../../../tsconfig.base.json", compilerOptions, files };
  writeFileSync(join(modules, "tsconfig.json"), JSON.stringify(config));
  const tsc = spawnSync("tsc", ["-p", modules], { encoding: "utf8", shell: process.platform === "win32" });
  if (tsc.error) return [`tsc could not be run (${tsc.error.message}): use npm test`];
  return tsc.stdout.split("\n").filter((line) => line !== "");
}

function writeFiles(/** @type {string} */ dir, /** @type {string} */ block) {
  mkdirSync(dir);
  for (const { name, source } of filesOf(block)) writeFileSync(join(dir, name), source);
}

/** @returns {Promise<string[]>} what went wrong */
async function run() {
  const failures = /** @type {string[]} */ ([]);
  const waiting = [...examples];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { where, file, language, source } = next;
      const main = language === "ts" ? `${file}.js` : join(file, filesOf(source)[0]?.name ?? "");
      const error = await node(join(modules, main));
      if (error !== undefined) failures.push(`${where}\n${error}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return failures;
}

/** @returns {Promise<string | undefined>} what it complains about */
function node(/** @type {string} */ file) {
  return new Promise((resolve) => {
    const options = { cwd: scratch, timeout: TIMEOUT_MS };
    const child = execFile(process.execPath, [file], options, (error, _out, stderr) => {
      const refused = !compiled && /ERR_TW_NO_POLLER|no poller on this system/.test(stderr);
      if (error === null || refused) return resolve(undefined);
      resolve(stderr.split("\n").slice(0, STDERR_LINES).join("\n") || error.message);
    });
    child.stdin?.end();
  });
}
