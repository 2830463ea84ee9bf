// Peak RSS while a GiB goes through a server, above what it had when idle and collected: at full speed, and with the other
// side pausing, so that only back-pressure keeps the memory small.
import { loadOf } from "./load.mjs";
import { chosen, transferRows } from "./rows.mjs";
import { ServerProcess } from "./server-process.mjs";
import { megabytes, oneLine, table } from "./table.mjs";

const GIB = 2 ** 30;
const PAUSE_US = 1000; // for every MiB

const TRANSFERS = [
  { name: "upload", mode: "upload", load: (load, port) => [load, "put", port, 0, GIB] },
  {
    name: "upload, the handler pauses",
    mode: "upload-slow",
    load: (load, port) => [load, "put", port, 0, GIB],
  },
  { name: "download", mode: "download", load: (load, port) => [load, "get", port, 1, 0, GIB, 0] },
  {
    name: "download, the client pauses",
    mode: "download",
    load: (load, port) => [load, "get", port, 1, 0, GIB, PAUSE_US],
  },
];

/**
 * @typedef {object} TransferResult
 * @property {import("./rows.mjs").Row} row
 * @property {string} name
 * @property {string} [wrong]
 * @property {number} [bytes]  peak above idle
 * @property {number} [idle]  RSS in bytes
 * @property {number} [rate]  MiB per second
 */

/** @returns {Promise<TransferResult[]>} */
export async function compareTransfers(options, /** @type {string} */ binary, say) {
  const results = [];
  for (const { name, mode, load } of TRANSFERS) {
    const once = loadOf((port) => load(binary, port));
    for (const row of chosen(transferRows(mode), options.rows)) {
      say(`${row.id}: ${name}`);
      try {
        results.push({ row, name, ...(await measure(row, once)) });
      } catch (error) {
        say(`${row.id} is void: ${error.message}`);
        results.push({ row, name, wrong: error.message });
      }
    }
  }
  return results;
}

async function measure(row, once) {
  const server = await ServerProcess.start(row);
  try {
    await server.collectGarbage();
    server.resetPeak();
    const idle = server.residentBytes;
    const { errors, firstError, requests, seconds } = await once(server.port, 0);
    if (errors > 0) throw new Error(firstError);
    return { idle, bytes: server.peakResidentBytes - idle, rate: requests / seconds };
  } finally {
    await server.stop();
  }
}

export function transferTable(/** @type {TransferResult[]} */ results) {
  const rows = results.map(({ row, name, wrong, bytes, idle, rate }) =>
    wrong === undefined
      ? [row.title, name, megabytes(bytes), megabytes(idle), Math.round(rate).toLocaleString("en-US")]
      : [row.title, name, `void: ${oneLine(wrong)}`, "", ""],
  );
  return table(["server", "a GiB of", "peak above idle", "idle", "MiB/s"], rows);
}
