import { describe, expect, it } from "vitest";
import { checkInstalled, closure, readPackages } from "../src/packages.mjs";
import { checkContents, missingEntries } from "../src/tarball.mjs";

const packages = readPackages();
const files = ["README.md", "LICENSE", "package.json", "dist/index.js"];
const manifest = {
  exports: { ".": "./dist/index.js" },
  sideEffects: false as unknown,
  files: ["CHANGELOG.md", "dist", "src"],
  license: "MIT",
  engines: { node: ">=20.19" },
  publishConfig: { access: "public" },
};

describe("readPackages()", () => {
  it("sees the packages of the repository with all their entries", () => {
    expect(packages.length).toBeGreaterThan(10);
    const iostream = packages.find(({ name }) => name === "@tw/iostream");
    expect(iostream?.entries).toContain("@tw/iostream/testing");
    expect(iostream?.entries).not.toContain("@tw/iostream/package.json");
  });
});

describe("checkInstalled()", () => {
  const alone = closure("@tw/iostream", packages);

  it("is content with a package and what it depends on", () => {
    expect(alone).toContain("@tw/util");
    expect(checkInstalled("@tw/iostream", alone, packages)).toEqual([]);
  });

  it("reports what is not ours", () => {
    expect(checkInstalled("@tw/iostream", [...alone, "left-pad"], packages)).toHaveLength(1);
  });

  it("reports HTTP below iostream", () => {
    expect(checkInstalled("@tw/iostream", [...alone, "@tw/httputil"], packages).join()).toContain("of HTTP");
  });

  it("reports what came from a higher line, or did not come", () => {
    expect(checkInstalled("@tw/poller", ["@tw/poller", "@tw/ioloop"], packages).join()).toContain(
      "@tw/ioloop",
    );
    expect(checkInstalled("@tw/iostream", ["@tw/iostream"], packages).join()).toContain(
      "does not bring @tw/util",
    );
  });
});

describe("a tarball", () => {
  it("passes with what belongs into it", () => {
    expect([...missingEntries({ manifest, files }), ...checkContents({ manifest, files })]).toEqual([]);
  });

  it("passes with side effects of files that it names and has", () => {
    const sideEffects = ["./dist/index.js"];
    expect(checkContents({ manifest: { ...manifest, sideEffects }, files })).toEqual([]);
  });

  it("lacks an entry that was not built", () => {
    expect(missingEntries({ manifest, files: files.slice(0, 3) })).toHaveLength(1);
  });

  it.each([
    ["no README", { manifest, files: files.slice(1) }],
    ["a test", { manifest, files: [...files, "src/x.test.ts"] }],
    ["an install script", { manifest: { ...manifest, scripts: { postinstall: "x" } }, files }],
    [
      "an unreplaced workspace range",
      { manifest: { ...manifest, dependencies: { "@tw/util": "workspace:^" } }, files },
    ],
    ["an exact range", { manifest: { ...manifest, dependencies: { "@tw/util": "0.0.0" } }, files }],
    ["side effects", { manifest: { ...manifest, sideEffects: undefined }, files }],
    ["side effects of everything", { manifest: { ...manifest, sideEffects: true }, files }],
    ["side effects of a pattern", { manifest: { ...manifest, sideEffects: ["./dist/*.js"] }, files }],
    ["side effects of what it lacks", { manifest: { ...manifest, sideEffects: ["./dist/x.js"] }, files }],
    ["no CHANGELOG.md among its files", { manifest: { ...manifest, files: ["dist"] }, files }],
    ["another license", { manifest: { ...manifest, license: "ISC" }, files }],
    ["another version of Node", { manifest: { ...manifest, engines: { node: ">=18" } }, files }],
    ["no public access", { manifest: { ...manifest, publishConfig: undefined }, files }],
  ])("is refused with %s", (_, tarball) => {
    expect(checkContents(tarball)).toHaveLength(1);
  });
});
