// What `npm run soak` runs: programs of this folder, each once per engine, with the arguments of a long or of a quick run.

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string} file
 * @property {(how: { quick: boolean, seconds: number, restarts: number, seed: number }) => string[]} args
 */

const long = (quick, short, full) => String(quick ? short : full);

const slow = (kind, clients) => ({
  name: `slow ${kind}`,
  file: "slow.mjs",
  args: ({ quick }) => [
    "--kind",
    kind,
    "--clients",
    long(quick, clients / 5, clients),
    "--timeout",
    long(quick, 1000, 5000),
  ],
});

const fuzz = (what) => ({
  name: `fuzz ${what}`,
  file: "fuzz.mjs",
  args: ({ seconds, seed }) => ["--what", what, "--seconds", String(seconds), "--seed", String(seed)],
});

const drain = (processes, name) => ({
  name: `drain, ${name}`,
  file: "drain.mjs",
  args: ({ restarts }) => ["--processes", String(processes), "--restarts", String(restarts)],
});

/** @type {Check[]} */
export const CHECKS = [
  {
    name: "backpressure",
    file: "backpressure.mjs",
    args: ({ quick, seed }) => [
      "--megabytes",
      long(quick, 128, 1024),
      "--sleep",
      long(quick, 1000, 3000),
      "--seed",
      String(seed),
    ],
  },
  {
    name: "faults",
    file: "faults.mjs",
    args: ({ quick, seed }) => ["--connections", long(quick, 1000, 9000), "--seed", String(seed)],
  },
  fuzz("http"),
  fuzz("websocket"),
  drain(1, "one process"),
  drain(3, "several processes"),
  slow("heads", 5000),
  slow("silent", 1000),
  slow("bodies", 1000),
  slow("readers", 1000),
];
