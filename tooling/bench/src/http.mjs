// The part `http`: hello in several circumstances, then large bodies, then what a server must bear.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compareIdle } from "./idle.mjs";
import { httpLoad, loadOf, openedLoadOf } from "./load.mjs";
import { compare } from "./measure.mjs";
import { notePacing } from "./private-network.mjs";
import { bodyRows, chosen, coreRows, httpRows, idleRows } from "./rows.mjs";
import { pattern } from "./servers/pattern.mjs";
import { compareSlow, slowTable } from "./slow.mjs";
import { comparisonTable, idleTable, voidReason } from "./table.mjs";
import { compareTransfers, transferTable } from "./transfers.mjs";

const MIB = 2 ** 20;

/**
 * Hello, in the order of the report. `also` names more ratios than that of CPU to the limit; `patient` servers keep
 * connections that are silent for longer than node:http's five seconds.
 */
const HELLOS = [
  {
    id: "hello",
    title: ({ connections, pipeline }) =>
      `Hello world: ${connections} keep-alive connections${pipeline > 1 ? `, ${pipeline} requests at once on each` : ""}`,
    all: true, // the frameworks too
    load: ({ load }, options) => httpLoad(load, options),
  },
  {
    id: "pipeline",
    title: () => "Pipelining: 64 keep-alive connections, 16 requests at once on each",
    load: ({ load }) => httpLoad(load, { connections: 64, pipeline: 16 }),
    also: ["cpu", "rate"],
  },
  {
    id: "latency",
    title: () => "Latency: 256 keep-alive connections",
    load: ({ load }) => httpLoad(load, { connections: 256, pipeline: 1 }),
    also: ["cpu", "p99"],
  },
  {
    id: "active",
    title: () => "Active: 10 000 keep-alive connections, each asks twice a second",
    patient: true,
    load: ({ load }) => openedLoadOf((port, seconds) => [load, "active", port, 10_000, seconds, 500]),
    also: ["cpu"],
  },
  {
    id: "crowd",
    title: () => "Crowd: 10 000 keep-alive connections, all ask at once and again",
    patient: true,
    load: ({ load }) => openedLoadOf((port, seconds) => [load, "active", port, 10_000, seconds, 0]),
    also: ["cpu"],
  },
  {
    id: "connect",
    title: () => "Connect: a new connection for every request, 64 at a time",
    limit: (server) => [server, "close"],
    load: ({ load }) => loadOf((port, seconds) => [load, "connect", port, 64, seconds]),
    also: ["cpu"],
  },
];

/** Large bodies. */
const BODIES = [
  {
    id: "body",
    title: "Body: a MiB from memory, 8 connections",
    load: (load) => loadOf((port, seconds) => [load, "get", port, 8, seconds, MIB]),
  },
  {
    id: "file",
    title: "File: a MiB from the page cache, opened for each request, 8 connections",
    load: (load) => loadOf((port, seconds) => [load, "get", port, 8, seconds, MIB]),
  },
  {
    id: "upload",
    title: "Upload: 100 MiB, one after the other on one connection",
    load: (load) => loadOf((port, seconds) => [load, "put", port, seconds, 100 * MIB]),
  },
];

/** What is measured by other programs than `compare`. */
const OTHERS = [
  {
    id: "stream",
    title: "Stream: resident memory above idle, the most while a GiB goes through",
    run: (options, { load }, say) => compareTransfers(options, load, say),
    table: transferTable,
  },
  {
    id: "slowloris",
    title: "Slowloris: 5 000 connections drip a head while 100 honest ones ask",
    run: (options, { load }, say) => compareSlow(options, load, say),
    table: slowTable,
  },
  {
    id: "idle",
    title: "Memory per idle keep-alive connection, each served once",
    run: (options, { load }, say) => compareIdle(chosen(idleRows(), options.rows), load, say),
    table: idleTable,
  },
];

/** What `--only` chooses among, for its help. */
export const HTTP_COMPARISONS = [...HELLOS, ...BODIES, ...OTHERS].map(({ id }) => id);

/** Adds the tables of this part to the report. `runtimes` are Bun and Deno, where they were asked for. */
export async function compareHTTP(options, native, runtimes, report, say) {
  const { only, part } = options;
  const wanted = ({ id }) => only.length === 0 || only.includes(id);
  const unknown = only.find((word) => !HTTP_COMPARISONS.includes(word));
  if (part === "http" && unknown !== undefined)
    throw new TypeError(`--only takes ${HTTP_COMPARISONS.join(", ")} here, not "${unknown}"`);
  for (const each of HELLOS.filter(wanted)) {
    if (native.load === undefined && each.id !== "hello") continue;
    say(each.id);
    await hello(each, options, native, runtimes, report, say);
  }
  if (native.load === undefined) {
    report.note(
      "No C compiler: only hello was measured, by wrk, without a limit: one target, bodies not checked.",
    );
    return;
  }
  if (BODIES.some(wanted)) notePacing(report);
  for (const each of BODIES.filter(wanted)) {
    say(each.id);
    await bodies(each, options, native, runtimes, report, say);
  }
  for (const { id, title, run, table } of OTHERS.filter(wanted)) {
    say(id);
    const measured = await run(options, native, say);
    report.add(title, table(measured), measured, id);
  }
}

async function hello(comparison, options, native, runtimes, report, say) {
  const { id, title, all, limit, patient, load, also } = comparison;
  const every = httpRows({ server: native.server, runtimes }).map((row) => ({
    ...row,
    ...(row.limit && limit ? { command: limit(native.server) } : {}),
    ...(patient ? { env: { ...row.env, BENCH_IDLE: "1" } } : {}),
  }));
  const rows = chosen(all || options.rows.length > 0 ? every : coreRows(every), options.rows);
  const measured = await compare(rows, options, load(native, options), say);
  report.add(title(options), tableOf(measured, "request", also), measured, id);
  const reason = voidReason(measured);
  if (reason !== undefined) report.declareVoid(reason);
}

async function bodies({ id, title, load }, options, native, runtimes, report, say) {
  const path = patternFile();
  const rows = chosen(bodyRows({ bodyServer: native.bodyServer, runtimes, path }, id), options.rows);
  const measured = await compare(rows, options, load(native.load), say);
  report.add(title, tableOf(measured, "MiB", ["cpu"]), measured, id);
}

/** `also`: what is set in relation to node:http, beside the CPU in relation to the limit. */
function tableOf(measured, unit, also = []) {
  const usable = (id) => measured.find(({ row, wrong }) => row.id === id && wrong === undefined);
  const peer = usable("node-http");
  return comparisonTable(measured, {
    unit,
    base: usable("c"),
    baseName: "the limit",
    also: peer === undefined ? [] : also.map((what) => ({ what, base: peer, baseName: "node:http" })),
  });
}

/** A MiB of the pattern on disk, and in the page cache when it was read once. */
function patternFile() {
  const folder = fileURLToPath(new URL("../node_modules/.cache/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const path = `${folder}pattern`;
  writeFileSync(path, pattern());
  return path;
}
