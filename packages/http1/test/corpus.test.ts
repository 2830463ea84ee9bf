import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readCorpus } from "./corpus.js";
import { threeWays } from "./helpers.js";

const cases = readCorpus();

describe("the corpus gives its events whole, byte by byte and with trailing data", () => {
  it.each(cases)("$name", ({ scenario, events }) => {
    expect(threeWays(scenario)).toEqual(events);
  });

  it("reads every heading of every file as a case", () => {
    const headings = ["requests", "bodies", "responses"].flatMap((name) => [
      ...readFileSync(new URL(`./corpus/${name}.md`, import.meta.url), "utf8").matchAll(/^## /gm),
    ]);
    expect(cases).toHaveLength(headings.length);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });
});
