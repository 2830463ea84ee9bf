// One request as handlers see it (Tornado's HTTPServerRequest). What is derived is derived when asked for: most
// requests are asked for their path and nothing else.

import { EMPTY_BYTES } from "@tw/util";
import type { HTTPConnection } from "./delegates.js";
import type { HTTPHeaders } from "./headers.js";
import { splitHostAndPort } from "./host.js";
import type { RequestStartLine } from "./start-line.js";

/**
 * A request that a server received.
 *
 * `body` is what the driver collected; it stays empty where the body is streamed to a delegate. The bytes belong to
 * the request.
 */
export class HTTPServerRequest {
  readonly startLine: RequestStartLine;
  readonly headers: HTTPHeaders;
  /** Where the answer is written. */
  readonly connection: HTTPConnection;
  body: Uint8Array;

  constructor(
    startLine: RequestStartLine,
    headers: HTTPHeaders,
    connection: HTTPConnection,
    body: Uint8Array = EMPTY_BYTES,
  ) {
    this.startLine = startLine;
    this.headers = headers;
    this.connection = connection;
    this.body = body;
  }

  /** The method, in the case it came in: methods are case-sensitive, RFC 9110 §9.1. */
  get method(): string {
    return this.startLine.method;
  }

  /** The request target as it came. */
  get uri(): string {
    return this.startLine.path;
  }

  get version(): string {
    return this.startLine.version;
  }

  /** The path, still percent-encoded. `*` for the asterisk form; the authority itself for CONNECT. */
  get path(): string {
    const target = this.#originForm();
    const query = target.indexOf("?");
    return query === -1 ? target : target.slice(0, query);
  }

  /** What follows the first `?`, without it. */
  get query(): string {
    const query = this.startLine.path.indexOf("?");
    return query === -1 ? "" : this.startLine.path.slice(query + 1);
  }

  /**
   * Host and port as the client wrote them. A target in absolute form wins over the Host field, RFC 9112 §3.2.2; a
   * request without either (HTTP/1.0) is for `127.0.0.1`.
   */
  get host(): string {
    const target = this.startLine.path;
    const start = authorityStart(target);
    if (start !== -1) return target.slice(start, authorityEnd(target, start));
    return this.headers.get("Host") ?? "127.0.0.1";
  }

  /** The host in lower case, without the port. */
  get hostName(): string {
    return splitHostAndPort(this.host).host.toLowerCase();
  }

  /** Numeric address of the peer; `""` for a Unix socket. */
  get remoteIp(): string {
    return this.connection.context.remoteIp;
  }

  get protocol(): "http" | "https" {
    return this.connection.context.protocol;
  }

  /** The URL that the client asked for, rebuilt from protocol, host and target. */
  fullUrl(): string {
    return `${this.protocol}://${this.host}${this.#originForm()}`;
  }

  #originForm(): string {
    const target = this.startLine.path;
    const start = authorityStart(target);
    if (start === -1) return target;
    const rest = target.slice(authorityEnd(target, start));
    return rest.startsWith("/") ? rest : `/${rest}`;
  }
}

/** Index of the authority in a target in absolute form, or −1. */
function authorityStart(target: string): number {
  if (target.charCodeAt(0) === 0x2f) return -1;
  const colon = target.indexOf("://");
  const query = target.indexOf("?");
  return colon <= 0 || (query !== -1 && query < colon) ? -1 : colon + 3;
}

function authorityEnd(target: string, start: number): number {
  for (let i = start; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c === 0x2f || c === 0x3f || c === 0x23) return i;
  }
  return target.length;
}
