// RSS per idle keep-alive connection: the slope between two numbers of connections, so that what a server weighs anyway
// drops out. Each connection is served once before it idles; garbage is collected before each reading.
import { IdleConnections } from "./load.mjs";
import { ServerProcess } from "./server-process.mjs";

const FEW = 5_000;
const MANY = 15_000;

/**
 * @typedef {object} IdleResult
 * @property {import("./rows.mjs").Row} row
 * @property {string} [wrong]
 * @property {number} [bytes]  per connection
 * @property {number} [few]  RSS in bytes
 * @property {number} [many]
 */

/** @returns {Promise<IdleResult[]>} */
export async function compareIdle(
  /** @type {import("./rows.mjs").Row[]} */ rows,
  /** @type {string} */ binary,
  say,
) {
  const results = [];
  for (const row of rows) {
    say(`${row.id}: ${FEW} and ${MANY} connections`);
    try {
      results.push({ row, ...(await measure(row, binary)) });
    } catch (error) {
      say(`${row.id} is void: ${error.message}`);
      results.push({ row, wrong: error.message });
    }
  }
  return results;
}

async function measure(row, binary) {
  const server = await ServerProcess.start(row);
  const connections = new IdleConnections(binary, server.port);
  const rssWith = async (count) => {
    await connections.hold(count);
    await server.collectGarbage();
    const bytes = server.residentBytes;
    const { held, closed } = await connections.hold(0);
    if (held !== count || closed > 0)
      throw new Error(`of ${held} connections the server has closed ${closed}`);
    return bytes;
  };
  try {
    const few = await rssWith(FEW);
    const many = await rssWith(MANY);
    return { few, many, bytes: (many - few) / (MANY - FEW) };
  } finally {
    await connections.close();
    await server.stop();
  }
}
