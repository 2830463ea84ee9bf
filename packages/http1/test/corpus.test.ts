import { describe, expect, it } from "vitest";
import { parseCorpus } from "../src/testing.js";
import { readCorpus } from "./corpus.js";
import { run, threeWays } from "./helpers.js";

const cases = readCorpus();

describe("the corpus gives its events", () => {
  it.each(cases)("whole, byte by byte and with trailing data: $name", ({ scenario, events }) => {
    expect(threeWays(scenario)).toEqual(events);
  });

  it("cut in two at every place", () => {
    for (const { name, scenario, events } of cases) {
      for (let at = 1; at < scenario.wire.length; at++)
        expect(run(scenario, [at, scenario.wire.length]), `${name} at ${at}`).toEqual(events);
    }
  });

  it("and has no two cases of one name, nor of one wire", () => {
    const seen = new Map<string, string>();
    for (const { name, scenario } of cases) {
      const wire = JSON.stringify(scenario);
      expect(seen.get(wire), name).toBeUndefined();
      seen.set(wire, name);
    }
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });
});

describe("parseCorpus", () => {
  const fences = "```wire eof maxBodySize=4\nGET\\x20/\\r\\n\n\\\\\n```\n\n```events\nclosed\n```\n";

  it("reads words, escapes, and a paragraph between heading and wire", () => {
    expect(parseCorpus(`# Title\n\n## A case\n\nWhy it is one.\n\n${fences}`, "requests.md")).toEqual([
      {
        name: "requests.md: A case",
        scenario: { role: "server", wire: "GET /\r\n\\", eof: true, options: { maxBodySize: 4 } },
        events: ["closed"],
      },
    ]);
    expect(parseCorpus(`## A case\n${fences}`, "responses.md")[0]?.scenario.role).toBe("client");
  });

  it("throws for a heading without its fences, so that no case is lost in silence", () => {
    expect(() => parseCorpus(`## One\n${fences}## Two\n`, "x.md")).toThrow("x.md: Two");
    expect(() => parseCorpus(`## One\n${fences.replace("events", "event")}`, "x.md")).toThrow("x.md: One");
  });
});
