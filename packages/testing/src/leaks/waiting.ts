// Who waits for a lock, an item or an event. That is no leak, but it is what hangs when nothing else goes on.

import type { WaitingMessage } from "@tw/gen";
import { type Origin, originHere, readOrigin } from "./origin.js";
import { SweptMap } from "./swept-map.js";

type Waiter = WaitingMessage["waiter"];

/** Keeps what is published on `tw:gen:waiting`. */
export class Waiting {
  readonly #waiters = new SweptMap<Waiter, Origin>(({ pending }) => pending);

  readonly add = (message: unknown): void => {
    this.#waiters.set((message as WaitingMessage).waiter, originHere());
  };

  /** `2 waiters in Queue.get(), made at test/x.test.ts:12:10`: a line for each place, in the order in which they came. */
  lines(): string[] {
    const counts = new Map<string, number>();
    for (const origin of this.#waiters.live().values()) {
      const { call, place } = readOrigin(origin);
      const where = `${call === "" ? "" : ` in ${call}`}, made at ${place}`;
      counts.set(where, (counts.get(where) ?? 0) + 1);
    }
    return [...counts].map(([where, count]) => `${count} ${count === 1 ? "waiter" : "waiters"}${where}`);
  }
}
