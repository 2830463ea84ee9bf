// Names to addresses, by the system's resolver.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { ResolvedAddress } from "../network.js";

/**
 * Numeric addresses of `host`, in the order of the system's resolver. A numeric host is its own answer, without
 * asking anybody. `family` 0 is either.
 */
export async function resolveHost(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]> {
  const literal = isIP(host);
  if (literal !== 0) return [{ address: host, family: literal as 4 | 6 }];
  const found = await lookup(host, { all: true, family, verbatim: true });
  return found.map((entry) => ({ address: entry.address, family: entry.family as 4 | 6 }));
}
