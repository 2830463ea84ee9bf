// The results as Markdown.
import { spread } from "./statistics.mjs";

const perSecond = ({ median, min, max }) => `${thousands(median)} (${thousands(min)}–${thousands(max)})`;
const micros = ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
export const thousands = (value) => Math.round(value).toLocaleString("en-US");
const latency = (micros) => (micros === 0 ? "–" : thousands(micros));
export const megabytes = (value) => `${(value / 1e6).toFixed(0)} MB`;
export const oneLine = (text) =>
  text.split("\n").slice(0, 3).join(" · ").replaceAll("|", "\\|").slice(0, 200);

/** Median of at least this many rounds is a result; below it the table says that it is none. */
export const ENOUGH_ROUNDS = 7;

export const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? "---" : "--:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");

/**
 * @typedef {object} Ratio  one more column: what is divided, and the row that it is divided by
 * @property {"cpu" | "rate" | "p99"} what
 * @property {import("./measure.mjs").Result} base
 * @property {string} baseName
 */

/**
 * @param {import("./measure.mjs").Result[]} results
 * @param {{ unit: string, base: import("./measure.mjs").Result | undefined, baseName: string, also?: Ratio[] }} how
 *   `base`: the row that the first ratio divides by
 */
export function comparisonTable(results, { unit, base, baseName, also = [] }) {
  const ratios = [...(base === undefined ? [] : [{ what: "cpu", base, baseName }]), ...also];
  const head = [
    "server",
    unit === "MiB" ? "MiB/s" : `${unit}s/s`,
    "p50 µs",
    "p99 µs",
    `server CPU µs/${unit}`,
    "RSS",
    ...ratios.map((ratio) => `${RATIO_NAMES[ratio.what]}, ratio to ${ratio.baseName}`),
  ];
  const rows = results.map((result) => {
    if (result.wrong !== undefined)
      return [result.row.title, `void: ${oneLine(result.wrong)}`, ...head.slice(2).map(() => "")];
    const { rate, cpu, p50Us, p99Us, rss } = result;
    return [
      result.row.title,
      perSecond(rate),
      latency(p50Us),
      latency(p99Us),
      micros(cpu),
      megabytes(rss),
      ...ratios.map((ratio) => micros(ratioTo(ratio.base, result, ratio.what))),
    ];
  });
  return table(head, rows);
}

/**
 * Both rows of a ratio come from the same round, seconds apart: the machine's speed drifts over a run, and a ratio of two
 * medians may compare a slow minute with a fast one.
 */
export function ratioTo(base, result, /** @type {"cpu" | "rate" | "p99"} */ what) {
  const [values, by] = [result[`${what}ByRound`], base[`${what}ByRound`]];
  const rounds = Math.min(values.length, by.length);
  return spread(values.slice(0, rounds).map((value, round) => value / by[round]));
}

const RATIO_NAMES = { cpu: "CPU", rate: "rate", p99: "p99" };

/** @param {import("./idle.mjs").IdleResult[]} results */
export function idleTable(results) {
  const head = ["server", "bytes per idle connection", "RSS with 5 000", "RSS with 15 000"];
  const rows = results.map(({ row, wrong, bytes, few, many }) =>
    wrong === undefined
      ? [row.title, thousands(bytes), megabytes(few), megabytes(many)]
      : [row.title, `void: ${oneLine(wrong)}`, "", ""],
  );
  return table(head, rows);
}

/**
 * Why a whole run is worth nothing, or undefined: where the C server is not the cheapest row, something else than the
 * servers was measured.
 */
export function voidReason(/** @type {import("./measure.mjs").Result[]} */ results) {
  const limit = results.find(({ row }) => row.limit);
  if (limit === undefined) return undefined;
  if (limit.wrong !== undefined) return `the C server did not run: ${limit.wrong}`;
  const faster = results.find(
    ({ row, cpu }) => !row.limit && cpu !== undefined && cpu.median <= limit.cpu.median,
  );
  return (
    faster &&
    `${faster.row.id} costs ${faster.cpu.median.toFixed(2)} µs, the C server ${limit.cpu.median.toFixed(2)} µs`
  );
}
