// Slowloris: how long honest clients wait while thousands drip their heads, and when those are gone.
import { loadOf } from "./load.mjs";
import { chosen, slowRows } from "./rows.mjs";
import { ServerProcess } from "./server-process.mjs";
import { rotated, spread } from "./statistics.mjs";
import { oneLine, table, thousands } from "./table.mjs";

const DRIPPING = 5000;
const HONEST = 100;
const HEAD_TIMEOUT_MS = 5000;
const ROUNDS = 3; // at most: each takes as long as the timeout

/**
 * @typedef {object} SlowResult
 * @property {import("./rows.mjs").Row} row
 * @property {string} [wrong]
 * @property {number} [p99Us]  of the honest ones
 * @property {number} [rate]  their requests per second
 * @property {number} [left]  dripping connections that were still there after three timeouts
 * @property {number} [firstGone]  seconds after its beginning at which the first was closed
 * @property {number} [lastGone]
 */

/** @returns {Promise<SlowResult[]>} */
export async function compareSlow(options, /** @type {string} */ binary, say) {
  const rows = chosen(slowRows(HEAD_TIMEOUT_MS), options.rows);
  const samples = new Map(rows.map((row) => [row, []]));
  const wrong = new Map();
  for (let round = 0; round < Math.min(ROUNDS, options.rounds); round++) {
    for (const row of rotated(rows, round)) {
      if (wrong.has(row)) continue;
      try {
        samples.get(row).push(await attack(row, binary));
      } catch (error) {
        say(`${row.id} is void: ${error.message}`);
        wrong.set(row, error.message);
      }
    }
  }
  return rows.map((row) =>
    wrong.has(row) ? { row, wrong: wrong.get(row) } : summarize(row, samples.get(row)),
  );
}

async function attack(row, binary) {
  const server = await ServerProcess.start(row);
  const seconds = (3 * HEAD_TIMEOUT_MS) / 1000;
  try {
    const command = (port) => [binary, "slowloris", port, DRIPPING, HONEST, seconds];
    const tally = await loadOf(command)(server.port, seconds);
    if (tally.errors > 0) throw new Error(tally.firstError);
    return { ...tally, rate: tally.requests / tally.seconds };
  } finally {
    await server.stop();
  }
}

function summarize(row, samples) {
  const of = (name) => spread(samples.map((sample) => sample[name]));
  return {
    row,
    p99Us: of("p99Us").max,
    rate: of("rate").median,
    left: of("left").max,
    firstGone: of("firstGone").min,
    lastGone: of("lastGone").max,
  };
}

export function slowTable(/** @type {SlowResult[]} */ results) {
  const head = ["server", "honest requests/s", "honest p99 µs", "first gone, s", "last gone, s", "left"];
  const rows = results.map(({ row, wrong, p99Us, rate, left, firstGone, lastGone }) =>
    wrong === undefined
      ? [
          row.title,
          thousands(rate),
          thousands(p99Us),
          firstGone.toFixed(1),
          lastGone.toFixed(1),
          String(left),
        ]
      : [row.title, `void: ${oneLine(wrong)}`, "", "", "", ""],
  );
  return `Header timeout ${HEAD_TIMEOUT_MS / 1000} s.\n\n${table(head, rows)}`;
}
