// Leaves the counts of one package's run where tooling/testing/run.mjs adds them up, also after a turbo cache hit.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const out = ".turbo/test-summary.json";

const count = (modules) => {
  const sum = { passed: 0, failed: 0, skipped: 0, skippedNames: [] };
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") sum.passed++;
      else if (state === "failed") sum.failed++;
      else {
        sum.skipped++;
        sum.skippedNames.push(`${module.relativeModuleId}: ${test.fullName}`);
      }
    }
    if (module.errors().length > 0) sum.failed++;
  }
  return sum;
};

export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const sum = count(modules);
    sum.failed += unhandledErrors.length;
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, `${JSON.stringify(sum)}\n`);
  }
}
