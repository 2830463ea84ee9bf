// The levels, in order, and silence; and the threshold of a logger, which may change while it is in use.

/** The level of a record. `trace` and `fatal` are there for code that was written for pino; this stack uses the other four. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

/** What a logger lets through: its own level and all above; `silent` lets nothing through. */
export type LogThreshold = LogLevel | "silent";

const ORDER: Readonly<Record<LogThreshold, number>> = {
  trace: 0,
  debug: 1,
  info: 2,
  warn: 3,
  error: 4,
  fatal: 5,
  silent: 6,
};

/** The rank of a level. @throws RangeError on a name that is not one */
export function rankOf(level: LogThreshold): number {
  const rank = typeof level === "string" && Object.hasOwn(ORDER, level) ? ORDER[level] : undefined;
  if (rank === undefined) {
    throw new RangeError(`Unknown log level ${String(level)}: it may be ${Object.keys(ORDER).join(", ")}`);
  }
  return rank;
}

/** A level that is one's own once it was set, and until then that of the logger one is a child of. */
export class Threshold {
  readonly #parent: Threshold | undefined;
  #own: LogThreshold | undefined;

  constructor(own: LogThreshold | undefined, parent?: Threshold) {
    if (own !== undefined) rankOf(own);
    this.#own = own;
    this.#parent = parent;
  }

  get level(): LogThreshold {
    return this.#own ?? this.#parent?.level ?? "info";
  }

  set level(level: LogThreshold) {
    rankOf(level);
    this.#own = level;
  }

  /** Whether a record of this rank is written. */
  lets(rank: number): boolean {
    return rank >= ORDER[this.level];
  }
}
