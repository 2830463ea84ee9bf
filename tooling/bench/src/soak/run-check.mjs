// Runs one check in a process of its own, and says in a line how it went.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const SHOWN_LINES = 25;

/**
 * @param {{ name: string, file: string }} check
 * @param {string[]} args
 * @param {{ patienceMs: number }} options  how long it may take before it counts as hung
 * @returns {Promise<{ passed: boolean, line: string, output: string }>} `output`: what it had to say, shortened
 */
export async function runCheck({ name, file }, args, { patienceMs }) {
  const began = performance.now();
  const path = fileURLToPath(new URL(file, import.meta.url));
  // A group of its own: when it hangs, so may its servers.
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const take = (chunk) => {
    output = (output + chunk).slice(-64 * 1024);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    killGroup(child.pid);
  }, patienceMs);
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  if (hung) output += `\nIt had not ended after ${patienceMs / 1000} s.`;
  else if (signal !== null) output += `\nIt was ended by ${signal}.`;
  const passed = code === 0;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const line = `${passed ? "ok    " : "FAILED"}  ${name}, ${engineOf(args)} (${seconds} s)`;
  return { passed, line, output: output.trimEnd().split("\n").slice(-SHOWN_LINES).join("\n") };
}

const engineOf = (args) => args[args.indexOf("--engine") + 1];

function killGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // it has just ended
  }
}
