// Builds one sample application with what it imports, and runs it in this process:  node tooling/start.mjs [name] [arguments]
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [name = "chat", ...args] = process.argv.slice(2);

const samples = existsSync(`${root}apps`)
  ? readdirSync(`${root}apps`).filter((each) => existsSync(`${root}apps/${each}/package.json`))
  : [];
if (!samples.includes(name)) {
  console.error(`There is no sample "${name}". There are: ${samples.join(", ") || "none"}.`);
  process.exit(1);
}

const build = spawnSync(
  "turbo",
  ["run", "build", `--filter=./apps/${name}`, "--concurrency=2", "--output-logs=errors-only"],
  {
    cwd: root,
    // What turbo says of its own work is no news to somebody who starts a sample: shown when the build fails.
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 1 << 26,
    shell: process.platform === "win32",
  },
);
if (build.status !== 0) {
  console.error(`${build.stdout ?? ""}${build.stderr ?? ""}`);
  console.error(
    build.error ? `turbo could not be run (${build.error.message}): use npm start` : `${name} was not built`,
  );
  process.exit(1);
}

const main = `${root}apps/${name}/dist/main.js`;
if (!existsSync(main)) {
  console.error(`${name} was built without a dist/main.js: nothing to run`);
  process.exit(1);
}
process.argv.splice(1, Number.POSITIVE_INFINITY, main, ...args);
await import(pathToFileURL(main).href);
