// Host and authority: who a request is for, RFC 9110 §7.2, RFC 3986 §3.2.2.

import { isIp } from "@tw/util";

/** A host and the port beside it. */
export interface HostAndPort {
  /** As it came; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/**
 * Tells whether `value` may stand in a Host field: `""`, or a name, an IPv4 address or `[IPv6]` with an optional port.
 *
 * S-04: no comma, slash, `@`, blank or control, nothing above U+007F, nothing in brackets that is no address, and no port
 * without a host. An attacker uses those to make two readers of one request see two different hosts.
 */
export function isHost(value: string): boolean {
  let i = 0;
  const end = value.length;
  if (end > 0 && value.charCodeAt(0) === 0x5b) {
    i = addressEnd(value);
    if (i === -1) return false;
  } else {
    for (; i < end; i++) {
      const c = value.charCodeAt(i);
      if (c === 0x3a) break;
      if (c === 0x25 && !isPercentEncoded(value, i)) return false;
      if (c > 0x7f || HOST_CHARS[c] === 0) return false;
    }
  }
  return i === end || (i > 0 && value.charCodeAt(i) === 0x3a && isPort(value, i + 1));
}

/**
 * Splits `name:port` or `[address]:port`. What is no port stays with the host, so nothing is lost or invented.
 *
 * @example
 * splitHostAndPort("a:80"); // { host: "a", port: 80 }
 * splitHostAndPort("[::1]"); // { host: "[::1]", port: undefined }
 */
export function splitHostAndPort(netloc: string): HostAndPort {
  const colon = netloc.lastIndexOf(":");
  const bracketed = netloc.startsWith("[");
  const splits =
    colon > 0 &&
    colon < netloc.length - 1 &&
    isPort(netloc, colon + 1) &&
    (bracketed ? netloc[colon - 1] === "]" : netloc.indexOf(":") === colon);
  if (!splits) return { host: netloc, port: undefined };
  return { host: netloc.slice(0, colon), port: Number(netloc.slice(colon + 1)) };
}

/** Index after the `]`, or −1 when this is no address in brackets. */
function addressEnd(value: string): number {
  const close = value.indexOf("]");
  return close !== -1 && isAddress(value.slice(1, close)) ? close + 1 : -1;
}

/** What stands in brackets, RFC 3986 §3.2.2: IPv6address or IPvFuture. */
function isAddress(text: string): boolean {
  const address = text.replace(ZONE, "");
  return (address.includes(":") && isIp(address)) || FUTURE.test(text);
}

function isPort(value: string, start: number): boolean {
  let port = 0;
  for (let i = start; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > 65535) return false;
  }
  return true;
}

function isPercentEncoded(value: string, at: number): boolean {
  return /^[0-9a-fA-F]{2}$/.test(value.slice(at + 1, at + 3));
}

// RFC 6874 §2: the zone of an address is written %25name.
const ZONE = /%25[\w.~-]+$/;
const FUTURE = /^v[0-9a-fA-F]+\.[\w.~!$&'()*+;=:-]+$/;

// reg-name without the comma, RFC 3986 §3.2.2.
const HOST_CHARS: Uint8Array = hostChars();

function hostChars(): Uint8Array {
  const table = new Uint8Array(128);
  for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+;=") {
    table[c.charCodeAt(0)] = 1;
  }
  return table;
}
