// Parameters by name.

import type { RouteMatch } from "./route-table.js";

/** The parameters of a match by name; absent ones are left out. Empty for positional groups. */
export function paramsOf(match: Pick<RouteMatch<unknown>, "args" | "names">): Record<string, string> {
  const params: Record<string, string> = {};
  const { args, names } = match;
  if (names === undefined) return params;
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (value !== undefined) params[names[i] as string] = value;
  }
  return params;
}
