// A loop in virtual time that remembers what it logged, and promises that settle at a given time of it.

import type { IOLoop } from "@tw/ioloop";
import { installLoop, type VirtualHost, virtualLoop } from "@tw/ioloop/testing";
import { afterEach, beforeEach } from "vitest";

export interface Record {
  readonly level: string;
  readonly message: string;
  readonly err?: unknown;
}

export interface Stage {
  loop: IOLoop;
  host: VirtualHost;
  logged: Record[];
  /** Resolves with `value` after `ms`. */
  after<T>(ms: number, value: T): Promise<T>;
  /** Rejects with `error` after `ms`. */
  failing(ms: number, error: unknown): Promise<never>;
}

/** A fresh stage for each test, whose loop is the current one. */
export function virtualStage(): Stage {
  const stage = {} as Stage;
  let restore: () => void;
  beforeEach(() => {
    const logged: Record[] = [];
    const at = (level: string) => (first: unknown, message?: string) => {
      if (typeof first === "string") logged.push({ level, message: first });
      else logged.push({ level, message: message ?? "", err: (first as { err?: unknown }).err });
    };
    const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
    const { loop, host } = virtualLoop({ logger });
    restore = installLoop(loop);
    Object.assign(stage, {
      loop,
      host,
      logged,
      after: <T>(ms: number, value: T) =>
        new Promise<T>((resolve) => {
          loop.callLater(ms, resolve, value);
        }),
      failing: (ms: number, error: unknown) =>
        new Promise((_, reject) => {
          loop.callLater(ms, reject, error);
        }),
    });
  });
  afterEach(() => restore());
  return stage;
}

/** What a promise came to, without awaiting it. */
export function outcome(promise: Promise<unknown>): { value?: unknown; error?: unknown } {
  const seen: { value?: unknown; error?: unknown } = {};
  promise.then(
    (value) => Object.assign(seen, { value }),
    (error) => Object.assign(seen, { error }),
  );
  return seen;
}
