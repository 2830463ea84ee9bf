// npm run soak: what takes too long for `npm test`. Runs every check on both engines, one after the other, and says of each in a
// line how it went. Ends with 1 when one failed.
import { buildPackages } from "../build.mjs";
import { parseSoakOptions, USAGE } from "./options.mjs";
import { runCheck } from "./run-check.mjs";

const PATIENCE_MS = 240_000; // beyond what a check was told to take

try {
  const options = parseSoakOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error.message);
  process.exitCode = 1;
}

async function main(options) {
  if (options.build) buildPackages((line) => console.error(line));
  const { seconds, restarts } = options;
  const patienceMs = PATIENCE_MS + seconds * 1000 + restarts * 2000;
  let passed = 0;
  let failed = 0;
  for (const check of options.checks) {
    for (const engine of options.engines) {
      const args = [...check.args(options), "--engine", engine];
      const result = await runCheck(check, args, { patienceMs });
      console.log(result.line);
      if (result.passed) passed++;
      else {
        failed++;
        console.log(result.output.replace(/^/gm, "        "));
        console.log(`        again: node tooling/bench/src/soak/${check.file} ${args.join(" ")}`);
      }
    }
  }
  console.log(`${passed} passed, ${failed} failed; seed ${options.seed}`);
  process.exitCode = failed === 0 ? 0 : 1;
}
