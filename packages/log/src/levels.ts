// The four levels of `Logger`, in order, and silence.

/** The level of a record. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What a logger lets through: its own level and all above; `silent` lets nothing through. */
export type LogThreshold = LogLevel | "silent";

const ORDER: Readonly<Record<LogThreshold, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** The rank of a level. @throws RangeError on a name that is not one */
export function rankOf(level: LogThreshold): number {
  const rank = Object.hasOwn(ORDER, level) ? ORDER[level] : undefined;
  if (rank === undefined) throw new RangeError(`Unknown log level ${JSON.stringify(level)}`);
  return rank;
}
