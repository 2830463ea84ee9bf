// Checks every import and every dependency of packages/* against layers.mjs:  node tooling/layers/check.mjs [root]
// Prints one line per violation and exits with 1; with 2 where it could not see what it is to check.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { checkTree } from "./src/rules.mjs";
import { readTree } from "./src/workspace.mjs";

const root = resolve(process.argv[2] ?? fileURLToPath(new URL("../..", import.meta.url)));

try {
  const tree = await readTree(root);
  const files = tree.packages.reduce((sum, each) => sum + each.files.length, 0);
  if (files === 0) throw new Error(`no source files in ${root}/packages: nothing was checked`);
  const violations = checkTree(tree);
  for (const { where, rule, message } of violations) console.log(`${where} ${rule}: ${message}`);
  const seen = `${tree.packages.length} packages checked, ${files} files`;
  console.log(`${seen}, ${violations.length === 0 ? "no" : violations.length} violations`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`layers: ${error.message}`);
  process.exitCode = 2;
}
