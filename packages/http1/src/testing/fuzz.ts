// A walk over inputs that are almost right, with invariants.ts at every step.

import { exchangeHolds } from "./exchange.js";
import { choppingChangesNothing, oneRequestIsOne, refusedStaysRefused } from "./invariants.js";
import { cuts, mutate, noise } from "./mutate.js";
import { randomFrom } from "./random.js";
import { piecesOf, runScenario, type Scenario } from "./scenario.js";

/** Options of {@link fuzzHTTP1}. */
export interface FuzzOptions {
  /** What is mutated: the scenarios of a corpus, or captured wires. */
  readonly corpus: readonly Scenario[];
  /** The same seed gives the same walk. @default 1 */
  readonly seed?: number;
  /** Asked before each round with the number of those that were; a caller with a clock compares it here. */
  readonly goOn: (rounds: number) => boolean;
}

/** What a walk saw. */
export interface FuzzReport {
  readonly rounds: number;
  /** Lines of events by their first word: what the generator reached. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** Messages that a writer let pass, and its reader took. */
  readonly exchanged: number;
}

/**
 * Gives a machine of either role mutated cases and noise, and two machines each other's messages, until `goOn` says
 * no. What must hold is in `invariants.ts` and `exchange.ts`.
 *
 * @throws Error with the scenario as JSON where something does not
 *
 * @example
 * const end = Date.now() + 60_000;
 * fuzzHTTP1({ corpus, seed: 7, goOn: () => Date.now() < end });
 */
export function fuzzHTTP1({ corpus, seed = 1, goOn }: FuzzOptions): FuzzReport {
  if (corpus.length === 0) throw new RangeError("A walk needs a corpus");
  const random = randomFrom(seed);
  const outcomes = new Map<string, number>();
  let rounds = 0;
  let exchanged = 0;
  for (; goOn(rounds); rounds++) {
    const scenario = random() < 0.1 ? noise(random) : mutate(random, corpus);
    try {
      for (const line of examine(scenario, random, rounds)) {
        const word = line.split(" ", 1)[0] as string;
        outcomes.set(word, (outcomes.get(word) ?? 0) + 1);
      }
      exchanged += exchangeHolds(random);
    } catch (error) {
      throw new Error(`Round ${rounds} of seed ${seed}: ${JSON.stringify(scenario)}`, { cause: error });
    }
  }
  return { rounds, outcomes, exchanged };
}

function examine(scenario: Scenario, random: () => number, round: number): string[] {
  const whole = runScenario(scenario, [scenario.wire.length + 1]);
  choppingChangesNothing(scenario, whole, cuts(random));
  if (round % 8 === 0) choppingChangesNothing(scenario, whole, piecesOf(1));
  refusedStaysRefused(scenario, whole);
  oneRequestIsOne(scenario, whole);
  return whole.filter((line) => !line.startsWith(" "));
}
