// Version 1 of the PROXY protocol, one line of text (the specification's §2.1).

import { fromLatin1, isIp, quote } from "@tw/util";
import { type ProxyEndpoint, ProxyProtocolError } from "./header.js";
import type { ReadHeader } from "./read-header.js";

/** Bytes of the longest line, with its CRLF. */
const MAX_LINE = 107;

/** Reads the line that `bytes`, of which the start is known, begin with; `undefined` while its end is missing. */
export function readVersion1(bytes: Uint8Array): ReadHeader | undefined {
  const known = Math.min(bytes.length, MAX_LINE);
  const lf = bytes.subarray(0, known).indexOf(LF);
  if (lf === -1) {
    if (known === MAX_LINE) throw new ProxyProtocolError(`PROXY line is longer than ${MAX_LINE} bytes`);
    return undefined;
  }
  const line = fromLatin1(bytes, 0, lf + 1);
  const [, family, from, to, fromPort, toPort] = LINE.exec(line) ?? [];
  const unknown = UNKNOWN.test(line);
  if (family === undefined && !unknown) throw malformed(line);
  const source = unknown ? undefined : endpoint(family, from, fromPort, line);
  const destination = unknown ? undefined : endpoint(family, to, toPort, line);
  return { header: { version: 1, source, destination, encrypted: false, tlvs: [] }, length: lf + 1 };
}

function endpoint(family: string | undefined, address = "", port = "", line = ""): ProxyEndpoint | undefined {
  const isV6 = address.includes(":");
  if (!isIp(address) || isV6 !== (family === "6") || Number(port) > 65_535) throw malformed(line);
  return { address, port: Number(port), family: isV6 ? 6 : 4 };
}

function malformed(line: string): ProxyProtocolError {
  return new ProxyProtocolError(`Malformed PROXY line: ${quote(line, MAX_LINE)}`);
}

const LF = 0x0a;
/** One space between fields, numbers without leading zeros. */
const LINE =
  /^PROXY TCP([46]) ([\d.]+|[\da-fA-F:.]+) ([\d.]+|[\da-fA-F:.]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/;
/** What stands behind UNKNOWN must be ignored. */
const UNKNOWN = /^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/;
