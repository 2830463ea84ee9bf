import { readdirSync, readFileSync } from "node:fs";
import { type CorpusCase, parseCorpus } from "../src/testing.js";

/** The cases of every file beside this one. */
export function readCorpus(): CorpusCase[] {
  const folder = new URL("./corpus/", import.meta.url);
  return readdirSync(folder).flatMap((file) =>
    parseCorpus(readFileSync(new URL(file, folder), "utf8"), file),
  );
}
