// The client's side of the opening handshake, RFC 6455 §4.1.

import { base64 } from "./base64.js";
import { WebSocketHandshakeError } from "./errors.js";
import { acceptKey, type HeaderList, type HeaderLookup, isToken, listHas, type Sha1 } from "./handshake.js";

/** What the client asked, to check the answer against. */
export interface UpgradeAttempt {
  readonly key: string;
  readonly protocols: readonly string[];
  /** What makes the request an opening handshake; Host, Origin and the like are the caller's. */
  readonly headers: HeaderList;
}

/** A response head, as far as the handshake needs it. */
export interface UpgradeResponse {
  readonly status: number;
  readonly headers: HeaderLookup;
}

/**
 * Begins a handshake. `nonce` is 16 random bytes; `protocols` the subprotocols in order of preference.
 *
 * @throws RangeError for another length of nonce
 * @throws TypeError for a subprotocol that is not a token, or stands there twice
 */
export function beginUpgrade(nonce: Uint8Array, protocols: readonly string[] = []): UpgradeAttempt {
  if (nonce.length !== 16) throw new RangeError(`A nonce has 16 bytes, not ${nonce.length}`);
  for (const [i, protocol] of protocols.entries()) {
    if (!isToken(protocol)) throw new TypeError(`Not a subprotocol name: "${protocol}"`);
    if (protocols.indexOf(protocol) !== i)
      throw new TypeError(`Subprotocol "${protocol}" stands there twice`);
  }
  const key = base64(nonce);
  const headers: [string, string][] = [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Version", "13"],
  ];
  if (protocols.length > 0) headers.push(["Sec-WebSocket-Protocol", protocols.join(", ")]);
  return { key, protocols, headers };
}

/**
 * Checks the response and gives the subprotocol that the server chose, if any.
 *
 * @throws WebSocketHandshakeError when the client MUST fail the connection
 */
export function finishUpgrade(
  attempt: UpgradeAttempt,
  response: UpgradeResponse,
  sha1: Sha1,
): string | undefined {
  const { status, headers } = response;
  const fail = (message: string): never => {
    throw new WebSocketHandshakeError(message, status);
  };
  if (status !== 101) fail(`The server answered ${status}, not 101`);
  if (!listHas(headers.get("Upgrade"), "websocket")) fail("The server did not upgrade to a WebSocket");
  if (!listHas(headers.get("Connection"), "upgrade")) fail('The response has no "Connection: Upgrade"');
  if (headers.get("Sec-WebSocket-Accept")?.trim() !== acceptKey(attempt.key, sha1)) {
    fail("Sec-WebSocket-Accept does not belong to this request");
  }
  if (headers.get("Sec-WebSocket-Extensions")) fail("The server chose an extension that was not offered");
  const protocol = headers.get("Sec-WebSocket-Protocol") ?? undefined;
  if (protocol !== undefined && !attempt.protocols.includes(protocol)) {
    fail("The server chose a subprotocol that was not offered");
  }
  return protocol;
}
