// Numeric addresses: what is one, and which networks it is in. For whoever believes a header only if the right machine
// sent it, so nothing here is generous: `1`, `1.2`, `010.0.0.1` and `0x7f.0.0.1`, which some resolvers take for
// addresses and others do not, are none.

/**
 * Tells whether `text` is an IPv4 address of four decimal numbers, or an IPv6 address, RFC 4291 §2.2.
 *
 * No name, port, bracket, blank or leading zero. No zone either: `fe80::1%eth0` means something on one machine only,
 * so that none belongs into a header. (Tornado's `is_valid_ip`, which takes `1` and `1.2` for addresses.)
 *
 * @example
 * isIp("192.0.2.1"); // true
 * isIp("[::1]:80"); // false
 */
export function isIp(text: string): boolean {
  return parseIp(text) !== undefined;
}

/**
 * Makes a test for membership in any of the networks, each `address/bits` or a single address.
 *
 * An IPv4 address written as IPv6, `::ffff:192.0.2.1`, is that IPv4 address, on both sides: sockets that listen on both
 * families tell them so. A network of IPv6 never holds an IPv4 address, not even `::/0`. The test ignores a zone, is
 * false for what is no address (the `""` of a Unix socket), never throws, and takes time linear in the networks.
 *
 * @throws TypeError for a network that is no string
 * @throws RangeError for what is no network, bits behind the prefix included: `10.0.0.1/8` meant `10.0.0.0/8` or
 * `10.0.0.1`, and trust is no place to guess
 * @example
 * const trusted = ipMatcher(["10.0.0.0/8", "::1"]);
 * trusted("10.1.2.3"); // true
 * trusted("::ffff:10.1.2.3"); // true
 */
export function ipMatcher(cidrs: readonly string[]): (ip: string) => boolean {
  const networks = cidrs.map(parseNetwork);
  return (ip) => {
    const zone = ip.indexOf("%");
    const address = parseIp(zone === -1 ? ip : ip.slice(0, zone));
    return address !== undefined && networks.some((network) => contains(network, address));
  };
}

/** The 16-bit groups of an IPv6 address; an IPv4 address is `::ffff:a.b.c.d`, RFC 4291 §2.5.5.2. */
type Groups = readonly number[];

interface Network {
  readonly groups: Groups;
  /** Of 128. */
  readonly bits: number;
}

function contains({ groups, bits }: Network, address: Groups): boolean {
  if (bits < MAPPED_BITS && isMapped(address)) return false;
  for (let i = 0; i < GROUPS; i++) {
    const differs = ((groups[i] as number) ^ (address[i] as number)) & maskOf(bits, i);
    if (differs !== 0) return false;
  }
  return true;
}

function parseNetwork(cidr: string): Network {
  if (typeof cidr !== "string") throw new TypeError(`A network is a string, got ${String(cidr)}`);
  const slash = cidr.indexOf("/");
  const address = slash === -1 ? cidr : cidr.slice(0, slash);
  const groups = parseIp(address);
  const prefix = slash === -1 ? "" : cidr.slice(slash + 1);
  const isV4 = !address.includes(":");
  if (groups === undefined || (slash !== -1 && !/^(?:0|[1-9]\d{0,2})$/.test(prefix)))
    throw new RangeError(`Not an address or a network: ${JSON.stringify(cidr)}`);
  const bits = slash === -1 ? 128 : Number(prefix) + (isV4 ? MAPPED_BITS : 0);
  if (bits > 128)
    throw new RangeError(`Prefix of ${JSON.stringify(cidr)} is ${prefix} bits, at most ${isV4 ? 32 : 128}`);
  if (groups.some((group, i) => (group & ~maskOf(bits, i)) !== 0))
    throw new RangeError(
      `Network ${JSON.stringify(cidr)} has bits behind its prefix: not clear what is meant`,
    );
  return { groups, bits };
}

/** The bits of group `index` that a prefix of `bits` covers. */
function maskOf(bits: number, index: number): number {
  const covered = Math.min(Math.max(bits - index * 16, 0), 16);
  return (0xffff << (16 - covered)) & 0xffff;
}

function isMapped(groups: Groups): boolean {
  return groups[5] === 0xffff && groups.every((group, i) => i >= 5 || group === 0);
}

function parseIp(text: string): Groups | undefined {
  // The longest address, so that a megabyte is not even looked at.
  if (text.length > MAX_LENGTH) return undefined;
  if (text.includes(":")) return parseV6(text);
  const tail = parseV4(text);
  return tail && [0, 0, 0, 0, 0, 0xffff, ...tail];
}

/** The two groups of `a.b.c.d`. */
function parseV4(text: string): Groups | undefined {
  const match = V4.exec(text);
  if (match === null) return undefined;
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number];
  return a > 255 || b > 255 || c > 255 || d > 255 ? undefined : [(a << 8) | b, (c << 8) | d];
}

function parseV6(text: string): Groups | undefined {
  const gap = text.indexOf("::");
  if (gap === -1) {
    const groups = parseGroups(text, true);
    return groups?.length === GROUPS ? groups : undefined;
  }
  const head = parseGroups(text.slice(0, gap), false);
  const tail = parseGroups(text.slice(gap + 2), true);
  // RFC 4291 §2.2: "::" stands for one or more groups of zeros.
  if (head === undefined || tail === undefined || head.length + tail.length >= GROUPS) return undefined;
  return [...head, ...new Array<number>(GROUPS - head.length - tail.length).fill(0), ...tail];
}

/** Groups between single colons, where the last two may be written as an IPv4 address. */
function parseGroups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(Number.parseInt(part, 16));
    else {
      const v4 = mayEndInV4 && i === parts.length - 1 ? parseV4(part) : undefined;
      if (v4 === undefined) return undefined;
      groups.push(...v4);
    }
  }
  return groups;
}

const GROUPS = 8;
const MAPPED_BITS = 96;
const MAX_LENGTH = "0000:0000:0000:0000:0000:ffff:255.255.255.255".length;
const GROUP = /^[0-9a-fA-F]{1,4}$/;
const V4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
