// The command line of `npm run soak`.
import { parseArgs } from "node:util";
import { CHECKS } from "./checks.mjs";

export const USAGE = `npm run soak -- [options]
  --quick         about ten seconds for each check: shows that everything works
  --seconds S     length of each fuzz (60; quick 8)
  --restarts N    servers that are replaced under load (50; quick 8)
  --seed N        what the random ones begin with (from the clock; a failure names it)
  --engine E      native or node (both)
  --only a,b      only checks whose name contains one of these words
  --no-build      run what is built already

Checks: ${CHECKS.map(({ name }) => name).join(" · ")}`;

const ENGINES = ["native", "node"];

/**
 * @returns options, every field present
 * @throws TypeError that says what is wrong with the arguments
 */
export function parseSoakOptions(/** @type {string[]} */ args, now = Date.now()) {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  const { values } = parseArgs({
    args,
    options: {
      quick: flag,
      seconds: text,
      restarts: text,
      seed: text,
      engine: text,
      only: text,
      "no-build": flag,
      help: flag,
    },
  });
  const number = (name, fallback) => {
    const value = Number(values[name] ?? fallback);
    if (!(value > 0)) throw new TypeError(`--${name} takes a number above 0, not "${values[name]}"`);
    return value;
  };
  if (values.engine !== undefined && !ENGINES.includes(values.engine))
    throw new TypeError(`--engine takes ${ENGINES.join(" or ")}, not "${values.engine}"`);
  const words = (values.only ?? "").split(",").filter((each) => each !== "");
  const wanted = ({ name }) => words.length === 0 || words.some((word) => name.includes(word));
  if (!CHECKS.some(wanted)) throw new TypeError(`--only: no check has "${values.only}" in its name`);
  return {
    quick: values.quick,
    seconds: number("seconds", values.quick ? 8 : 60),
    restarts: number("restarts", values.quick ? 8 : 50),
    seed: number("seed", 1 + (now % 1_000_000)),
    engines: values.engine === undefined ? ENGINES : [values.engine],
    checks: CHECKS.filter(wanted),
    build: !values["no-build"],
    help: values.help,
  };
}
