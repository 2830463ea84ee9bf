// A network namespace of its own, where TCP is `reno`: other congestion controls pace bulk transfers on loopback, and then
// the pace is what is measured.
import { spawnSync } from "node:child_process";

const MARK = "TW_BENCH_PRIVATE_NETWORK";

const inPrivateNetwork = () => process.env[MARK] === "1";

/**
 * Runs a program of Node's again in a namespace of its own.
 *
 * @returns the exit code, or undefined where there can be no namespace, or this is in one already
 */
export function runInPrivateNetwork(/** @type {string} */ file, /** @type {string[]} */ args) {
  if (inPrivateNetwork() || process.platform !== "linux") return undefined;
  const setUp = 'ip link set lo up && sysctl -qw net.ipv4.tcp_congestion_control=reno && exec "$@"';
  const probe = spawnSync("unshare", ["-n", "sh", "-c", setUp, "sh", "true"], { stdio: "ignore" });
  if (probe.status !== 0) return undefined;
  const run = spawnSync("unshare", ["-n", "sh", "-c", setUp, "sh", process.execPath, file, ...args], {
    stdio: "inherit",
    env: { ...process.env, [MARK]: "1" },
  });
  return run.status ?? 1;
}

/** Says in the report how bulk transfers were carried. */
export function notePacing(report) {
  if (!inPrivateNetwork())
    report.note("Bulk transfers were paced by this machine's congestion control: see the README.");
}
