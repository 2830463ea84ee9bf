// Medians with their spread.

/**
 * @typedef {object} Spread
 * @property {number} median
 * @property {number} min
 * @property {number} max
 */

/** @returns {Spread} of at least one number */
export function spread(/** @type {number[]} */ values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** `values` from `by` on, then those before it: another row goes first in every round. */
export function rotated(/** @type {unknown[]} */ values, /** @type {number} */ by) {
  const start = by % values.length;
  return [...values.slice(start), ...values.slice(0, start)];
}
