// Names to addresses, by the system's resolver.

import { lookup } from "node:dns/promises";
import { literal } from "../addresses.js";
import type { ResolvedAddress } from "../network.js";

/** All addresses of this machine: a socket for each family, of which the IPv6 one takes IPv6 only. */
const EVERY: readonly ResolvedAddress[] = [
  { address: "0.0.0.0", family: 4 },
  { address: "::", family: 6 },
];

/**
 * Numeric addresses of `host`, each once, in the order of the system's resolver. A numeric host is its own answer,
 * without asking anybody. `""` is what to listen on for every address. `family` 0 is either.
 */
export async function resolveHost(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]> {
  const fits = (entry: ResolvedAddress) => family === 0 || entry.family === family;
  if (host === "") return EVERY.filter(fits);
  const numeric = literal(host);
  if (numeric !== undefined) return [numeric].filter(fits);
  const found = await lookup(host, { all: true, family, verbatim: true });
  const once = new Map(found.map((entry) => [entry.address, entry]));
  return [...once.values()].map((entry) => ({ address: entry.address, family: entry.family as 4 | 6 }));
}
