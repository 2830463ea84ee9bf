// Checks that every MUST of RFC 9110 and RFC 9112 that concerns us has a line that obeys it and a proof, and that
// docs/http-musts.md says so:  node tooling/musts/check.mjs [--write]
// Prints one line per fault and exits with 1; with --write it writes the table first.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findFaults } from "./src/faults.mjs";
import { readProofs, readSources } from "./src/markers.mjs";
import { rfc9110 } from "./src/rfc9110.mjs";
import { rfc9112 } from "./src/rfc9112.mjs";
import { renderTable } from "./src/table.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const table = `${root}docs/http-musts.md`;
const rfcs = [rfc9112, rfc9110];
const sources = readSources(root);
const proofs = readProofs(root);
const text = renderTable(rfcs, sources, proofs);
if (process.argv.includes("--write")) writeFileSync(table, text);

const faults = findFaults(rfcs, sources, proofs);
if (readFileSync(table, "utf8") !== text) {
  faults.push("docs/http-musts.md is stale: node tooling/musts/check.mjs --write");
}
for (const fault of faults) console.log(fault);
const count = rfcs.reduce((sum, { ours }) => sum + Object.keys(ours).length, 0);
console.log(`${count} requirements, ${faults.length === 0 ? "no" : faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
