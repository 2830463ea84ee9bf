// The checks of `npm test`, in order, and how one is run.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} command
 * @property {string} [needs]  a file without which there is nothing to check
 */

const turbo = (task) => [
  "turbo",
  "run",
  task,
  "--concurrency=2",
  "--continue=dependencies-successful",
  "--output-logs=errors-only",
];

/** @type {Check[]} */
export const checks = [
  { name: "build", command: turbo("build") },
  { name: "layers", command: ["node", "tooling/layers/check.mjs"] },
  { name: "musts", command: ["node", "tooling/musts/check.mjs"] },
  { name: "lint", command: ["biome", "check", "--error-on-warnings", "."] },
  { name: "types", command: ["tsc", "--noEmit", "-p", "tsconfig.json"] },
  { name: "readmes", command: ["node", "tooling/readmes/check.mjs"] },
  { name: "pack", command: ["node", "tooling/pack/check.mjs"], needs: `${root}tooling/pack/check.mjs` },
];

/** @type {Check} */
export const tests = { name: "test", command: turbo("test") };

/**
 * Runs one check with its output in the open and says how long it took.
 * @returns {Promise<boolean>} whether it passed
 */
export async function runCheck(/** @type {Check} */ { name, command }) {
  const [file, ...args] = command;
  const started = Date.now();
  console.log(`\n── ${name}`);
  const passed = await new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" },
      stdio: ["ignore", "inherit", "inherit"],
      shell: process.platform === "win32",
    });
    child.once("error", (error) => {
      console.error(`${file}: ${error.message} (run it through npm test)`);
      resolve(false);
    });
    child.once("close", (code) => resolve(code === 0));
  });
  console.log(
    `── ${name} ${passed ? "passed" : "FAILED"} in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
  return passed;
}
