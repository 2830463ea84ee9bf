// What is asked for: checked before anything is sent.

import { addressRequest, checkURL, HTTPHeaders, hopByHopFields, isToken } from "@tw/httputil";
import { isBytes, utf8 } from "@tw/util";

/** Options of one fetch. */
export interface FetchOptions {
  /** @default "GET" */
  readonly method?: string;
  /**
   * More fields of the request. Those that are about the connection, or about how the body travels on it, are the
   * client's own and refused: Connection, Expect, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade.
   * Content-Length is that of the body, whatever is given here, and refused without one.
   */
  readonly headers?: HTTPHeaders | Readonly<Record<string, string>> | Iterable<readonly [string, string]>;
  /** Text is UTF-8. Required for POST, PUT and PATCH (it may be empty), refused for GET, HEAD, OPTIONS and TRACE. */
  readonly body?: string | Uint8Array;
  /** The whole exchange, connecting included, in milliseconds; 0 is no limit. @default 20 000 */
  readonly timeoutMs?: number;
  /** Aborts the exchange: the connection closes and the fetch rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Reject with HTTPClientError when the status is not 2xx (or 304). @default true */
  readonly raiseError?: boolean;
}

/** A request as it will be sent. */
export interface HTTPRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: HTTPHeaders;
  readonly body: Uint8Array | undefined;
}

const NEEDS_BODY = new Set(["POST", "PUT", "PATCH"]);
const REFUSES_BODY = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
/** What has none unless it says so; of others a server expects one. */
const MEANS_NO_BODY = new Set([...REFUSES_BODY, "DELETE"]);
/** Only who speaks to the next hop can know what is for that. Expect: nobody here waits for a 100. */
const OWN_FIELDS = [...hopByHopFields, "Expect"];

/**
 * Builds the request of a fetch.
 *
 * @throws TypeError for a URL that is not http or has control characters, a method that is no token or CONNECT, a body
 * where there may be none or vice versa, fields that are the client's own, a Host that is none, userinfo that is none
 */
export function buildRequest(url: string | URL, options: FetchOptions): HTTPRequest {
  checkURL(url);
  const target = new URL(url);
  // RFC 9110 §4.2.2 (3): not in the clear.
  if (target.protocol !== "http:") throw new TypeError(`Cannot fetch ${target.protocol} URLs, only http:`);
  const method = options.method ?? "GET";
  if (!isToken(method)) throw new TypeError(`Not a method: ${JSON.stringify(method)}`);
  if (method === "CONNECT") throw new TypeError("CONNECT asks for a tunnel, not for a response");
  const body = typeof options.body === "string" ? utf8(options.body) : options.body;
  if (body !== undefined && !isBytes(body))
    throw new TypeError(`body must be a string or a Uint8Array, got ${body === null ? "null" : typeof body}`);
  if (body === undefined && NEEDS_BODY.has(method))
    throw new TypeError(`${method} needs a body, which may be empty`);
  if (body !== undefined && REFUSES_BODY.has(method)) throw new TypeError(`${method} has no body`);
  const headers = requestHeaders(target, options, body);
  // RFC 9112 §6.1 (7): chunks go to servers that are known to take them, and this one is not known.
  if (body === undefined && !MEANS_NO_BODY.has(method)) headers.set("Content-Length", "0");
  return { url: target, method, headers, body };
}

function requestHeaders(url: URL, options: FetchOptions, body: Uint8Array | undefined): HTTPHeaders {
  const headers = new HTTPHeaders(options.headers);
  for (const name of OWN_FIELDS)
    if (headers.has(name)) throw new TypeError(`${name} is not for a caller to set`);
  if (body !== undefined) headers.set("Content-Length", String(body.length));
  else if (headers.has("Content-Length")) throw new TypeError("Content-Length without a body");
  addressRequest(headers, url, base64);
  if (!headers.has("User-Agent")) headers.set("User-Agent", "tw-httpclient");
  headers.set("Connection", "close");
  return headers;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
