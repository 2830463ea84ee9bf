// Proves that each package is of use alone: packs all, publishes them to a registry on loopback, installs each one into
// an empty project of its own, and uses it there:  node tooling/pack/check.mjs   (after a build)
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkConsumer } from "./src/consumer.mjs";
import { readPackages } from "./src/packages.mjs";
import { Registry } from "./src/registry.mjs";
import { inParallel } from "./src/run.mjs";
import { checkContents, checkTarball, missingEntries, pack } from "./src/tarball.mjs";

const packages = readPackages();
const dir = mkdtempSync(join(tmpdir(), "tw-pack-"));
const tarballs = join(dir, "tarballs");
mkdirSync(tarballs);
/** @type {Registry | undefined} */
let registry;

try {
  const starting = Registry.start(join(dir, "registry"));
  const packed = await inParallel(packages, (each) => pack(each, tarballs));
  registry = await starting;
  await inParallel(packed, ({ manifest, bytes, path }) => registry.publish(manifest, bytes, path));
  const where = { dir, registry: registry.url, packages };
  const problems = await inParallel(packages, async (each) => {
    const tarball = packed[packages.indexOf(each)];
    const missing = missingEntries(tarball);
    if (missing.length > 0) return missing;
    return [
      ...checkContents(tarball),
      ...(await checkTarball(tarball)),
      ...(await checkConsumer(each, where)),
    ];
  });
  const lines = packages.flatMap(({ name }, i) => problems[i].map((problem) => `${name} ${problem}`));
  for (const line of lines) console.log(line);
  if (packages.length === 0) lines.push("no packages");
  const verdict = lines.length === 0 ? "no problems" : `${lines.length} problems`;
  console.log(`${packages.length} packages packed, published and installed alone: ${verdict}`);
  process.exitCode = lines.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`pack: ${error.message}`);
  process.exitCode = 1;
} finally {
  await registry?.stop();
  rmSync(dir, { recursive: true, force: true });
}
