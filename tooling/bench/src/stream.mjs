// The part `stream`: what moves bytes, without a protocol above it.
import { loadOf } from "./load.mjs";
import { compare } from "./measure.mjs";
import { notePacing } from "./private-network.mjs";
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
  if (comparisons.some((each) => each.bulk)) notePacing(report);
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
