// Bun and Deno, on request only: installed from npm into the benchmark's cache.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../node_modules/.cache/runtimes/", import.meta.url));

/** @returns {{ name: string, version: string, binary: string }[]} those that could be had */
export function fetchRuntimes(/** @type {string[]} */ names, say) {
  return names.flatMap((name) => {
    const binary = `${cache}node_modules/.bin/${name}`;
    if (!existsSync(binary)) {
      say(`fetching ${name}`);
      mkdirSync(cache, { recursive: true });
      const run = spawnSync(
        "npm",
        ["install", "--prefix", cache, "--no-audit", "--no-fund", "--loglevel=error", name],
        {
          encoding: "utf8",
        },
      );
      if (run.status !== 0) say(`${name} could not be installed: ${run.stderr}`);
    }
    const version = /\d+\.\d+\.\d+/.exec(
      spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout ?? "",
    )?.[0];
    if (version === undefined) {
      say(`${name} does not run here and is left out`);
      return [];
    }
    return [{ name, version, binary }];
  });
}
