// Version 2 of the PROXY protocol, binary (the specification's §2.2).
//
//    0           12   13   14      16                              16 + length
//    ┌───────────┬────┬────┬───────┬────────────────────┬──────────┐
//    │ signature │2·c │f·p │ length│ source destination │ TLVs …   │     numbers are big-endian
//    └───────────┴────┴────┴───────┴────────────────────┴──────────┘
//                 command: 0 LOCAL, 1 PROXY    f·p: family and protocol

import { fromLatin1 } from "@tw/util";
import { crc32c } from "./crc32c.js";
import { type ProxyEndpoint, ProxyProtocolError, type ProxyTLV } from "./header.js";
import type { ReadHeader } from "./read-header.js";

const FIXED = 16;
const CHECKSUM = 0x03;
const SSL = 0x20;
const CLIENT_SSL = 0x01;
/** Bytes of `PP2_TYPE_SSL` in front of its own TLVs. */
const SSL_FIXED = 5;

/** Reads the header that `bytes`, of which the signature is known, begin with; `undefined` while it is not whole. */
export function readVersion2(bytes: Uint8Array, maxSize: number): ReadHeader | undefined {
  if (bytes.length < FIXED) return undefined;
  const command = bytes[12] as number;
  const kind = bytes[13] as number;
  const length = FIXED + numberAt(bytes, 14, 2);
  if (command >> 4 !== 2 || (command & 15) > 1)
    throw new ProxyProtocolError(`Unknown version or command of a PROXY header: 0x${command.toString(16)}`);
  // The specification: of LOCAL the receiver must accept whatever stands there, and ignore it.
  if (isProxied(command) && (kind >> 4 > 3 || (kind & 15) > 2))
    throw new ProxyProtocolError(`Unknown family or protocol of a PROXY header: 0x${kind.toString(16)}`);
  if (length > maxSize)
    throw new ProxyProtocolError(`PROXY header is too large: ${length} bytes, limit ${maxSize}`);
  const addresses = isProxied(command) ? (SIZES[kind >> 4] as number) : 0;
  if (length - FIXED < addresses)
    throw new ProxyProtocolError(`PROXY header of ${length} bytes has no room for its addresses`);
  if (bytes.length < length) return undefined;
  const whole = bytes.subarray(0, length);
  const none = { version: 2, source: undefined, destination: undefined, encrypted: false, tlvs: [] } as const;
  // The specification: of LOCAL the receiver must use the real addresses and ignore everything else.
  if (!isProxied(command)) return { header: none, length };
  const tlvs = readTLVs(whole, FIXED + addresses);
  checkSum(whole, tlvs);
  const header = { ...none, ...endpoints(whole, kind), encrypted: cameOverTLS(tlvs), tlvs };
  return { header, length };
}

function isProxied(command: number): boolean {
  return (command & 15) === 1;
}

/** Bytes that the addresses take, by family: unspecified, IPv4, IPv6, Unix. */
const SIZES = [0, 12, 36, 216];

/** Both ends of a stream; of anything else the specification says nothing that a TCP server could use. */
function endpoints(
  bytes: Uint8Array,
  kind: number,
): { readonly source?: ProxyEndpoint; readonly destination?: ProxyEndpoint } {
  if ((kind & 15) !== 1) return {};
  const family = kind >> 4;
  if (family === 1) return { source: ipv4(bytes, 16, 24), destination: ipv4(bytes, 20, 26) };
  if (family === 2) return { source: ipv6(bytes, 16, 48), destination: ipv6(bytes, 32, 50) };
  return family === 3 ? { source: unix(bytes, 16), destination: unix(bytes, 124) } : {};
}

function ipv4(bytes: Uint8Array, at: number, portAt: number): ProxyEndpoint {
  return { address: bytes.subarray(at, at + 4).join("."), port: numberAt(bytes, portAt, 2), family: 4 };
}

function ipv6(bytes: Uint8Array, at: number, portAt: number): ProxyEndpoint {
  const groups = Array.from({ length: 8 }, (_, i) => numberAt(bytes, at + 2 * i, 2));
  return { address: ipv6Text(groups), port: numberAt(bytes, portAt, 2), family: 6 };
}

/** RFC 5952 §4: lower case, no leading zeros, `::` for the longest run of zeros, and for the first of two as long. */
function ipv6Text(groups: readonly number[]): string {
  if (groups[5] === 0xffff && groups.every((group, i) => i >= 5 || group === 0))
    return `::ffff:${groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join(".")}`;
  let start = -1;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > longest) [start, longest] = [i, run];
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  return start === -1 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + longest))}`;
}

/** A path ends with its first NUL; an abstract one begins with it. */
function unix(bytes: Uint8Array, at: number): ProxyEndpoint {
  const path = fromLatin1(bytes, at, at + 108);
  const end = path.indexOf("\0", 1);
  const address = end === -1 ? path : path.slice(0, end);
  return { address: address === "\0" ? "" : address, port: 0, family: "unix" };
}

function readTLVs(bytes: Uint8Array, start: number): ProxyTLV[] {
  const tlvs: ProxyTLV[] = [];
  for (let at = start; at < bytes.length; ) {
    const end = at + 3 + (at + 3 <= bytes.length ? numberAt(bytes, at + 1, 2) : 0);
    if (end > bytes.length) throw new ProxyProtocolError(`PROXY header has a TLV without its end, at ${at}`);
    // Copied: the bytes belong to whoever reads the stream.
    tlvs.push({ type: bytes[at] as number, value: new Uint8Array(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}

/** The specification: a header whose checksum is there and wrong must not be used, and the connection be dropped. */
function checkSum(bytes: Uint8Array, tlvs: readonly ProxyTLV[]): void {
  const given = tlvs.filter(({ type }) => type === CHECKSUM);
  const [sum] = given;
  if (sum === undefined) return;
  if (
    given.length > 1 ||
    sum.value.length !== 4 ||
    crc32c(withoutSum(bytes, tlvs)) !== numberAt(sum.value, 0, 4)
  )
    throw new ProxyProtocolError("Wrong checksum in a PROXY header");
}

/** It is computed with zeros in its own place. */
function withoutSum(bytes: Uint8Array, tlvs: readonly ProxyTLV[]): Uint8Array {
  const copy = new Uint8Array(bytes);
  let at = bytes.length;
  for (const { type, value } of [...tlvs].reverse()) {
    at -= 3 + value.length;
    if (type === CHECKSUM) copy.fill(0, at + 3, at + 7);
  }
  return copy;
}

/** Of `PP2_TYPE_SSL`: flags, what came of verifying the client (32 bits), and TLVs of its own. */
function cameOverTLS(tlvs: readonly ProxyTLV[]): boolean {
  let encrypted = false;
  for (const { type, value } of tlvs) {
    if (type !== SSL) continue;
    if (value.length < SSL_FIXED)
      throw new ProxyProtocolError(`PROXY header has ${value.length} bytes about TLS, needs ${SSL_FIXED}`);
    readTLVs(value, SSL_FIXED);
    if (((value[0] as number) & CLIENT_SSL) !== 0) encrypted = true;
  }
  return encrypted;
}

function numberAt(bytes: Uint8Array, at: number, size: number): number {
  let number = 0;
  for (let i = at; i < at + size; i++) number = number * 256 + (bytes[i] as number);
  return number;
}
