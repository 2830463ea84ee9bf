// The protocol of every comparison: all servers up from the start (an idle one costs nothing), one warm-up each, then
// rounds in which each is measured once, another one first every time.
import { ServerProcess } from "./server-process.mjs";
import { rotated, spread } from "./statistics.mjs";

/**
 * @typedef {object} Result
 * @property {import("./rows.mjs").Row} row
 * @property {string | undefined} wrong  why the row is void
 * @property {import("./statistics.mjs").Spread} [rate]  requests per second
 * @property {import("./statistics.mjs").Spread} [cpu]  server CPU, µs per request
 * @property {number[]} [cpuByRound]  the same, round by round
 * @property {number[]} [rateByRound]
 * @property {number[]} [p99ByRound]
 * @property {number} [p50Us]
 * @property {number} [p99Us]
 * @property {number} [rss]  bytes after the last round
 */

/**
 * @param {import("./rows.mjs").Row[]} rows
 * @param {{ rounds: number, seconds: number }} options
 * @param {(port: number, seconds: number, meter: CpuMeter) => Promise<import("./load.mjs").Tally>} load
 * @param {(line: string) => void} say
 * @returns {Promise<Result[]>} in the order of `rows`
 */
export async function compare(rows, { rounds, seconds }, load, say) {
  const entries = rows.map((row) => ({ row, samples: [], rss: 0, server: undefined, wrong: undefined }));
  const attempt = async (entry, work) => {
    if (entry.wrong !== undefined) return;
    try {
      await work(entry);
    } catch (error) {
      entry.wrong = error.message;
      say(`${entry.row.id} is void: ${error.message}`);
    }
  };
  const warmUp = async (entry) => {
    entry.server = await ServerProcess.start(entry.row);
    verify(await load(entry.server.port, Math.min(2, seconds * 2), new CpuMeter(entry.server)));
  };
  const measure = async (entry) => {
    const meter = new CpuMeter(entry.server);
    const tally = verify(await load(entry.server.port, seconds, meter));
    meter.stop();
    entry.rss = entry.server.residentBytes;
    const rate = tally.requests / tally.seconds;
    entry.samples.push({ ...tally, rate, cpu: meter.spentNs / 1e3 / tally.requests });
  };
  try {
    for (const entry of entries) await attempt(entry, warmUp);
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`);
      for (const entry of rotated(entries, round)) await attempt(entry, measure);
    }
  } finally {
    for (const { server } of entries) await server?.stop();
  }
  return entries.map(summarize);
}

/** Server CPU from its making to its first stop; a load that has to open its connections first starts it again. */
export class CpuMeter {
  #server;
  #from;
  #to;

  constructor(/** @type {{ readonly cpuTimeNs: number }} */ server) {
    this.#server = server;
    this.start();
  }

  start() {
    this.#from = this.#server.cpuTimeNs;
  }

  stop() {
    this.#to ??= this.#server.cpuTimeNs;
  }

  get spentNs() {
    return this.#to - this.#from;
  }
}

/** A wrong or missing answer voids the row: its speed would be that of another program. */
function verify(tally) {
  if (tally.errors > 0) throw new Error(`${tally.errors} wrong answers, the first: ${tally.firstError}`);
  if (tally.requests === 0) throw new Error("not one answer");
  return tally;
}

function summarize({ row, samples, rss, wrong }) {
  if (wrong !== undefined) return { row, wrong };
  const of = (name) => spread(samples.map((sample) => sample[name]));
  return {
    row,
    wrong,
    rate: of("rate"),
    cpu: of("cpu"),
    cpuByRound: samples.map((sample) => sample.cpu),
    rateByRound: samples.map((sample) => sample.rate),
    p99ByRound: samples.map((sample) => sample.p99Us),
    p50Us: of("p50Us").median,
    p99Us: of("p99Us").median,
    rss,
  };
}
