// Whose word about somebody else is taken: proxies in front of us, by their addresses.

import { ipMatcher } from "@tw/util";

/**
 * Networks of those who are trusted: addresses (`"192.0.2.1"`), prefixes (`"10.0.0.0/8"`), and
 *
 * - `"loopback"`: 127.0.0.0/8 and ::1;
 * - `"private"`: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and fc00::/7 (RFC 1918, RFC 4193);
 * - `"unix"`: whoever may connect to our Unix sockets.
 */
export type TrustedPeers = readonly string[];

/**
 * Makes a test of an address, `""` being that of a Unix socket's peer.
 *
 * @throws TypeError, RangeError, which call the option `name`, for what is no list of networks
 * @example
 * const trusted = trustedPeers("trusted", ["loopback", "10.0.0.0/8"]);
 * trusted("::1"); // true
 */
export function trustedPeers(name: string, trusted: TrustedPeers): (address: string) => boolean {
  if (!Array.isArray(trusted)) throw new TypeError(`${name} must be an array of networks`);
  const unix = trusted.includes("unix");
  const networks = trusted.filter((each) => each !== "unix").flatMap((each) => NAMED[each] ?? each);
  const matches = matcherOf(name, networks);
  return (address) => (address === "" ? unix : matches(address));
}

function matcherOf(name: string, networks: readonly string[]): (address: string) => boolean {
  try {
    return ipMatcher(networks);
  } catch (cause) {
    const message = `${name}: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw cause instanceof RangeError
      ? new RangeError(message, { cause })
      : new TypeError(message, { cause });
  }
}

const NAMED: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  loopback: ["127.0.0.0/8", "::1"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
});
