// Comparisons that are programs of their own: each takes the number of rounds and prints one Markdown table.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAMS = {
  loop: [
    ["Callbacks beside setImmediate, timers beside setTimeout", "loop/callbacks.mjs"],
    ["From another thread", "loop/thread.mjs"],
    ["The watchdog, when nothing blocks", "loop/watchdog.mjs"],
  ],
  stream: [
    ["Lines: a million of them, beside node:readline", "stream/lines.mjs"],
    ["A Redis-protocol server, beside redis-server", "stream/kv.mjs"],
  ],
};

/** Runs the programs of a part, and adds what they print to the report. */
export function runPrograms(part, { rounds }, report, say) {
  for (const [title, file] of PROGRAMS[part]) {
    say(title);
    const path = fileURLToPath(new URL(file, import.meta.url));
    const args = ["--expose-gc", path, String(rounds)];
    const { status, stdout } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    const wrong = status === 0 ? undefined : `${file} ended with ${status}`;
    report.add(title, wrong === undefined ? stdout.trim() : `void: ${wrong}`, [{ wrong }]);
  }
}
