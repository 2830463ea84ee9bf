// What proxies say about those before them: Forwarded, RFC 7239, and X-Forwarded-For, which it replaces.
//
//   client ──▶ proxy A ──▶ proxy B ──▶ us        Forwarded: for=client, for=A
//
// Each proxy appends who it talked to, so the list is read from its end: as long as the machine that said so is
// trusted, the entry before it is believed. Whoever is first in the list could write anything. These functions only
// read; whom to believe is decided where the peers are known.

import { isIp, trimBlanks } from "@tw/util";
import { skipBlanks, tokenEnd, valueAt, valueEnd } from "./scan.js";

/** What one proxy said, RFC 7239 §4; the values as they came, without quotes. */
export interface ForwardedElement {
  /** Who made the request to the proxy: a node, see {@link parseForwardedNode}. */
  readonly for?: string;
  /** The interface of the proxy that the request came in at: a node. */
  readonly by?: string;
  /** The Host field that the proxy received. Not validated: `isHost` does. */
  readonly host?: string;
  /** The protocol that the proxy was spoken to in, in lower case. */
  readonly proto?: string;
  /** Other parameters, by name in lower case. */
  readonly extensions?: ReadonlyMap<string, string>;
}

/** A node of RFC 7239 §6. */
export interface ForwardedNode {
  /** The address without brackets; absent when the node is `unknown` or hides behind a name of its own. */
  readonly ip?: string;
  /** `unknown`, or the name that begins with `_`. */
  readonly name?: string;
  readonly port?: number;
}

/** Proxies that {@link parseForwarded} and {@link parseForwardedFor} follow. */
const MAX_HOPS = 100;

/**
 * Reads a Forwarded field, repeated fields joined with commas: one element for each proxy, the nearest last.
 *
 * `undefined` for what breaks the grammar (an unquoted `[::1]`, a quoted string without end, a parameter twice in one
 * element) and for more than 100 elements. Then nothing of it can be believed, the part that a trusted proxy wrote
 * neither, since a client's open quote may have swallowed it: answer 400, or the client becomes the proxy.
 *
 * @example
 * parseForwarded('for=192.0.2.60;proto=http, for="[2001:db8::1]:4711"');
 * // [{ for: "192.0.2.60", proto: "http" }, { for: "[2001:db8::1]:4711" }]
 */
export function parseForwarded(value: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  for (let at = 0; ; at++) {
    at = skipBlanks(value, at);
    // RFC 9110 §5.6.1.2: empty elements are ignored.
    if (value[at] !== "," && at < value.length) {
      const pairs = new Map<string, string>();
      at = readPairs(value, at, pairs);
      if (at === -1 || elements.length === MAX_HOPS) return undefined;
      elements.push(elementOf(pairs));
    }
    if (at >= value.length) return elements;
    if (value[at] !== ",") return undefined;
  }
}

/** Reads `name=value` pairs between semicolons; gives the index where they end, or −1 when one is broken or repeated. */
function readPairs(text: string, start: number, pairs: Map<string, string>): number {
  for (let at = start; ; at++) {
    at = skipBlanks(text, at);
    const equals = tokenEnd(text, at);
    if (equals > at) {
      const name = text.slice(at, equals).toLowerCase();
      const end = text[equals] === "=" ? valueEnd(text, equals + 1) : -1;
      // RFC 7239 §4: each parameter MUST NOT occur more than once per field-value.
      if (end === -1 || pairs.has(name)) return -1;
      pairs.set(name, valueAt(text, equals + 1, end));
      at = skipBlanks(text, end);
    }
    if (text[at] !== ";") return at;
  }
}

function elementOf(pairs: Map<string, string>): ForwardedElement {
  const known: Record<string, string> = {};
  for (const name of ["for", "by", "host", "proto"]) {
    const value = pairs.get(name);
    if (value === undefined) continue;
    known[name] = name === "proto" ? value.toLowerCase() : value;
    pairs.delete(name);
  }
  return pairs.size === 0 ? known : { ...known, extensions: pairs };
}

/**
 * Reads the `for` or `by` of a Forwarded element: an address, an IPv6 address in brackets, `unknown` or `_name`, with
 * an optional port; `undefined` for anything else. A port that hides, `_name`, is left out.
 *
 * @example
 * parseForwardedNode("[2001:db8::1]:4711"); // { ip: "2001:db8::1", port: 4711 }
 */
export function parseForwardedNode(node: string): ForwardedNode | undefined {
  if (node.length > MAX_NODE_LENGTH) return undefined;
  const [, v6, other, port] = NODE.exec(node) ?? [];
  const known = port !== undefined && !port.startsWith("_") ? { port: Number(port) } : {};
  if (known.port !== undefined && known.port > 65_535) return undefined;
  if (v6 !== undefined) return v6.includes(":") && isIp(v6) ? { ip: v6, ...known } : undefined;
  if (other === undefined) return undefined;
  if (isIp(other)) return { ip: other, ...known };
  return /^(?:unknown$|_)/i.test(other) ? { name: other, ...known } : undefined;
}

/**
 * Reads an X-Forwarded-For field, repeated fields joined with commas: the address of each entry, the nearest proxy's
 * peer last, and `undefined` in place of an entry that is none. A port behind the address and brackets around it, which
 * some proxies write, are taken off.
 *
 * Of more than 100 entries it gives the last 100: the others are a client's own invention.
 *
 * @example
 * parseForwardedFor("unknown, 192.0.2.1:4711, ::1"); // [undefined, "192.0.2.1", "::1"]
 */
export function parseForwardedFor(value: string): (string | undefined)[] {
  const ips: (string | undefined)[] = [];
  let end = value.length;
  while (end > 0 && ips.length < MAX_HOPS) {
    const comma = value.lastIndexOf(",", end - 1);
    const entry = value.slice(comma + 1, end);
    // RFC 9110 §5.6.1.2: empty elements are ignored.
    if (skipBlanks(entry, 0) < entry.length) ips.push(addressOf(entry));
    end = comma;
  }
  return ips.reverse();
}

function addressOf(entry: string): string | undefined {
  if (entry.length > MAX_NODE_LENGTH) return undefined;
  const text = trimBlanks(entry);
  return isIp(text) ? text : parseForwardedNode(text)?.ip;
}

/** Characters of a node, blanks around it included; an address needs 54 with brackets and port. */
const MAX_NODE_LENGTH = 256;

const NODE = /^(?:\[([^\]]*)\]|([\w.-]+))(?::(\d{1,5}|_[\w.-]+))?$/;
