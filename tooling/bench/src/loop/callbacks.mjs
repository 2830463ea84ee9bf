// What a callback costs beside setImmediate, and a timer beside setTimeout: the same work, in turns, in one process.
// Ratios are taken within each round, because the machine's speed drifts.
import { AsyncLocalStorage } from "node:async_hooks";
import { IOLoop } from "@tw/ioloop";
import { spread } from "../statistics.mjs";

const CALLBACKS = 200_000; // of one measurement, in bursts of one size
const MANY = 100_000; // the garbage collector's part of the cost shows
const FEW = 1000; // it does not
const TIMERS = 1_000_000;

const loop = IOLoop.current();
const storage = new AsyncLocalStorage();
const nothing = () => undefined;

const viaLoop = (fn) => loop.addCallback(fn);
const viaImmediate = (fn) => setImmediate(fn);

/** @returns {Promise<number>} ns per callback, from the first call to the end of the last callback */
async function callbacks(add, size, inside) {
  const burst = () =>
    new Promise((resolve) => {
      for (let i = 1; i < size; i++) add(nothing);
      add(resolve);
    });
  const start = performance.now();
  for (let left = CALLBACKS; left > 0; left -= size)
    await (inside ? storage.run({ request: 1 }, burst) : burst());
  return ((performance.now() - start) * 1e6) / CALLBACKS;
}

const setByLoop = (delay) => loop.callLater(delay, nothing);
const clearByLoop = (timer) => loop.removeTimeout(timer);
const setByNode = (delay) => setTimeout(nothing, delay);

function callbackRows(where, { enter = false, inside = false } = {}) {
  return [MANY, FEW].map((size) => [
    `callback, ${size} at a time, ${where}`,
    () => callbacks(viaLoop, size, inside),
    () => callbacks(viaImmediate, size, inside),
    enter,
  ]);
}

/** @returns {number} ns per timer that is added and cancelled */
function timers(set, clear, delays) {
  globalThis.gc?.(); // a million timers of the other side are the other side's
  const made = new Array(TIMERS);
  const start = performance.now();
  for (let i = 0; i < TIMERS; i++) made[i] = set(delays[i]);
  for (let i = 0; i < TIMERS; i++) clear(made[i]);
  return ((performance.now() - start) * 1e6) / TIMERS;
}

/** Runs both in turns, each first in every other round; two rounds warm up. */
async function inTurns(rounds, ours, peers) {
  const ns = { ours: [], peers: [] };
  for (let round = -2; round < rounds; round++) {
    const pair = [
      ["ours", ours],
      ["peers", peers],
    ];
    if (round % 2 !== 0) pair.reverse();
    for (const [who, measure] of pair) {
      const value = await measure();
      if (round >= 0) ns[who].push(value);
    }
  }
  return ns;
}

async function main(/** @type {number} */ rounds) {
  const equal = new Float64Array(TIMERS).fill(60_000);
  const random = Float64Array.from({ length: TIMERS }, () => 1000 + Math.floor(Math.random() * 600_000));
  const rows = [
    ...callbackRows("no AsyncLocalStorage in use"),
    ...callbackRows("one in use elsewhere", { enter: true }),
    ...callbackRows("inside a live store", { inside: true }),
    [
      "timer, equal delays, added and cancelled",
      () => timers(setByLoop, clearByLoop, equal),
      () => timers(setByNode, clearTimeout, equal),
    ],
    [
      "timer, random delays, added and cancelled",
      () => timers(setByLoop, clearByLoop, random),
      () => timers(setByNode, clearTimeout, random),
    ],
  ];
  console.log("| per | ours, ns | Node's, ns | ours / Node's by round |\n| --- | --: | --: | --: |");
  for (const [title, ours, peers, enter] of rows) {
    if (enter) storage.run(undefined, () => storage.run({}, nothing));
    const ns = await inTurns(rounds, ours, peers);
    const ratio = ns.ours.map((value, round) => value / ns.peers[round]);
    console.log(`| ${title} | ${show(ns.ours, 0)} | ${show(ns.peers, 0)} | ${show(ratio, 2)} |`);
  }
}

function show(values, digits) {
  const { median, min, max } = spread(values);
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

await main(Number(process.argv[2] ?? 7));
