// Compiles the addon for this host. A missing compiler is fine (a shipped prebuild, or the portable engine, serves);
// a compile error is not. A file compiled here is marked, because without a compiler it may be older than its source.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { target } from "../src/target.js";

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "prebuilds", `${target()}.node`);
const mark = `${out}.local`;

if (process.platform !== "linux" && process.platform !== "darwin") {
  console.log(`native: nothing to build on ${process.platform}, portable engine only`);
} else if (!compile()) {
  if (existsSync(mark)) for (const file of [out, mark]) rmSync(file, { force: true });
  console.log(
    existsSync(out)
      ? "native: no compiler, using the shipped file"
      : "native: no compiler, portable engine only",
  );
}

function compile() {
  if (process.env.TW_NO_COMPILER === "1") return false;
  const link =
    process.platform === "darwin"
      ? ["-undefined", "dynamic_lookup"]
      : ["-s", "-Wl,-z,nodelete,-z,noseparate-code"];
  const flags = [
    "-O2",
    "-fPIC",
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fvisibility=hidden",
    "-shared",
    ...link,
  ];
  const include = `-I${require("node-api-headers").include_dir}`;
  const fresh = `${out}.${process.pid}.tmp`;
  mkdirSync(dirname(out), { recursive: true });
  for (const compiler of [process.env.CC, "cc", "gcc", "clang"].filter(Boolean)) {
    const args = [...flags, include, "-o", fresh, join(root, "native", "poller.c")];
    const run = spawnSync(compiler, args, { stdio: "inherit" });
    if (run.error?.code === "ENOENT") continue;
    if (run.status !== 0) process.exit(run.status || 1);
    renameSync(fresh, out); // a process that runs the old file keeps it
    writeFileSync(mark, "");
    console.log(`native: built ${target()} with ${compiler}`);
    return true;
  }
  return false;
}
