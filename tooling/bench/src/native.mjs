// Compiles the C programs where there is a compiler; rebuilt when a source is newer.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL("../native/", import.meta.url));
const out = fileURLToPath(new URL("../node_modules/.cache/", import.meta.url));
const compilers = [process.env.CC, "cc", "gcc", "clang"].filter(Boolean);

/**
 * @typedef {object} Native  paths; undefined where nothing could be compiled
 * @property {string | undefined} server
 * @property {string | undefined} streamServer
 * @property {string | undefined} bodyServer
 * @property {string | undefined} load
 */

/**
 * @returns {Native}
 * @throws Error when a compiler is there and refuses
 */
export function buildNative() {
  if (process.platform !== "linux" || process.env.TW_NO_COMPILER)
    return { server: undefined, streamServer: undefined, bodyServer: undefined, load: undefined };
  mkdirSync(out, { recursive: true });
  const files = readdirSync(sources).filter((file) => file.endsWith(".c"));
  return {
    server: compile("server", ["server.c"]),
    streamServer: compile("stream-server", ["stream-server.c"]),
    bodyServer: compile("body-server", ["body-server.c"]),
    load: compile(
      "load",
      files.filter((file) => file.startsWith("load")),
    ),
  };
}

function compile(name, files) {
  const target = `${out}${name}`;
  if (existsSync(target) && newest() < statSync(target).mtimeMs) return target;
  const args = [
    "-O2",
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-o",
    target,
    ...files.map((file) => sources + file),
  ];
  for (const compiler of compilers) {
    const run = spawnSync(compiler, args, { encoding: "utf8" });
    if (run.error?.code === "ENOENT") continue;
    if (run.status !== 0) throw new Error(`${compiler} ${args.join(" ")}\n${run.stderr}`);
    return target;
  }
  return undefined;
}

const newest = () => Math.max(...readdirSync(sources).map((file) => statSync(sources + file).mtimeMs));
