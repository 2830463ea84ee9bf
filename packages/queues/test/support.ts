// A loop in virtual time for each test, and what a promise came to without awaiting it.

import type { IOLoop } from "@tw/ioloop";
import { installLoop, type VirtualHost, virtualLoop } from "@tw/ioloop/testing";
import { afterEach, beforeEach } from "vitest";

export interface Stage {
  loop: IOLoop;
  host: VirtualHost;
}

/** A fresh loop for each test, which is the current one. */
export function virtualStage(): Stage {
  const stage = {} as Stage;
  let restore: () => void;
  beforeEach(() => {
    Object.assign(stage, virtualLoop());
    restore = installLoop(stage.loop);
  });
  afterEach(() => restore());
  return stage;
}

/** What a promise came to. */
export function outcome<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const seen: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => Object.assign(seen, { value }),
    (error) => Object.assign(seen, { error }),
  );
  return seen;
}

/** Numbers from 0 to n − 1 that are the same for the same seed. */
export function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}
