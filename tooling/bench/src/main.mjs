// npm run bench: compares our servers with their peers and with the limit, in one run, and writes the tables.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildPackages } from "./build.mjs";
import { compareHTTP } from "./http.mjs";
import { compareIdle } from "./idle.mjs";
import { webSocketLoad } from "./load.mjs";
import { compare } from "./measure.mjs";
import { buildNative } from "./native.mjs";
import { parseOptions, USAGE } from "./options.mjs";
import { runInPrivateNetwork } from "./private-network.mjs";
import { runPrograms } from "./programs.mjs";
import { Report } from "./report.mjs";
import { chosen, idleRows, webSocketRows } from "./rows.mjs";
import { fetchRuntimes } from "./runtimes.mjs";
import { compareStreams } from "./stream.mjs";
import { comparisonTable, idleTable } from "./table.mjs";

const say = (line) => console.error(line);
const results = new URL("../results/", import.meta.url);

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  say(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error.message);
  process.exitCode = 1;
}

async function main(options) {
  if (options.build) buildPackages(say);
  fetchRuntimes(options.with, say); // there is no way out of a private network
  if (options.part !== "loop" && !options.idle) {
    const code = runInPrivateNetwork(fileURLToPath(import.meta.url), [
      ...process.argv.slice(2),
      "--no-build",
    ]);
    if (code !== undefined) {
      process.exitCode = code;
      return;
    }
  }
  const native = buildNative();
  const report = new Report(options);
  if (options.idle) await idle(options, native, report);
  else {
    // Only the parts that have comparisons to choose among heed `--only`; the others are left out then.
    const all = options.part === "all";
    const whole = options.only.length === 0;
    const wanted = (part) =>
      options.part === part || (all && (whole || part === "http" || part === "stream"));
    if (wanted("http")) await http(options, native, report);
    if (wanted("ws")) await webSocket(options, native, report);
    if (wanted("stream")) {
      await compareStreams(options, native, report, say);
      if (whole) runPrograms("stream", options, report, say);
    }
    if (wanted("loop")) runPrograms("loop", options, report, say);
  }
  const text = report.text();
  console.log(text);
  mkdirSync(results, { recursive: true });
  const file = new URL(`${fileName(options)}.md`, results);
  writeFileSync(file, text);
  say(`written to ${fileURLToPath(file)}`);
  process.exitCode = report.failed ? 1 : 0;
}

function fileName({ idle, part, only }) {
  if (idle) return "latest-idle";
  const words = [part === "all" ? [] : part, only].flat();
  return ["latest", ...words].join("-").replace(/[^\w-]+/g, "-");
}

async function http(options, native, report) {
  await compareHTTP(options, native, fetchRuntimes(options.with, say), report, say);
}

async function webSocket(options, { load }, report) {
  if (load === undefined) return report.note("No C compiler: no WebSocket load.");
  const rows = chosen(webSocketRows(), options.rows);
  if (rows.length === 0) return undefined;
  for (const [size, connections, title] of [
    [64, 64, "64 bytes"],
    [65_536, 16, "64 KiB"],
  ]) {
    const once = (port, seconds) => webSocketLoad(load, { port, seconds, connections, size });
    const measured = await compare(rows, options, once, say);
    const base = measured.find(({ row, wrong }) => row.id === "ws" && wrong === undefined);
    const body = comparisonTable(measured, { unit: "message", base, baseName: "ws" });
    report.add(`WebSocket echo: ${title}, ${connections} connections`, body, measured);
  }
}

async function idle(options, { load }, report) {
  if (load === undefined)
    throw new Error("A C compiler is needed (cc, gcc or clang): its program holds the connections.");
  const measured = await compareIdle(chosen(idleRows(), options.rows), load, say);
  report.add(
    "Memory per idle keep-alive connection, each served once",
    idleTable(measured),
    measured,
    "idle",
  );
}
