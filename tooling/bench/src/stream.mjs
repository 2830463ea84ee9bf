// The part `stream`: what moves bytes, without a protocol above it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { loadOf } from "./load.mjs";
import { compare } from "./measure.mjs";
import { chosen, streamRows } from "./rows.mjs";
import { comparisonTable } from "./table.mjs";

/** What is compared, in the order of the report. `kind` is what the peers' servers are told to do. */
const COMPARISONS = [
  {
    title: "Echo: 1 kB, 64 connections, each waits for its echo",
    kind: "echo",
    modes: ["attach", "read"],
    unit: "message",
    load: (binary, port, seconds) => [binary, "echo", port, 64, seconds, 1024],
  },
  {
    title: "Receiving: one connection, as fast as it goes",
    kind: "take",
    bulk: true,
    unit: "MiB",
    load: (binary, port, seconds) => [binary, "upload", port, seconds],
  },
  {
    title: "Sending: one connection, as fast as it goes",
    kind: "give",
    bulk: true,
    unit: "MiB",
    load: (binary, port, seconds) => [binary, "download", port, seconds],
  },
  {
    title: "Accept and close: 64 connections at a time",
    kind: "close",
    unit: "connection",
    load: (binary, port, seconds) => [binary, "churn", port, 64, seconds],
  },
  {
    title: "A crowd: 10 000 clients connect at once while 64 others keep the server busy",
    kind: "echo",
    modes: ["attach"],
    unit: "client",
    load: (binary, port) => [binary, "storm", port, 10_000, 1024],
  },
];

/** Adds the tables of this part to the report. */
export async function compareStreams(options, { load, streamServer }, report, say) {
  if (load === undefined) return report.note("No C compiler: nothing to load plain TCP with.");
  const { only } = options;
  const comparisons = COMPARISONS.filter(
    ({ title }) => only.length === 0 || only.some((word) => title.toLowerCase().includes(word.toLowerCase())),
  );
  const bulk = comparisons.some((each) => each.bulk) && !inPrivateNetwork();
  if (bulk) report.note("Bulk transfers were paced by this machine's congestion control: see the README.");
  for (const { title, kind, modes = [kind], unit, load: command } of comparisons) {
    const rows = chosen(streamRows(streamServer, kind, modes), options.rows);
    const measured = await compare(
      rows,
      options,
      loadOf((...args) => command(load, ...args)),
      say,
    );
    const base = measured.find(({ row, wrong }) => row.id === "node-net" && wrong === undefined);
    report.add(title, comparisonTable(measured, { unit, base, baseName: "node:net" }), measured);
  }
}

/**
 * Runs this program again in a network namespace of its own, where TCP is `reno`: other congestion controls pace bulk
 * transfers on loopback, and then the pace is what is measured.
 *
 * @returns the exit code, or undefined where there can be no namespace
 */
export function runInPrivateNetwork(args) {
  if (inPrivateNetwork() || process.platform !== "linux") return undefined;
  const setUp = 'ip link set lo up && sysctl -qw net.ipv4.tcp_congestion_control=reno && exec "$@"';
  const probe = spawnSync("unshare", ["-n", "sh", "-c", setUp, "sh", "true"], { stdio: "ignore" });
  if (probe.status !== 0) return undefined;
  const main = fileURLToPath(new URL("main.mjs", import.meta.url));
  const run = spawnSync("unshare", ["-n", "sh", "-c", setUp, "sh", process.execPath, main, ...args], {
    stdio: "inherit",
    env: { ...process.env, [MARK]: "1" },
  });
  return run.status ?? 1;
}

const MARK = "TW_BENCH_PRIVATE_NETWORK";
const inPrivateNetwork = () => process.env[MARK] === "1";
