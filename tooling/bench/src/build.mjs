// Builds the packages that are measured, and what they need.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** turbo is on PATH when npm started this. */
export function buildPackages(/** @type {(line: string) => void} */ say) {
  const args = [
    "run",
    "build",
    "--filter=@tw/tooling-bench^...",
    "--concurrency=2",
    "--output-logs=errors-only",
  ];
  const cwd = fileURLToPath(new URL("../../../", import.meta.url));
  const run = spawnSync("turbo", args, { cwd, stdio: ["ignore", 2, 2] });
  if (run.error) throw new Error(`turbo could not be run (${run.error.message}): use npm run, or --no-build`);
  if (run.status !== 0) say("not everything was built; what was not shows as void, or fails");
}
