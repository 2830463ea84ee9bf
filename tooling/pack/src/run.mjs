// Runs commands, two at a time, in an environment that knows nothing of whoever called.
import { spawn } from "node:child_process";

/** npm and pnpm hand their settings down through the environment: this install must not see them. */
function cleanEnvironment() {
  const foreign = /^(?:npm_|pnpm_|NODE_OPTIONS$|NODE_PATH$|INIT_CWD$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** @returns {Promise<{ status: number | null, output: string }>} */
export function run(command, args, { cwd, env = {} }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    child.once("error", (error) => resolve({ status: 1, output: error.message }));
    child.once("close", (status) => resolve({ status, output: output.trim() }));
  });
}

/** Calls `work` for each value, a few at once, and returns the results in the order of the values. */
export async function inParallel(values, work, atOnce = 2) {
  const results = new Array(values.length);
  let next = 0;
  const worker = async () => {
    while (next < values.length) {
      const index = next++;
      results[index] = await work(values[index]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
