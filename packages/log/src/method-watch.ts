// Hearing of the records of loggers that are not ours, by putting other methods in the place of theirs.

import type { Logger } from "@tw/util";
import type { LogLevel } from "./levels.js";
import { type LogRecord, readCall } from "./record.js";

/** Hears of a record. True: the logger does not hear of it. */
export type Watcher = (record: LogRecord, enabled: boolean) => boolean;

type Method = (...args: unknown[]) => unknown;
type Methods = Partial<Record<LogLevel, Method>> & { isLevelEnabled?(level: string): boolean };

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "fatal"];

interface Watch {
  readonly watchers: Watcher[];
  restore(): void;
}

const watches = new WeakMap<Logger, Watch>();

/** Asks `watcher`, before those that were added earlier, about each record until the returned function is called. */
export function watchMethods(logger: Logger, watcher: Watcher): () => void {
  let watch = watches.get(logger);
  if (watch === undefined) {
    watch = begin(logger);
    watches.set(logger, watch);
  }
  const { watchers, restore } = watch;
  watchers.push(watcher);
  return () => {
    const at = watchers.indexOf(watcher);
    if (at < 0) return;
    watchers.splice(at, 1);
    if (watchers.length > 0) return;
    watches.delete(logger);
    restore();
  };
}

function begin(logger: Logger): Watch {
  const methods = logger as Methods;
  const watchers: Watcher[] = [];
  const undo: (() => void)[] = [];
  for (const level of LEVELS) {
    const original = methods[level];
    if (typeof original !== "function") continue;
    const own = Object.hasOwn(logger, level);
    methods[level] = (...args) => {
      const enabled = methods.isLevelEnabled?.(level) ?? true;
      if (!swallowedBy(watchers, recordOf(logger, level, args), enabled)) return original.apply(logger, args);
    };
    undo.push(() => {
      if (own) methods[level] = original;
      else delete methods[level];
    });
  }
  return {
    watchers,
    restore() {
      for (const each of undo) each();
    },
  };
}

function swallowedBy(watchers: readonly Watcher[], record: LogRecord, enabled: boolean): boolean {
  for (let at = watchers.length - 1; at >= 0; at--) if (watchers[at]?.(record, enabled)) return true;
  return false;
}

function recordOf(logger: Logger, level: LogLevel, [first, second, ...rest]: readonly unknown[]): LogRecord {
  const { name } = logger as { name?: unknown };
  const call = readCall(first, second, rest);
  return { level, time: Date.now(), name: typeof name === "string" ? name : "", ...call };
}
