// The command line of the benchmark.
import { parseArgs } from "node:util";

export const USAGE = `npm run bench -- [options]
  --rows a,b      only rows whose id contains one of these words (the C limit always runs)
  --with bun,deno also the runtimes named, fetched from npm on first use
  --rounds N      measurements per row, interleaved; the median counts (7; fewer is no result)
  --seconds S     length of one measurement (3)
  --quick         2 rounds of half a second: shows that the harness works, is no result
  --connections N keep-alive connections of the comparison hello (64)
  --pipeline N    requests sent at once on each of them (1)
  --only a,b      of the part http: hello, pipeline, latency, active, crowd, connect, body, file, upload, stream,
                  slowloris, idle; of the part stream: comparisons whose title contains one of these words
  --part P        http, ws, stream, loop or all (all)
  --idle          RSS per idle connection instead, between 5000 and 15000 of them
  --no-build      measure what is built already`;

const DEFAULTS = { rounds: 7, seconds: 3, connections: 64, pipeline: 1 };
const QUICK = { rounds: 2, seconds: 0.5 };
const PARTS = ["http", "ws", "stream", "loop", "all"];
const RUNTIMES = ["bun", "deno"];

/**
 * @returns options, every field present
 * @throws TypeError that says what is wrong with the arguments
 */
export function parseOptions(/** @type {string[]} */ args) {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({
    args,
    options: {
      rows: text,
      only: text,
      with: text,
      rounds: text,
      seconds: text,
      connections: text,
      pipeline: text,
      part: text,
      quick: flag,
      idle: flag,
      "no-build": flag,
      help: flag,
    },
  });
  const fallback = values.quick ? { ...DEFAULTS, ...QUICK } : DEFAULTS;
  const options = {
    rows: list(values.rows),
    only: list(values.only),
    with: list(values.with),
    part: values.part ?? "all",
    idle: values.idle,
    build: !values["no-build"],
    help: values.help,
    ...fallback,
  };
  for (const name of Object.keys(DEFAULTS)) {
    if (values[name] === undefined) continue;
    options[name] = Number(values[name]);
    if (!(options[name] > 0)) throw new TypeError(`--${name} takes a number above 0, not "${values[name]}"`);
  }
  if (!PARTS.includes(options.part))
    throw new TypeError(`--part takes ${PARTS.join(", ")}, not "${options.part}"`);
  const unknown = options.with.find((name) => !RUNTIMES.includes(name));
  if (unknown !== undefined) throw new TypeError(`--with takes ${RUNTIMES.join(", ")}, not "${unknown}"`);
  return options;
}

const list = (value) => (value ?? "").split(",").filter((each) => each !== "");
