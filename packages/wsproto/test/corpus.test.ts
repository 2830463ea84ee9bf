import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { corpus, describeEvent, everyWay } from "./helpers.js";

const cases = corpus("frames.md");

test("the corpus is read: every heading is a case", () => {
  const text = readFileSync(new URL("corpus/frames.md", import.meta.url), "utf8");
  expect(cases.length).toBe(text.match(/^### /gm)?.length);
  expect(cases.length).toBeGreaterThan(50);
});

test.each(cases)("$role receives $name", ({ role, bytes, events }) => {
  expect(everyWay(role, bytes).map(describeEvent)).toEqual(events);
});
