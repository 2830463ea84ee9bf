// Somebody who wants one package only: an empty project, one install from the registry, then everything that a user
// does first: import, require, type-check.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkInstalled, root } from "./packages.mjs";
import { run } from "./run.mjs";

/** What has to compile with the types of a browser. */
const USES = {
  "@tw/httputil": [
    'import { HTTPHeaders } from "@tw/httputil";',
    "const headers: Headers = new HTTPHeaders();",
    'export const uses = [new Response("hi", { headers: new HTTPHeaders() }), new Headers(headers)];',
  ],
};

/**
 * @param {import("./packages.mjs").Packed} target
 * @param {{ dir: string, registry: string, packages: import("./packages.mjs").Packed[] }} where
 * @returns {Promise<string[]>} what went wrong
 */
export async function checkConsumer(target, { dir, registry, packages }) {
  const project = join(dir, "consumers", target.folder);
  writeProject(project, target);
  const failure = await install(project, target.name, { dir, registry });
  if (failure !== undefined) return [failure];
  const problems = checkInstalled(target.name, installedIn(project), packages);
  const tsc = join(root, "node_modules/.bin/tsc");
  const steps = [
    ["import", process.execPath, ["import.mjs"]],
    ["require", process.execPath, ["--no-warnings", "require.cjs"]],
    ["type-check", tsc, ["-p", "."]],
    ["type-check with a browser's types", tsc, ["-p", "tsconfig.browser.json"]],
  ];
  for (const [what, command, args] of steps) {
    const { status, output } = await run(command, args, { cwd: project });
    if (status !== 0) problems.push(`${what} failed: ${output}`);
  }
  return problems;
}

function writeProject(project, { name, entries, pure }) {
  mkdirSync(project, { recursive: true });
  const write = (file, lines) => writeFileSync(join(project, file), `${lines.join("\n")}\n`);
  write("package.json", [JSON.stringify({ name: "consumer", private: true, type: "module" })]);
  write(
    "import.mjs",
    entries.map((entry) => `await import(${JSON.stringify(entry)});`),
  );
  write("require.cjs", [
    ...entries.map((entry) => `require(${JSON.stringify(entry)});`),
    `if (require("${name}/package.json").name !== "${name}") throw new Error("another package.json");`,
  ]);
  write("consumer.ts", [
    ...entries.map((entry, i) => `import * as entry${i} from ${JSON.stringify(entry)};`),
    ...entries.map((_, i) => `export type Entry${i} = typeof entry${i};`),
  ]);
  const compilerOptions = {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
    module: "NodeNext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    // The declarations of a pure package speak of no platform, so its consumer needs none of Node's.
    types: pure ? [] : ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  write("tsconfig.json", [JSON.stringify({ compilerOptions, files: ["consumer.ts"] })]);
  // A bundler's project: all that the compiler knows, and what a browser has beside it.
  const browser = { ...compilerOptions, lib: ["ESNext", "DOM", "DOM.Iterable"] };
  write("browser.ts", USES[name] ?? []);
  write("tsconfig.browser.json", [
    JSON.stringify({ compilerOptions: browser, files: ["consumer.ts", "browser.ts"] }),
  ]);
}

async function install(project, name, { dir, registry }) {
  const settings = [
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--loglevel=error",
    `--registry=${registry}`,
  ];
  const { status, output } = await run("npm", ["install", name, ...settings], {
    cwd: project,
    env: {
      npm_config_cache: join(dir, "npm-cache"),
      npm_config_userconfig: join(dir, "npmrc"),
      npm_config_globalconfig: join(dir, "npmrc-global"),
    },
  });
  return status === 0 ? undefined : `npm install failed: ${output}`;
}

/** The names of all packages below node_modules, nested ones too. */
function installedIn(project) {
  const modules = join(project, "node_modules");
  if (!existsSync(modules)) return [];
  return readdirSync(modules, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) =>
      name.startsWith("@") ? readdirSync(join(modules, name)).map((each) => `${name}/${each}`) : [name],
    )
    .flatMap((name) => [name, ...installedIn(join(modules, name))]);
}
