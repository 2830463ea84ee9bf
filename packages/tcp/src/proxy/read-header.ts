// Reads a header of the PROXY protocol, of either version: pure functions of bytes. It is read from its start each time
// bytes have come, since it is short and usually comes whole.

import { DEFAULT_MAX_HEADER_SIZE, type ProxyHeader, ProxyProtocolError } from "./header.js";
import { readVersion1 } from "./version-1.js";
import { readVersion2 } from "./version-2.js";

/** A header and how many bytes it took. */
export interface ReadHeader {
  readonly header: ProxyHeader;
  readonly length: number;
}

/** Which version bytes begin with: `undefined` while both are possible, 0 when none is. */
export function proxyVersion(bytes: Uint8Array): 0 | 1 | 2 | undefined {
  for (const [version, start] of STARTS) {
    const known = Math.min(bytes.length, start.length);
    let same = 0;
    while (same < known && bytes[same] === start[same]) same++;
    if (same === start.length) return version;
    if (same === known) return undefined;
  }
  return 0;
}

/**
 * Reads the header at the start of `bytes`; `undefined` while it is not whole.
 *
 * @throws ProxyProtocolError as soon as it cannot become one
 */
export function readProxyHeader(
  bytes: Uint8Array,
  maxSize: number = DEFAULT_MAX_HEADER_SIZE,
): ReadHeader | undefined {
  const version = proxyVersion(bytes);
  if (version === undefined) return undefined;
  if (version === 0) throw new ProxyProtocolError("The connection does not begin with a PROXY header");
  return version === 1 ? readVersion1(bytes) : readVersion2(bytes, maxSize);
}

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const STARTS = [
  [1, Uint8Array.from("PROXY ", (c) => c.charCodeAt(0))],
  [2, Uint8Array.from(SIGNATURE)],
] as const;
