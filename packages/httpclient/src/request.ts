// What is asked for: checked before anything is sent.

import { HTTPHeaders, isToken } from "@tw/httputil";
import { utf8 } from "@tw/util";

/** Options of one fetch. */
export interface FetchOptions {
  /** @default "GET" */
  readonly method?: string;
  readonly headers?: HTTPHeaders | Readonly<Record<string, string>> | Iterable<readonly [string, string]>;
  /** Text is UTF-8. Required for POST, PUT and PATCH (it may be empty), refused for GET, HEAD and OPTIONS. */
  readonly body?: string | Uint8Array;
  /** The whole exchange, connecting included, in milliseconds; 0 is no limit. @default 20 000 */
  readonly timeoutMs?: number;
  /** Aborts the exchange: the connection closes and the fetch rejects with the signal's reason. */
  readonly signal?: AbortSignal;
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
const REFUSES_BODY = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Builds the request of a fetch.
 *
 * @throws TypeError for a URL that is not http, a method that is no token or CONNECT, a body where there may be none or vice versa
 */
export function buildRequest(url: string | URL, options: FetchOptions): HTTPRequest {
  const target = new URL(url);
  // RFC 9110 §4.2.2 (3): not in the clear.
  if (target.protocol !== "http:") throw new TypeError(`Cannot fetch ${target.protocol} URLs, only http:`);
  const method = options.method ?? "GET";
  if (!isToken(method)) throw new TypeError(`Not a method: ${JSON.stringify(method)}`);
  if (method === "CONNECT") throw new TypeError("CONNECT asks for a tunnel, not for a response");
  const body = typeof options.body === "string" ? utf8(options.body) : options.body;
  if (body === undefined && NEEDS_BODY.has(method))
    throw new TypeError(`${method} needs a body, which may be empty`);
  if (body !== undefined && REFUSES_BODY.has(method)) throw new TypeError(`${method} has no body`);
  return { url: target, method, headers: requestHeaders(target, options, body), body };
}

function requestHeaders(url: URL, options: FetchOptions, body: Uint8Array | undefined): HTTPHeaders {
  const headers = new HTTPHeaders(options.headers);
  // RFC 9112 §3.2 (2): the authority, and no userinfo.
  if (!headers.has("Host")) headers.set("Host", url.host);
  if (!headers.has("User-Agent")) headers.set("User-Agent", "tw-httpclient");
  if (body !== undefined) headers.set("Content-Length", String(body.length));
  if (url.username !== "" && !headers.has("Authorization")) headers.set("Authorization", basicAuth(url));
  headers.set("Connection", "close");
  return headers;
}

/** RFC 7617 §2. The userinfo never goes out as a part of the URL. */
function basicAuth(url: URL): string {
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
