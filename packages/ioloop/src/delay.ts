// How far ahead a timer may lie, and what is said to whoever asks for something else.

import { MAX_DURATION_MS } from "@tw/util";

/** Milliseconds that a timer may lie ahead: 31 years. So `callAt(Date.now() + 1000, …)` fails at once instead of never. */
export const MAX_DELAY_MS: number = MAX_DURATION_MS;

/** @throws TypeError, RangeError unless `when` is finite and at most {@link MAX_DELAY_MS} after `now` */
export function checkWhen(when: number, now: number): void {
  if (typeof when !== "number") throw new TypeError(`when must be a number of ms, got ${typeof when}`);
  if (!Number.isFinite(when)) throw new RangeError(`when must be a finite number of ms, got ${when}`);
  if (when - now <= MAX_DELAY_MS) return;
  throw new RangeError(
    `when must be at most ${MAX_DELAY_MS} ms from now (31 years), got ${when}: it counts as loop.time() does, ` +
      "not as Date.now(); callLater() takes the time from now on",
  );
}
