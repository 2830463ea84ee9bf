// Who blocked the loop, how often and for how long: repeated offenders are counted, not repeated.

import { type CodePosition, describePosition, describeRunning, type RunningJob } from "./report.js";

/** Offenders that are counted apart; the longest silent one makes room for the next. */
export const MAX_OFFENDERS = 256;

/** The sum of what one job did at one place. */
export interface Tally {
  count: number;
  totalMs: number;
}

/** Counts by the job's kind and name and by the place. The label is left out: every path would be an offender of its own. */
export class Offenders {
  readonly #tallies = new Map<string, Tally>();

  #tally(running: RunningJob, position: CodePosition | undefined): Tally {
    const key = keyOf(running, position);
    const known = this.#tallies.get(key) ?? { count: 0, totalMs: 0 };
    // Put at the end: the map is in the order of last use.
    this.#tallies.delete(key);
    this.#tallies.set(key, known);
    if (this.#tallies.size > MAX_OFFENDERS) this.#forgetOldest();
    return known;
  }

  /**
   * One more, and the sum with it. Each place counts for its job, too: where no place is known, that count goes on, as
   * when the stacks of a minute are used up.
   */
  count(running: RunningJob, position: CodePosition | undefined, ms = 0): Tally {
    if (position !== undefined) this.count(running, undefined, ms);
    const tally = this.#tally(running, position);
    tally.count++;
    tally.totalMs += ms;
    return tally;
  }

  #forgetOldest(): void {
    for (const key of this.#tallies.keys()) {
      this.#tallies.delete(key);
      return;
    }
  }
}

function keyOf({ kind, name }: RunningJob, position: CodePosition | undefined): string {
  const who = describeRunning({ kind, name, label: "" });
  return position === undefined ? who : `${who} ${describePosition({ ...position, column: 0 })}`;
}
