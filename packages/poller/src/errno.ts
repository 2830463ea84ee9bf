// Names of system errors, for messages and `code`.

import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

/**
 * The name of an errno of this system, such as `ECONNREFUSED`; either sign is understood. A number without a name
 * gives `errno 4711`.
 */
export function errnoName(errno: number): string {
  if (!Number.isInteger(errno)) throw new TypeError(`An errno must be an integer, not ${String(errno)}`);
  const positive = Math.abs(errno);
  // libuv's names come first: they are those of Node's own errors where one number has two names.
  names ??= getSystemErrorMap();
  const known = names.get(-positive)?.[0];
  if (known !== undefined) return known;
  for (const [name, value] of Object.entries(constants.errno)) if (value === positive) return name;
  return `errno ${positive}`;
}

/** Node makes a new map of hundreds of names for each call. */
let names: ReturnType<typeof getSystemErrorMap> | undefined;
