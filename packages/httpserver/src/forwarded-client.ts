// Who a request is from, as far as those in front of us can be believed: a pure function of its head.
//
//   client ──► proxy A ──► proxy B ──► us        X-Forwarded-For: …anything…, client, A        peer: B
//                                                                            ◄─────────── read from here
//
// Each proxy appends who it talked to; what stands to the left of that was there when the request came to it, and a
// client can write anything there. So the list is read from its end for as long as the one who said so is trusted
// (S-40). And one kind of header is read, never two: a proxy takes care of those that it knows, and passes the others on
// as a client wrote them.

import {
  type HTTPHeaders,
  isHost,
  parseForwarded,
  parseForwardedFor,
  parseForwardedNode,
  trimBlanks,
} from "@tw/httputil";
import { isIp } from "@tw/util";

/** Which header is believed, each with those that go with it. */
export type ProxyHeaderName = "x-forwarded" | "forwarded" | "x-real-ip";

/** What proxies say of a client; what they do not say, or not in a way that can be used, is absent. */
export interface ForwardedClient {
  readonly ip?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: "http" | "https" | undefined;
  /** Not looked at by whoever did not ask for it. */
  readonly host?: string | undefined;
}

/** Given who talked to a trusted proxy, nearest last: the index of the one it is about, or −1 when that is unknown. */
export type FindClient = (ips: readonly (string | undefined)[]) => number;

/** Of the proxies that are trusted by address: the last one that is none, or the first where all are. */
export function lastUntrusted(trusted: (ip: string) => boolean): FindClient {
  return (ips) => {
    let at = ips.length - 1;
    for (let ip = ips[at]; at > 0 && ip !== undefined && trusted(ip); ip = ips[at]) at--;
    return at;
  };
}

/** Of proxies that are known by number: the one that talked to the first of them. With fewer, one was gone around. */
export function hopsBefore(hops: number): FindClient {
  return (ips) => Math.max(ips.length - hops, -1);
}

/** What the head of a request that came from a trusted proxy says of its client. */
export const readClient: Readonly<
  Record<ProxyHeaderName, (headers: HTTPHeaders, find: FindClient) => ForwardedClient>
> = {
  "x-forwarded"(headers, find) {
    const ips = parseForwardedFor(headers.get("X-Forwarded-For") ?? "");
    const at = find(ips);
    return {
      ip: ips[at],
      protocol: protocolOf(valueAt(headers.get("X-Forwarded-Proto"), at, ips.length)),
      host: hostOf(valueAt(headers.get("X-Forwarded-Host"), at, ips.length)),
    };
  },

  forwarded(headers, find) {
    const elements = parseForwarded(headers.get("Forwarded") ?? "") ?? [];
    const nodes = elements.map((element) => parseForwardedNode(element.for ?? ""));
    const at = find(nodes.map((node) => node?.ip));
    const { proto, host } = elements[at] ?? {};
    const { ip, port } = nodes[at] ?? {};
    return { ip, port, protocol: protocolOf(proto), host: hostOf(host) };
  },

  /** What nginx is configured to for Tornado: one hop, which knows one address. */
  "x-real-ip"(headers) {
    const ip = headers.get("X-Real-Ip") ?? "";
    return { ip: isIp(ip) ? ip : undefined, protocol: protocolOf(headers.get("X-Scheme") ?? undefined) };
  },
};

/**
 * The value that belongs to entry `at` of a list of `length`: that at the same place where each proxy appended one, else
 * the last, which the nearest proxy wrote.
 */
function valueAt(list: string | null, at: number, length: number): string | undefined {
  if (list === null) return undefined;
  const values = list.split(",").map(trimBlanks);
  return values.length === length && at >= 0 ? values[at] : values.at(-1);
}

function protocolOf(value: string | undefined): "http" | "https" | undefined {
  const protocol = value?.toLowerCase();
  return protocol === "http" || protocol === "https" ? protocol : undefined;
}

function hostOf(value: string | undefined): string | undefined {
  return value !== undefined && value !== "" && isHost(value) ? value : undefined;
}
