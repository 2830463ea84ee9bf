// What both sides of the opening handshake share, RFC 6455 §4 and §1.3.

import { latin1, trimBlanks } from "@tw/util";
import { base64 } from "./base64.js";

/** Gives SHA-1 of the bytes: 20 of them. A parameter, since this package has no cryptography. */
export type Sha1 = (data: Uint8Array) => Uint8Array;

/** Reads a header by its case-insensitive name, values of repeated ones joined with commas: `HTTPHeaders`, `Headers`. */
export interface HeaderLookup {
  get(name: string): string | null | undefined;
}

/** Headers to send, in order. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * `Sec-WebSocket-Accept` for a key: base64 of the SHA-1 of key and GUID, RFC 6455 §4.2.2.
 *
 * @example
 * acceptKey("dGhlIHNhbXBsZSBub25jZQ==", sha1); // "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
 */
export function acceptKey(key: string, sha1: Sha1): string {
  return base64(sha1(latin1(key + GUID)));
}

/** Whether `key` is base64 of 16 bytes, as `Sec-WebSocket-Key` must be. */
export function isKey(key: string): boolean {
  return KEY.test(key);
}

/** Whether `name` may name a subprotocol. */
export function isToken(name: string): boolean {
  return TOKEN.test(name);
}

/** The members of a comma-separated list, without blanks around them, without empty ones. */
export function listOf(value: string | null | undefined): string[] {
  const members: string[] = [];
  for (const member of (value ?? "").split(",")) {
    const trimmed = trimBlanks(member);
    if (trimmed !== "") members.push(trimmed);
  }
  return members;
}

/** Whether a list contains `member` (given in lower case) in any case. */
export function listHas(value: string | null | undefined, member: string): boolean {
  return listOf(value).some((each) => each.toLowerCase() === member);
}
