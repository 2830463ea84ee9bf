// The request of an opening handshake, checked before anything is sent.

import { addressRequest, checkURL, HTTPHeaders, type HTTPHeadersInit, hopByHopFields } from "@tw/httputil";
import { base64, beginUpgrade, type UpgradeAttempt } from "@tw/wsproto";
import { nonce } from "./randomness.js";

/** Where to connect, and what to ask. */
export interface ClientRequest {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: HTTPHeaders;
  readonly attempt: UpgradeAttempt;
}

/** The part of the options that goes into the request. */
export interface ClientRequestOptions {
  readonly subprotocols?: readonly string[];
  readonly origin?: string;
  readonly headers?: HTTPHeadersInit;
}

/** Fields that the handshake itself sets. */
const RESERVED = [
  "Upgrade",
  "Connection",
  "Sec-WebSocket-Key",
  "Sec-WebSocket-Version",
  "Sec-WebSocket-Protocol",
  "Sec-WebSocket-Extensions",
];

/** RFC 6455 §4.1: a GET without a body, whose connection is not HTTP's any more behind it. */
const UNFIT = ["Content-Length", "Expect", ...hopByHopFields];

/**
 * @throws TypeError for a URL that is not ws or has control characters, fields that belong to the handshake or do not fit
 * it, a Host or userinfo that is none, subprotocols that are none
 */
export function clientRequest(address: string | URL, options: ClientRequestOptions): ClientRequest {
  checkURL(address);
  const url = new URL(address);
  if (url.protocol === "wss:") throw new TypeError("wss: is not supported: this client has no TLS");
  if (url.protocol !== "ws:") throw new TypeError(`Not a WebSocket URL: ${url.protocol}`);
  // RFC 6455 §3: fragment identifiers MUST NOT be used.
  if (url.hash !== "") throw new TypeError("A WebSocket URL has no fragment");
  const attempt = beginUpgrade(nonce(), options.subprotocols);
  const headers = new HTTPHeaders(options.headers);
  for (const name of RESERVED) if (headers.has(name)) throw new TypeError(`${name} is set by the handshake`);
  for (const name of UNFIT) if (headers.has(name)) throw new TypeError(`${name} does not fit a handshake`);
  addressRequest(headers, url, base64);
  if (options.origin !== undefined) headers.set("Origin", options.origin);
  for (const [name, value] of attempt.headers) headers.set(name, value);
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  return { host, port: Number(url.port || 80), path: url.pathname + url.search, headers, attempt };
}
