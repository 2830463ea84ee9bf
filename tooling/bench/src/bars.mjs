// What the servers promise of their speed and size, beside what a run measured.
import { ENOUGH_ROUNDS, ratioTo, table } from "./table.mjs";

const NATIVE = "tw-httpserver-native";
const NODE = "tw-httpserver-node";

/**
 * @typedef {object} Bar
 * @property {string} id  the comparison
 * @property {string} row
 * @property {string} title
 * @property {"cpu" | "rate" | "p99"} [ratio]  of the row to the row `to`
 * @property {string} [to]
 * @property {(result: any) => number} [value]  where it is no ratio
 * @property {number} [most]
 * @property {number} [least]
 */

/** @type {Bar[]} */
export const BARS = [
  { id: "hello", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "c", most: 1.35 },
  { id: "hello", row: NODE, title: "CPU, node engine", ratio: "cpu", to: "c", most: 1.8 },
  {
    id: "pipeline",
    row: NATIVE,
    title: "requests/s, native engine",
    ratio: "rate",
    to: "node-http",
    least: 9,
  },
  { id: "latency", row: NATIVE, title: "p99, native engine", ratio: "p99", to: "node-http", most: 1 },
  { id: "latency", row: NODE, title: "p99, node engine", ratio: "p99", to: "node-http", most: 1 },
  { id: "active", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "node-http", most: 0.6 },
  { id: "crowd", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "node-http", most: 0.6 },
  { id: "connect", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "node-http", most: 0.75 },
  { id: "body", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "node-http", most: 0.9 },
  { id: "file", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "node-http", most: 0.5 },
  { id: "upload", row: NATIVE, title: "CPU, native engine", ratio: "cpu", to: "node-http", most: 0.5 },
  { id: "stream", row: NATIVE, title: "MB above idle, native engine", value: inMegabytes, most: 48 },
  { id: "stream", row: NODE, title: "MB above idle, node engine", value: inMegabytes, most: 48 },
  { id: "slowloris", row: NATIVE, title: "honest p99, ms, native engine", value: inMilliseconds, most: 50 },
  { id: "slowloris", row: NODE, title: "honest p99, ms, node engine", value: inMilliseconds, most: 50 },
  { id: "slowloris", row: NATIVE, title: "left after the timeout, native engine", value: left, most: 0 },
  { id: "slowloris", row: NODE, title: "left after the timeout, node engine", value: left, most: 0 },
  { id: "idle", row: NATIVE, title: "bytes per connection, native engine", value: bytes, most: 1500 },
];

/**
 * The bars that the comparisons of a run are measured by; undefined where there is none.
 *
 * @param {ReadonlyMap<string, any[]>} results  by comparison
 */
export function barTable(results, /** @type {number} */ rounds) {
  const rows = BARS.filter(({ id }) => results.has(id)).map((bar) => {
    const measured = measure(bar, /** @type {any[]} */ (results.get(bar.id)));
    const wanted = bar.most === undefined ? `≥ ${bar.least}` : `≤ ${bar.most}`;
    const title = `${bar.id}: ${bar.title}${bar.to === undefined ? "" : `, to ${NAMES[bar.to]}`}`;
    if (measured === undefined) return [title, wanted, "–", "not measured"];
    return [title, wanted, show(measured), isMet(bar, measured) ? "met" : "**not met**"];
  });
  if (rows.length === 0) return undefined;
  const caution = rounds < ENOUGH_ROUNDS ? `Fewer than ${ENOUGH_ROUNDS} rounds: not a result.\n\n` : "";
  return caution + table(["bar", "wanted", "measured", ""], rows);
}

/** @returns the median of the rounds' ratios, or the worst value of the row; undefined where a row is void or missing */
export function measure(/** @type {Bar} */ { row, ratio, to, value }, /** @type {any[]} */ results) {
  const find = (id) => results.filter((each) => each.row.id === id && each.wrong === undefined);
  const ours = find(row);
  if (ours.length === 0 || results.some((each) => each.row.id === row && each.wrong !== undefined))
    return undefined;
  if (value !== undefined) return Math.max(...ours.map(value));
  const [base] = find(to);
  return base === undefined || ratio === undefined ? undefined : ratioTo(base, ours[0], ratio).median;
}

export const isMet = (
  /** @type {Bar} */ { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY },
  /** @type {number} */ measured,
) => measured <= most && measured >= least;

const NAMES = { c: "the limit", "node-http": "node:http" };
const show = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(value < 100 ? 2 : 0));

function inMegabytes(result) {
  return result.bytes / 1e6;
}

function inMilliseconds(result) {
  return result.p99Us / 1000;
}

function left(result) {
  return result.left;
}

function bytes(result) {
  return result.bytes;
}
