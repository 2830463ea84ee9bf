import { describe, expect, it } from "vitest";
import { readCorpus } from "./corpus.js";
import { repeat, run, type Scenario } from "./helpers.js";
import { pick, prng } from "./prng.js";

const corpus = readCorpus().map(({ scenario }) => scenario);

// What readers of HTTP get wrong when it stands in the wrong place.
const FRAGMENTS = [
  "\r\n",
  "\r",
  "\n",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  "\0",
  "\x7f",
  "\xff",
  "0\r\n\r\n",
  "1\r\na\r\n",
  "ffffffff\r\n",
  ';a="',
  ",",
  "Content-Length: 1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Host: b\r\n",
  "HTTP/1.1",
  "GET / ",
];

/** A case of the corpus with a few bytes changed, inserted, removed or doubled. */
function mutate(random: () => number): Scenario {
  const scenario = pick(random, corpus);
  let wire = scenario.wire + (random() < 0.3 ? pick(random, corpus).wire : "");
  for (let changes = Math.floor(random() * 4); changes >= 0; changes--) {
    const at = Math.floor(random() * (wire.length + 1));
    const to = at + Math.floor(random() * 8);
    const inserted = [
      () => pick(random, FRAGMENTS),
      () => String.fromCharCode(Math.floor(random() * 256)),
      () => wire.slice(at, to) + wire.slice(at, to),
      () => "",
    ];
    wire = wire.slice(0, at) + pick(random, inserted)() + wire.slice(random() < 0.5 ? at : to);
  }
  return { ...scenario, wire, ...(random() < 0.3 ? { eof: true } : {}) };
}

function* sizes(random: () => number): Generator<number> {
  for (;;) yield 1 + Math.floor(random() ** 3 * 60);
}

describe("for all bytes", () => {
  // run() fails on any error that is not an HTTPInputError, and on one that does not stay.
  it.each([1, 2, 3, 4])(
    "events or HTTPInputError come out, and chopping never changes them (seed %i)",
    (seed) => {
      const random = prng(seed);
      const outcomes = new Set<string>();
      for (let round = 0; round < 3000; round++) {
        const scenario = mutate(random);
        const whole = run(scenario, [scenario.wire.length + 1]);
        expect(run(scenario, sizes(random)), JSON.stringify(scenario)).toEqual(whole);
        if (round % 8 === 0) expect(run(scenario, repeat(1)), JSON.stringify(scenario)).toEqual(whole);
        for (const line of whole) if (!line.startsWith(" ")) outcomes.add(line.split(" ")[0] as string);
      }
      for (const kind of ["request", "response", "information", "data", "end,", "error", "closed"]) {
        expect(outcomes, "the generator reaches every kind of outcome").toContain(kind);
      }
    },
  );

  it("holds for noise as well", () => {
    const random = prng(5);
    for (let round = 0; round < 2000; round++) {
      const wire = String.fromCharCode(...Array.from({ length: random() * 40 }, () => random() * 256));
      for (const role of ["server", "client"] as const) {
        expect(run({ role, wire, eof: true }, sizes(random))).toEqual(run({ role, wire, eof: true }, [99]));
      }
    }
  });
});
