// What the numbers depend on, for the head of the table, and what /proc knows of a process. No host names.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);

export const cores = cpus().length;

export function packageVersion(name) {
  for (const base of require.resolve.paths(name)) {
    const path = join(base, name, "package.json");
    if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")).version;
  }
  return "?";
}

export function describeMachine() {
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cores} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${memory} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}

/** Nanoseconds of CPU, user and system, of a process with all its threads. */
export function cpuTimeNs(/** @type {number} */ pid) {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // the thread has ended meanwhile
    }
  }
  return sum;
}

/** Nanoseconds that the first thread of a process was ready to run and had no core. */
export const waitedForCoreNs = (/** @type {number} */ pid) =>
  Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[1]);

export const residentBytes = (/** @type {number} */ pid) => statusBytes(pid, "VmRSS");

/** The most that was resident since {@link resetPeak}, or since the process began. */
export const peakResidentBytes = (/** @type {number} */ pid) => statusBytes(pid, "VmHWM");

/** proc_pid_clear_refs(5): 5 resets the peak. */
export const resetPeak = (/** @type {number} */ pid) => writeFileSync(`/proc/${pid}/clear_refs`, "5");

function statusBytes(pid, field) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) * 1024;
}

/** A command that runs on one core only, where there are two and `taskset` can do it. */
export function pinned(/** @type {number} */ core, /** @type {string[]} */ command) {
  return canPin ? ["taskset", "-c", String(core), ...command] : command;
}

export const canPin =
  cores > 1 &&
  (process.env.PATH ?? "").split(":").some((dir) => dir !== "" && existsSync(join(dir, "taskset")));
