// The load, a process of its own on core 1: our C generator, or wrk, which checks less, where there is no compiler.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pinned } from "./machine.mjs";

/**
 * @typedef {object} Tally
 * @property {number} requests
 * @property {number} errors
 * @property {number} seconds
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {string} firstError
 */

/** @returns {((port: number, seconds: number) => Promise<Tally>)} one HTTP measurement */
export function httpLoad(/** @type {string | undefined} */ binary, { connections, pipeline }) {
  if (binary !== undefined) {
    return (port, seconds) => generate([binary, "http", port, connections, seconds, pipeline]);
  }
  if (spawnSync("wrk", ["--version"]).error === undefined) {
    return async (port, seconds) => readWrk(await run(wrkCommand(port, seconds, connections)));
  }
  throw new Error(
    "There is nothing to make load with: a C compiler is needed (cc, gcc or clang), or wrk on PATH.",
  );
}

/** One WebSocket echo measurement. */
export const webSocketLoad = (binary, { port, connections, seconds, size }) =>
  generate([binary, "ws", port, connections, seconds, size]);

/** A measurement whose command is made from a port and seconds. */
export const loadOf =
  (/** @type {(port: number, seconds: number) => (string | number)[]} */ command) =>
  (/** @type {number} */ port, /** @type {number} */ seconds) =>
    generate(command(port, seconds));

/**
 * The same for a load that first opens its connections: only what is between its `ready` and its tally is metered.
 * @param {(port: number, seconds: number) => (string | number)[]} command
 */
export const openedLoadOf =
  (command) =>
  /** @param {import("./measure.mjs").CpuMeter} meter */
  async (/** @type {number} */ port, /** @type {number} */ seconds, meter) => {
    const [file, ...args] = pinned(1, command(port, seconds).map(String));
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => {}); // it has ended: what it said is in `output`
    const closed = once(child, "close");
    let output = "";
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "ready") {
        meter.start();
        child.stdin.write("go\n");
      } else {
        meter.stop();
        output += line;
        child.stdin.end();
      }
    }
    await closed;
    return readTally(output);
  };

async function generate(command) {
  return readTally(await run(command.map(String)));
}

/** The last line is the tally; a line before it has more of one kind of load. */
function readTally(output) {
  if (!output.startsWith("{")) throw new Error(`the load generator failed: ${output}`);
  return Object.assign(
    {},
    ...output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  );
}

async function run(command) {
  const [file, ...args] = pinned(1, command);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  await once(child, "close");
  return output.trim();
}

// wrk takes whole seconds.
const wrkCommand = (port, seconds, connections) =>
  `wrk -t1 -c${connections} -d${Math.max(1, Math.round(seconds))}s --latency http://127.0.0.1:${port}/`.split(
    " ",
  );

const UNIT_US = { us: 1, ms: 1e3, s: 1e6 };

/** @returns {Tally} */
export function readWrk(/** @type {string} */ output) {
  const latency = (percent) => {
    const [, value, unit] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s)`, "m").exec(output) ?? [];
    return Math.round(Number(value) * UNIT_US[unit]);
  };
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(output) ?? [];
  if (requests === undefined) throw new Error(`wrk said nothing that can be used: ${output}`);
  const wrong = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0;
  const socket =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1) ?? [];
  const errors = [wrong, ...socket].reduce((sum, each) => sum + Number(each), 0);
  const firstError = errors > 0 ? "see wrk" : "";
  return {
    requests: Number(requests),
    seconds: Number(seconds),
    errors,
    p50Us: latency(50),
    p99Us: latency(99),
    firstError,
  };
}

/** Connections held open by a process of their own, each served once. */
export class IdleConnections {
  #child;
  #lines;

  constructor(/** @type {string} */ binary, /** @type {number} */ port) {
    const [file, ...args] = pinned(1, [binary, "idle", String(port)]);
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Opens connections until there are `count`; with 0 only looks.
   * @returns {Promise<{ held: number, closed: number }>} how many are held, and how many of them the server has closed
   */
  async hold(/** @type {number} */ count) {
    this.#child.stdin.write(`hold ${count}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process that holds the connections gave up");
    return JSON.parse(value);
  }

  async close() {
    if (this.#child.exitCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.stdin.end();
    await closed;
  }
}
