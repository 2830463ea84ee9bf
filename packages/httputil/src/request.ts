// One request as handlers see it (Tornado's HTTPServerRequest). What is derived is derived when asked for: most
// requests are asked for their path and nothing else.

import { EMPTY_BYTES, quote } from "@tw/util";
import { requestCookies } from "./cookie.js";
import type { CertificateFacts, HTTPConnection } from "./delegates.js";
import type { RequestArguments } from "./forms/arguments.js";
import type { RequestFiles } from "./forms/multipart-form-data.js";
import { RequestBody } from "./forms/request-body.js";
import type { HTTPHeaders } from "./headers.js";
import { splitHostAndPort } from "./host.js";
import { showAs } from "./inspect.js";
import type { MultipartLimits } from "./multipart/limits.js";
import type { MultipartPart } from "./multipart/part.js";
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
  /** When it began, in the milliseconds of the loop's `time()`, where somebody with a clock has noted it. */
  startTime: number | undefined;
  #reading: RequestBody | undefined;
  #cookies: ReadonlyMap<string, string> | undefined;

  /** `reading` says how arguments are read, or that the body is a stream; made when it is needed, where left out. */
  constructor(
    startLine: RequestStartLine,
    headers: HTTPHeaders,
    connection: HTTPConnection,
    body: Uint8Array = EMPTY_BYTES,
    reading?: RequestBody,
  ) {
    this.startLine = startLine;
    this.headers = headers;
    this.connection = connection;
    this.body = body;
    this.startTime = undefined;
    this.#reading = reading;
    this.#cookies = undefined;
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
   * request without either (HTTP/1.0) is for `127.0.0.1`. A proxy that is trusted to say it wins over both.
   */
  get host(): string {
    const told = this.connection.context.host;
    if (told !== undefined) return told;
    const target = this.startLine.path;
    const start = authorityStart(target);
    // RFC 9112 §3.2.2 (5): the target wins.
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

  /**
   * The certificate that the peer showed in its TLS handshake, or `undefined`: no TLS, or none shown (Tornado's
   * `get_ssl_certificate`). Whether it verified is `connection.context.tls.authorized`. Behind a proxy that ends TLS the
   * peer is the proxy.
   *
   * @example
   * if (!request.connection.context.tls?.authorized) throw new Error("no certificate, or nobody's");
   * request.getSslCertificate()?.subject; // "CN=alice"
   */
  getSslCertificate(): CertificateFacts | undefined {
    return this.connection.context.tls?.peerCertificate();
  }

  /**
   * The cookies by name, read when first asked for; those whose name no server can have set are left out. A value is
   * text of whoever sent it: anybody can send any cookie.
   *
   * @example
   * request.cookies.get("theme") ?? "light";
   */
  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= requestCookies(this.headers);
    return this.#cookies;
  }

  /**
   * Milliseconds since `startTime`, or `undefined` where nobody noted it: this layer has no clock.
   *
   * @param now the loop's `time()`
   */
  requestTime(now: number): number | undefined {
    return this.startTime === undefined ? undefined : now - this.startTime;
  }

  /**
   * The URL that the client asked for, rebuilt from protocol, host and target. For the asterisk form and for CONNECT it
   * has neither path nor query, RFC 9112 §3.3.
   */
  fullUrl(): string {
    const target = this.#originForm();
    return `${this.protocol}://${this.host}${target.startsWith("/") ? target : ""}`;
  }

  // ── Arguments and body: see forms/request-body.ts ──────────────────────────────────────────────────────────────────

  #read(): RequestBody {
    this.#reading ??= new RequestBody(undefined);
    return this.#reading;
  }

  /**
   * The arguments of query and body, those of the query first. As those, it throws where the peer sent what is none.
   *
   * @throws HTTPInputError 400 as `queryArguments` and `bodyArguments`
   */
  get arguments(): RequestArguments {
    return this.#read().arguments(this);
  }

  /** The arguments in the query, as bytes by name. @throws HTTPInputError 400 `ERR_TW_FORM_TOO_MANY_FIELDS` */
  get queryArguments(): RequestArguments {
    return this.#read().queryArguments(this);
  }

  /**
   * The arguments in a urlencoded or multipart body, as bytes by name; none where the body is streamed.
   *
   * @throws HTTPInputError 400 `ERR_TW_FORM_…`, `ERR_TW_MULTIPART_…` for a body that is not what it says it is
   */
  get bodyArguments(): RequestArguments {
    return this.#read().form(this).arguments;
  }

  /** The files in a multipart body, by name of the field; none where the body is streamed. @throws as `bodyArguments` */
  get files(): RequestFiles {
    return this.#read().files(this);
  }

  /** Whether a body that is streamed has a reader, or has had one. */
  get bodyUsed(): boolean {
    return this.#reading?.stream?.used ?? false;
  }

  /**
   * The body as it comes, once; or the collected one in one piece. A view is valid until the next one is asked for, and
   * no more is read from the peer meanwhile. Leaving the loop drops the rest as it comes. Without a loop, by `next()`
   * alone, chunks are copies. Rejects with BodyAbortedError when the body ends early.
   *
   * @throws BodyUsedError when a streamed body has a reader, or has had one
   * @example
   * for await (const chunk of request.chunks()) hash.update(chunk);
   */
  chunks(): AsyncIterableIterator<Uint8Array, undefined> {
    return this.#read().chunks(this);
  }

  /**
   * The parts of a multipart body as they come, see {@link readMultipart}. Leaving the loop, in a part or between parts,
   * is fine: the rest is dropped as it comes.
   *
   * @throws HTTPInputError 415 `ERR_TW_MULTIPART_TYPE`, 400 `ERR_TW_MULTIPART_BOUNDARY`, `ERR_TW_FORM_ENCODING`
   * @example
   * for await (const part of request.multipart()) {
   *   if (part.filename === undefined) console.log(part.name, await part.text());
   *   else for await (const chunk of part) hash.update(chunk);
   * }
   */
  multipart(limits?: MultipartLimits): AsyncIterableIterator<MultipartPart, undefined> {
    return this.#read().multipart(this, limits);
  }

  /** For logs and `console.log`, on one line and without what may be secret: fields and body (Tornado's `__repr__`). */
  toString(): string {
    const { protocol, host, method, uri, version, remoteIp } = this;
    const facts = Object.entries({ protocol, host, method, uri, version, remoteIp });
    return `HTTPServerRequest(${facts.map(([name, fact]) => `${name}=${quote(fact)}`).join(", ")})`;
  }

  #originForm(): string {
    const target = this.startLine.path;
    const start = authorityStart(target);
    if (start === -1) return target;
    const rest = target.slice(authorityEnd(target, start));
    return rest.startsWith("/") ? rest : `/${rest}`;
  }
}

showAs(HTTPServerRequest, String);

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
