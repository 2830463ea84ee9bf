// node:http's parser as an oracle. What it reads and we refuse, or the other way round, is in differences.ts.

import { describe, expect, it } from "vitest";
import { mutate } from "../src/testing/mutate.js";
import { pick, randomFrom } from "../src/testing/random.js";
import { readCorpus } from "./corpus.js";
import { type Difference, NODE_LEAVES, NODE_REFUSES, WE_LEAVE, WE_REFUSE } from "./differences.js";
import type { Scenario } from "./helpers.js";
import { readAsNodeDoes } from "./node-parser.js";
import { readAsWeDo } from "./readings.js";

/** The entry that explains how the two readings differ, undefined where they agree. @throws where none does */
function explain(scenario: Scenario): Difference | undefined {
  const all = readAsWeDo(scenario);
  const theirs = WE_LEAVE.reduce(
    (reading, { leave }) => leave(reading, all, scenario.role),
    readAsNodeDoes(scenario),
  );
  const ours = NODE_LEAVES.reduce((reading, { leave }) => leave(reading, theirs, scenario.role), all);
  const us = ours.messages.filter(({ ended }) => ended);
  const them = theirs.messages.filter(({ ended }) => ended);
  const common = Math.min(us.length, them.length);
  // Whatever one of them refuses, what both have read whole they have read alike.
  expect(us.slice(0, common), JSON.stringify(scenario)).toEqual(them.slice(0, common));
  const weRefuseMore =
    ours.refusal !== undefined && (theirs.refusal === undefined || them.length > us.length);
  const nodeRefusesMore =
    theirs.refusal !== undefined && (ours.refusal === undefined || us.length > them.length);
  if (weRefuseMore) return listed(WE_REFUSE, ours.refusal as string, scenario);
  if (nodeRefusesMore && ours.waiting && refusedLater(scenario)) return undefined;
  if (nodeRefusesMore) return listed(NODE_REFUSES, theirs.refusal as string, scenario);
  if (ours.refusal === undefined) expect(ours.messages, JSON.stringify(scenario)).toEqual(theirs.messages);
  return undefined;
}

/** A line is judged here when its section is whole, not before: node tells some errors a few bytes earlier. */
function refusedLater(scenario: Scenario): boolean {
  const { eof: _, ...open } = scenario;
  return readAsWeDo({ ...open, wire: `${scenario.wire}\r\n\r\n` }).refusal !== undefined;
}

function listed(list: readonly Difference[], refusal: string, scenario: Scenario): Difference {
  const entry = list.find((each) => each.refusal.test(refusal));
  if (entry === undefined) throw new Error(`Not listed: ${refusal}: ${JSON.stringify(scenario)}`);
  return entry;
}

const scenarios = readCorpus().map(({ scenario }) => scenario);

describe("we and node:http read alike, or differ as it is listed", () => {
  it("over the corpus and its mutations, which need every entry of the list", () => {
    const needed = new Set(scenarios.map(explain));
    const random = randomFrom(0);
    for (let round = 0; round < 5000; round++) needed.add(explain(mutate(random, scenarios)));
    for (const entry of [...WE_REFUSE, ...NODE_REFUSES])
      expect(needed, entry.refusal.source).toContain(entry);
  });

  it.each([1, 2, 3])("over mutations of the corpus (seed %i)", (seed) => {
    const random = randomFrom(seed);
    for (let round = 0; round < 5000; round++) explain(mutate(random, scenarios));
  });

  it("over two thousand valid requests, without a difference", () => {
    const random = randomFrom(11);
    for (let round = 0; round < 2000; round++) {
      const scenario: Scenario = { role: "server", wire: randomRequest(random) };
      expect(explain(scenario), JSON.stringify(scenario)).toBeUndefined();
      expect(readAsWeDo(scenario).messages).toHaveLength(1);
    }
  });
});

function randomRequest(random: () => number): string {
  const method = pick(random, ["GET", "POST", "PUT", "OPTIONS", "DELETE", "PATCH"]);
  const target = pick(random, ["/", "/a/b?c=d&e", "/%20", "http://x.example/y", "/~!$&'()*+,;=:@"]);
  let wire = `${method} ${target} HTTP/1.1\r\nHost: a.example:80\r\nConnection: close\r\n`;
  for (let i = Math.floor(random() * 5); i > 0; i--) {
    const name = pick(random, ["X-A", "x-b", "Accept", "Cookie"]);
    wire += `${name}:${pick(random, ["", " ", "\t "])}${pick(random, ["", "a", "a b", "\xe9"])} \r\n`;
  }
  const body = "abc\r\n".repeat(Math.floor(random() * 5));
  if (random() < 0.3) return `${wire}\r\n`;
  if (random() < 0.5) return `${wire}Content-Length: ${body.length}\r\n\r\n${body}`;
  const size = `${pick(random, ["", "00"])}${body.length.toString(16)}${pick(random, ["", ";a=b"])}`;
  const chunk = body === "" ? "" : `${size}\r\n${body}\r\n`;
  return `${wire}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n${pick(random, ["", "X-T: 1\r\n"])}\r\n`;
}
