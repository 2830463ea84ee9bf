// The built package inside somebody's bundle: one file of theirs, in a folder without packages.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const packageDir = fileURLToPath(new URL("..", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tw-bundle-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Bundles what is imported by the name of a built entry, as `file` of the folder. */
async function bundle(contents: string, file: string): Promise<string> {
  const outfile = join(folder, file);
  await build({
    stdin: { contents, resolveDir: packageDir },
    outfile,
    bundle: true,
    platform: "node",
    format: file.endsWith(".cjs") ? "cjs" : "esm",
    logLevel: "silent",
  });
  return outfile;
}

/** What the bundle of this program prints. */
async function output(contents: string, file: string): Promise<string> {
  const { stdout } = await run(process.execPath, [await bundle(contents, file)], { timeout: 20_000 });
  return stdout.trim();
}

const head = `
  import { IOLoop, ThreadPoolExecutor } from "./dist/index.js";
  const loop = IOLoop.current();
  const code = ({ code, message }) => console.log(code ?? message);
`;

for (const format of ["mjs", "cjs"]) {
  describe(`a bundle (${format})`, () => {
    it("runs a loop", async () => {
      const program = `${head} loop.addCallback(() => console.log("ran"));`;
      expect(await output(program, `loop.${format}`)).toBe("ran");
    });

    it("runs an executor and a watchdog whose entries are named", async () => {
      await bundle(`import "./dist/executor/worker.js";`, "executor-entry.mjs");
      await bundle(`import "./dist/watchdog/worker.js";`, "watchdog-entry.mjs");
      await writeFile(join(folder, "work.mjs"), "export const add = (a, b) => a + b;");
      const program = `${head}
        import { fstatSync, openSync } from "node:fs";
        import { pathToFileURL } from "node:url";
        const here = (name) => new URL(name, pathToFileURL(process.argv[1]));
        const pool = new ThreadPoolExecutor({ entry: here("executor-entry.mjs") });
        loop.runInExecutor(pool, { module: here("work.mjs"), name: "add" }, 1, 2).then(async (sum) => {
          console.log(sum);
          await pool.close();
          const reported = new Promise((onBlocked) => {
            const live = openSync(here("live-${format}.txt"), "w+");
            const entry = here("watchdog-entry.mjs");
            loop.setBlockingWatchdog({ thresholdMs: 20, live, entry, onBlocked }).then(() => {
              loop.addCallback(function busy() {
                while (fstatSync(live).size === 0);
              });
            });
          });
          const held = setInterval(() => undefined, 1000); // the watchdog does not hold the process
          console.log((await reported).position.functionName);
          clearInterval(held);
          await loop.setBlockingWatchdog(undefined);
        });`;
      expect(await output(program, `threads.${format}`)).toBe("3\nbusy");
    });
  });
}

describe("threads whose entry was not carried along", () => {
  it("fail with what is missing and what to do, in a bundle that knows where it is", async () => {
    const program = `${head}
      const said = ({ code, message, cause }) => console.log(code, message.includes("option entry"), cause.code);
      await loop.runInExecutor(undefined, { module: "node:path", name: "basename" }, "/a").catch(said);
      await loop.setBlockingWatchdog({}).catch(said);`;
    expect(await output(program, "missing.mjs")).toBe(
      "ERR_TW_WORKER_CRASHED true MODULE_NOT_FOUND\nERR_TW_WATCHDOG_ENDED true MODULE_NOT_FOUND",
    );
  });

  it("are refused before anything starts in one that does not", async () => {
    const program = `${head}
      const refused = (call) => { try { call(); } catch (error) { console.log(error.name, error.message); } };
      refused(() => new ThreadPoolExecutor());
      refused(() => loop.setBlockingWatchdog({}));
      console.log(loop.activity);`;
    const sentence = "TypeError This bundle does not know where it is: name the file with the option entry";
    expect(await output(program, "nowhere.cjs")).toBe(`${sentence}\n${sentence}\nundefined`);
  });
});
