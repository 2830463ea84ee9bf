// The documents at the root speak of files and names: they must be there.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs/diagnostics.md",
  "docs/limits.md",
  "docs/workflow.md",
];

describe.each(DOCUMENTS)("%s", (document) => {
  const text = read(document);

  it("links to files that exist", () => {
    const base = new URL(document, root);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = ""]) => target);
    expect(links.filter((target) => !existsSync(new URL(target, base)))).toEqual([]);
  });

  it("names files that exist", () => {
    const paths = [...text.matchAll(/`((?:packages|apps|tooling)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });
});

describe("README.md", () => {
  it("lists every package on its line of layers.mjs", async () => {
    const { layers, pure } = (await import(new URL("layers.mjs", root).href)) as {
      layers: readonly (readonly string[])[];
      pure: readonly string[];
    };
    const rows = [...read("README.md").matchAll(/^\| (\d+) \| \[`@tw\/([a-z0-9]+)`\]\([^)]+\)(°?) \|/gm)];
    const listed = rows.map(([, line, name, mark]) => `${line} ${name}${mark}`);
    const expected = layers.flatMap((names, line) =>
      names.map((name) => `${line} ${name}${pure.includes(name) ? "°" : ""}`),
    );
    expect(listed).toEqual(expected);
  });
});

describe("CONTRIBUTING.md", () => {
  const walk = read("CONTRIBUTING.md").split("## The packages")[0] ?? "";

  it("names members that the sources of the walk have", () => {
    const members = [...walk.matchAll(/`(?:[A-Z]\w+\.)?(#?\w+)`/g)].map(([, member = ""]) => member);
    const sources = [...walk.matchAll(/`(packages\/[\w./-]+\.(?:ts|c))`/g)]
      .map(([, path = ""]) => read(path))
      .join("\n");
    expect(members.length).toBeGreaterThan(10);
    const elsewhere = new Set(["http", "this", "main"]);
    expect(members.filter((member) => !elsewhere.has(member) && !sources.includes(member))).toEqual([]);
  });

  it("lists every package", async () => {
    const { layers } = (await import(new URL("layers.mjs", root).href)) as {
      layers: readonly (readonly string[])[];
    };
    const listed = [...read("CONTRIBUTING.md").matchAll(/^\| `([a-z0-9]+)`/gm)].map(([, name]) => name);
    expect(listed).toEqual(layers.flat());
  });
});

describe("SECURITY.md", () => {
  const rules = [...read("SECURITY.md").matchAll(/^\| (S-\d\d) \|/gm)].map(([, rule = ""]) => rule);

  it("lists its rules once and in order", () => {
    expect(rules.length).toBeGreaterThan(10);
    expect([...new Set(rules)].sort()).toEqual(rules);
  });
});
