import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { ERROR, HANGUP, loadPoller, READ, WRITE, whyNoPoller } from "../src/index.js";
import { target } from "../src/target.js";
import { type ChildResult, native, run } from "./helpers.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const node = process.execPath;
const copies: string[] = [];

afterEach(() => {
  for (const copy of copies.splice(0)) rmSync(copy, { recursive: true });
});

/** A copy of the package that may be damaged. */
function copy(): string {
  const folder = mkdtempSync(join(tmpdir(), "tw-poller-"));
  copies.push(folder);
  for (const part of ["native", "src", "dist", "package.json", "prebuilds"]) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function load(
  folder: string,
  env: Record<string, string> = {},
  nodeArgs: string[] = [],
): Promise<ChildResult> {
  const script = `import("${join(folder, "dist/index.js")}").then((m) => console.log(typeof m.loadPoller(), m.loadPoller() === m.loadPoller()))`;
  return run(node, [...nodeArgs, "-e", script], env);
}

const build = (folder: string, env: Record<string, string>) =>
  run(process.execPath, [join(folder, "native/build.mjs")], env);

it("the constants have the kernel's values, as in Tornado", () => {
  expect([READ, WRITE, ERROR, HANGUP]).toEqual([1, 4, 0x18, 0x20]);
});

it("loadPoller() finds a poller here, unless this run is to do without", () => {
  const without = process.env.TW_NO_COMPILER === "1" || !["linux", "darwin"].includes(process.platform);
  expect(loadPoller() === undefined).toBe(without);
  expect(loadPoller()).toBe(loadPoller());
});

describe("without a compiler", () => {
  it("build succeeds, says so, and loadPoller() answers undefined although a file of an earlier build lay there", async () => {
    const folder = copy();
    const { code, out } = await build(folder, { TW_NO_COMPILER: "1" });
    expect({ code, out }).toEqual({ code: 0, out: "native: no compiler, portable engine only" });
    expect(await load(folder)).toEqual({ code: 0, signal: null, out: "undefined true", err: "" });
  });

  it("a shipped file stays and is used", async () => {
    const folder = copy();
    const shipped = join(folder, "prebuilds", `${target()}.node`);
    mkdirSync(join(folder, "prebuilds"), { recursive: true });
    rmSync(`${shipped}.local`, { force: true });
    if (!existsSync(shipped)) writeFileSync(shipped, "from elsewhere");
    const { code, out } = await build(folder, { TW_NO_COMPILER: "1" });
    expect({ code, out }).toEqual({ code: 0, out: "native: no compiler, using the shipped file" });
    expect(existsSync(shipped)).toBe(true);
  });
});

it("a file that is no addon, one of another library, or none at all means no poller and no error", async () => {
  const folder = copy();
  const file = join(folder, "prebuilds", `${target()}.node`);
  mkdirSync(join(folder, "prebuilds"), { recursive: true });
  writeFileSync(file, "not an object file");
  expect(await load(folder)).toMatchObject({ code: 0, out: "undefined true", err: "" });
  rmSync(file);
  expect(await load(folder)).toMatchObject({ code: 0, out: "undefined true", err: "" });
});

native("where there is a poller", () => {
  it("TW_NO_NATIVE=1 does without it, TW_NO_NATIVE=0 does not", async () => {
    expect((await load(root, { TW_NO_NATIVE: "1" })).out).toBe("undefined true");
    expect((await load(root, { TW_NO_NATIVE: "0" })).out).toBe("object true");
  });

  it("the permission model without net means no poller, even where addons are allowed", async () => {
    const { out: version } = await run(node, ["-p", "process.versions.node"]);
    const major = Number.parseInt(version, 10);
    const permission = major < 22 ? "--experimental-permission" : "--permission";
    const allowed = ["--allow-fs-read=*", ...(major < 22 ? [] : ["--allow-addons"])];
    const without = await load(root, {}, [permission, ...allowed]);
    expect(without).toMatchObject({ code: 0, out: "undefined true" });
    if (major >= 25) {
      const { out } = await load(root, {}, [permission, ...allowed, "--allow-net"]);
      expect(out).toBe("object true");
    }
  });

  it("a compile error fails the build and leaves the earlier file alone", async () => {
    const folder = copy();
    writeFileSync(join(folder, "native/poller.c"), "int broken(");
    const before = readdirSync(join(folder, "prebuilds"));
    const { code } = await build(folder, { CC: "" });
    expect(code).toBeGreaterThan(0);
    expect(readdirSync(join(folder, "prebuilds"))).toEqual(before);
  });

  it("a $CC that is not there is passed over", async () => {
    const { code, out } = await build(copy(), { CC: "no-such-compiler" });
    expect(code).toBe(0);
    expect(out).toMatch(/^native: built \S+ with (cc|gcc|clang)$/);
  });
});

describe("whyNoPoller()", () => {
  /** What it says in a process of its own: code and message. */
  async function why(folder: string, env: Record<string, string> = {}, nodeArgs: string[] = []) {
    const script = `import("${join(folder, "dist/index.js")}").then(({ whyNoPoller }) => {
      const { code = "", message } = whyNoPoller() ?? { message: "there is one" };
      console.log(code, message.split("\\n")[0]);
    })`;
    return (await run(node, [...nodeArgs, "-e", script], env)).out;
  }

  it("is what the loader threw: no file, no addon, addons that are switched off", async () => {
    const folder = copy();
    const file = join(folder, "prebuilds", `${target()}.node`);
    mkdirSync(join(folder, "prebuilds"), { recursive: true });
    writeFileSync(file, "not an object file");
    expect(await why(folder)).toMatch(/^ERR_DLOPEN_FAILED /);
    expect(await why(folder, {}, ["--no-addons"])).toMatch(/^ERR_DLOPEN_DISABLED /);
    rmSync(file);
    expect(await why(folder)).toBe(`MODULE_NOT_FOUND Cannot find module '../prebuilds/${target()}.node'`);
  });

  it("names TW_NO_NATIVE, and permissions that lack", async () => {
    expect(await why(root, { TW_NO_NATIVE: "1" })).toBe("TW_NO_NATIVE is set");
    const [major = 0] = process.versions.node.split(".").map(Number);
    const permission = major < 22 ? "--experimental-permission" : "--permission";
    expect(await why(root, {}, [permission, "--allow-fs-read=*"])).toBe(
      "Node's permission model does not allow the network",
    );
  });

  it("is undefined exactly where there is a poller", () => {
    expect(whyNoPoller() === undefined).toBe(loadPoller() !== undefined);
  });
});

it("require() works, and the names are these", async () => {
  const script = `const m = require(${JSON.stringify(join(root, "dist/index.js"))}); console.log(Object.keys(m).sort().join())`;
  const { code, out } = await run(node, ["--no-warnings", "-e", script]);
  expect({ code, out }).toEqual({
    code: 0,
    out: "ERROR,HANGUP,NOT_READ,READ,WRITE,hostText,loadPoller,whyNoPoller",
  });
});
