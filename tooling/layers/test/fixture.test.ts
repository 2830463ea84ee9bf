// The fixture breaks every rule deliberately: the check is alive only as long as it reports each of them, and no more.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkTree } from "../src/rules.mjs";
import { readTree } from "../src/workspace.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const fixture = join(here, "fixture");
const root = join(here, "../../..");
const cli = join(here, "../check.mjs");

/** What stands in `// expect:` comments, as "path:line rule". */
function expectedInSources(): string[] {
  return readdirSync(join(fixture, "packages"), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.[jt]s$/.test(path))
    .flatMap((path) =>
      readFileSync(join(fixture, "packages", path), "utf8")
        .split("\n")
        .flatMap((text, index) => {
          const rules = /\/\/ expect: (.+)$/.exec(text)?.[1]?.split(", ") ?? [];
          return rules.map((rule) => `packages/${path}:${index + 1} ${rule}`);
        }),
    );
}

const expectedElsewhere = [
  "packages/empty/package.json no-sources",
  "packages/empty/package.json not-in-layers",
  "packages/left/package.json cycle",
  "packages/right/package.json third-party-dependency", // left-pad
  "packages/right/package.json third-party-dependency", // vitest, as a peer
  "packages/right/package.json unknown-dependency",
  "packages/right/package.json unused-dependency",
  "packages/stranger/package.json not-in-layers",
  "packages/stranger/package.json package-name",
  "packages/top/package.json unused-dependency",
  "layers.mjs listed-and-missing",
  "layers.mjs listed-twice",
];

describe("the fixture", () => {
  it("gets exactly the violations that it declares", async () => {
    const found = checkTree(await readTree(fixture)).map(({ where, rule }) => `${where} ${rule}`);
    expect(found.sort()).toEqual([...expectedInSources(), ...expectedElsewhere].sort());
  });

  it("breaks every rule that the sources of the check know", async () => {
    const sources = ["file-rules.mjs", "rules.mjs"]
      .map((file) => readFileSync(join(here, "../src", file), "utf8"))
      .join();
    const known = [
      ...sources.matchAll(
        /(?:report|say)\((?:\w+(?:\.\w+)?, )?"([a-z-]+)"|rule: "([a-z-]+)"|\? "([a-z-]+-import)"/g,
      ),
    ];
    const names = new Set(known.map((match) => match[1] ?? match[2] ?? match[3]));
    const broken = new Set(checkTree(await readTree(fixture)).map(({ rule }) => rule));
    expect(names.size).toBeGreaterThan(18);
    expect([...names].filter((name) => !broken.has(name ?? ""))).toEqual([]);
  });

  it("makes the command exit with 1 and print file, line and rule", () => {
    const run = spawnSync(process.execPath, [cli, fixture], { encoding: "utf8" });
    expect(run.status).toBe(1);
    expect(run.stdout).toContain("packages/right/src/index.ts:3 third-party-import");
  });
});

describe("the real tree", () => {
  it("is seen", async () => {
    const { packages } = await readTree(root);
    expect(packages.length).toBeGreaterThan(10);
    for (const each of packages) expect(each.files.length, each.name).toBeGreaterThan(0);
  });
});

describe("a tree without sources", () => {
  it("does not pass", () => {
    const nothing = spawnSync(process.execPath, [cli, join(here, "empty-fixture")], { encoding: "utf8" });
    expect(nothing.status).toBe(2);
    expect(nothing.stderr).toContain("nothing was checked");
  });
});
