// The server's side of the opening handshake, RFC 6455 §4.2. The origin is not looked at here: what is same depends on
// the deployment, and the check is the web layer's.

import {
  acceptKey,
  type HeaderList,
  type HeaderLookup,
  isKey,
  isToken,
  listHas,
  listOf,
  type Sha1,
} from "./handshake.js";

/** A request, as far as the handshake needs it. */
export interface UpgradeRequest {
  readonly method: string;
  /** `HTTP/1.1`. */
  readonly version: string;
  readonly headers: HeaderLookup;
}

/** What a request for a WebSocket asks, or how to refuse it. */
export type UpgradeCheck = UpgradeOffer | UpgradeRefusal;

export interface UpgradeOffer {
  readonly ok: true;
  readonly key: string;
  /** The subprotocols that the client speaks, in its order of preference. */
  readonly protocols: readonly string[];
}

export interface UpgradeRefusal {
  readonly ok: false;
  readonly status: 400 | 405 | 426;
  /** To be sent with the status. */
  readonly headers: HeaderList;
  /** For the body or the log; quotes nothing of the request. */
  readonly reason: string;
}

/** Versions whose frames are those of RFC 6455: itself, and the drafts that browsers shipped. */
const VERSIONS = ["7", "8", "13"];

/** Tells whether a request is a valid opening handshake, RFC 6455 §4.2.1. Offered extensions are ignored. */
export function checkUpgradeRequest(request: UpgradeRequest): UpgradeCheck {
  const { headers } = request;
  if (request.method !== "GET") return refuse(405, "Method not allowed", [["Allow", "GET"]]);
  if (!listHas(headers.get("Upgrade"), "websocket")) return refuse(400, 'Can "Upgrade" only to "WebSocket".');
  if (!listHas(headers.get("Connection"), "upgrade")) return refuse(400, '"Connection" must be "Upgrade".');
  if (request.version !== "HTTP/1.1") return refuse(400, "A WebSocket is opened with HTTP/1.1");
  if (!VERSIONS.includes(headers.get("Sec-WebSocket-Version") ?? "")) {
    // RFC 6455 §4.4: the versions that are understood MUST be listed.
    // RFC 9110 §7.8 (3), RFC 9110 §15.5.22 (1): with the protocol that is spoken here.
    return refuse(426, "Unknown WebSocket version", [
      ["Sec-WebSocket-Version", VERSIONS.join(", ")],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
    ]);
  }
  const key = headers.get("Sec-WebSocket-Key") ?? "";
  if (!headers.get("Host") || !isKey(key)) return refuse(400, "Missing/Invalid WebSocket headers");
  const protocols = listOf(headers.get("Sec-WebSocket-Protocol"));
  if (!protocols.every(isToken)) return refuse(400, "Missing/Invalid WebSocket headers");
  return { ok: true, key, protocols };
}

/**
 * The headers of the 101 response, RFC 6455 §4.2.2.
 *
 * @throws RangeError when `protocol` is not one that the client offered
 */
export function acceptUpgrade(offer: UpgradeOffer, sha1: Sha1, protocol?: string): HeaderList {
  const headers: [string, string][] = [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", acceptKey(offer.key, sha1)],
  ];
  if (protocol !== undefined) {
    if (!offer.protocols.includes(protocol))
      throw new RangeError(`The client did not offer subprotocol "${protocol}"`);
    headers.push(["Sec-WebSocket-Protocol", protocol]);
  }
  return headers;
}

function refuse(status: UpgradeRefusal["status"], reason: string, headers: HeaderList = []): UpgradeRefusal {
  return { ok: false, status, headers, reason };
}
