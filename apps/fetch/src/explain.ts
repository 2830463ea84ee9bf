// An error as one line for somebody who did not write the program.

const SAYINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there (connection refused)",
  ECONNRESET: "the connection was reset",
  ENOTFOUND: "there is no host of that name",
  EAI_AGAIN: "the name could not be looked up, try again later",
  EHOSTUNREACH: "there is no way to that host",
  ENETUNREACH: "there is no way to that network",
};

/** What went wrong, causes included. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  const saying = typeof code === "string" ? SAYINGS[code] : undefined;
  if (saying !== undefined) return saying;
  return error.cause === undefined ? error.message : `${error.message}: ${explain(error.cause)}`;
}
