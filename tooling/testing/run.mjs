// What `npm test` runs after the install: build, layers, lint, types, packages as published, every test. Nothing stops
// at the first failure. Each check counts as one, each test as one; the last line is `N passed, N failed`.
//
// Arguments go to `turbo run test`, such as --filter=@tw/util; packages without a result are then not missed.
import { existsSync } from "node:fs";
import { checks, runCheck, tests } from "./checks.mjs";
import { collectResults, forgetResults, testedMembers } from "./results.mjs";

const args = process.argv.slice(2);
const inCi = Boolean(process.env.CI) && process.env.CI !== "false";
const failures = [];
let passed = 0;
let failed = 0;

const fail = (what, count = 1) => {
  failures.push(what);
  failed += count;
};

for (const check of checks) {
  if (check.needs !== undefined && !existsSync(check.needs)) continue;
  if (await runCheck(check)) passed++;
  else fail(check.name);
}

const members = testedMembers();
forgetResults(members);
const ended = await runCheck({ ...tests, command: [...tests.command, ...args] });
const results = collectResults(members);
passed += results.passed;
for (const { dir, failed: count } of results.failed) fail(`${count} of the tests in ${dir}`, count);
if (args.length === 0) for (const dir of results.missing) fail(`no test result from ${dir}`);
if (!ended && failed === 0) fail("turbo run test");

console.log("");
for (const name of results.skipped) {
  console.log(`skipped: ${name}`);
  if (inCi) fail(`skipped in CI: ${name}`);
}
for (const what of failures) console.log(`failed: ${what}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
