// Adds up what summary-reporter.mjs left in each member of the workspace. The files are outputs of turbo's task, so that
// they are there after a run that was answered from its cache too.
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { root } from "./checks.mjs";

const summary = (dir) => `${root}${dir}/.turbo/test-summary.json`;

/** The members that have a test script, as "packages/util". */
export function testedMembers() {
  return ["packages", "apps", "tooling"].flatMap((parent) => {
    if (!existsSync(root + parent)) return [];
    return readdirSync(root + parent)
      .map((folder) => `${parent}/${folder}`)
      .filter((dir) => existsSync(`${root}${dir}/package.json`))
      .filter(
        (dir) => JSON.parse(readFileSync(`${root}${dir}/package.json`, "utf8")).scripts?.test !== undefined,
      );
  });
}

/** Takes away the results of earlier runs: a run that leaves none must not be taken for the last one. */
export function forgetResults(members) {
  for (const dir of members) rmSync(summary(dir), { force: true });
}

export function collectResults(members) {
  const results = { passed: 0, failed: [], skipped: [], missing: [] };
  for (const dir of members) {
    if (!existsSync(summary(dir))) {
      results.missing.push(dir);
      continue;
    }
    const one = JSON.parse(readFileSync(summary(dir), "utf8"));
    if (one.passed + one.failed + one.skipped === 0) results.missing.push(dir);
    results.passed += one.passed;
    if (one.failed > 0) results.failed.push({ dir, failed: one.failed });
    results.skipped.push(...one.skippedNames.map((name) => `${dir} ${name}`));
  }
  return results;
}
