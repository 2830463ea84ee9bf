// A non-blocking, single-threaded HTTP server (Tornado's httpserver).

import { type HTTP1ConnectionOptions, HTTP1ServerConnection, ServerContext } from "@tw/http1connection";
import {
  type HTTPServerConnectionDelegate,
  type ParseBodyConfig,
  resolveParseBodyConfig,
} from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { type ListeningSocket, TCPServer, type TCPServerOptions, type TLSServerOptions } from "@tw/tcp";
import type { Logger } from "@tw/util";
import { type AccessLog, AccessLogDelegate, hasAccessLog } from "./access-log.js";
import { StreamingDelegate } from "./body-delegate.js";
import { CallbackDelegate, type RequestCallback } from "./callback-delegate.js";
import { DecompressDelegate, type DecompressOptions } from "./decompress.js";
import { RequestContextDelegate, type RequestContextOptions } from "./request-context.js";
import { hasProxies, ProxyDelegate, type ProxyOptions } from "./trusted-proxies.js";

/** Options of an {@link HTTPServer}: those of its connections and of its sockets. */
export interface HTTPServerOptions extends HTTP1ConnectionOptions, TCPServerOptions, ProxyOptions {
  /** Where errors of handlers go. @default the loop's logger */
  readonly logger?: Logger;
  /**
   * Calls the callback when the head is in, and leaves the body to it: `request.chunks()`, `request.multipart()`. It is
   * not collected, so that `maxBodySize` may be large; it is read as fast as the callback reads, so that a client may
   * have to wait. A delegate gets bodies as they come anyway. @default false
   */
  readonly streamRequestBody?: boolean;
  /**
   * Decodes request bodies that are compressed (gzip, deflate, br, zstd where Node has it): handlers see them as if they
   * had not been. What they decode to counts against `maxBodySize`; other codings are answered with 415. With `false` the
   * handler gets the bytes as they came, and the Content-Encoding. @default false
   */
  readonly decompressRequest?: boolean | DecompressOptions;
  /**
   * Which requests are logged when their answer is over. `true`: all, in Tornado's form `200 GET / (127.0.0.1) 1.23ms`,
   * as info below 400, as warnings below 500, else as errors. `"errors"`: those from 400 on, without the time, because
   * reading the clock costs. A function is given each entry instead. Peers that were refused before there was a request
   * are entries too. An `Application` has a log of its own. @default false
   */
  readonly accessLog?: AccessLog;
  /**
   * Gives each request an id, which stands in every record that loggers of `@tw/log` write on its behalf, and a context:
   * see `currentRequest`. @default false
   */
  readonly requestContext?: boolean | RequestContextOptions;
  /** Limits of queries and forms for a callback's requests. @default those of `ParseBodyConfig` */
  readonly parseBodyConfig?: ParseBodyConfig;
}

/** How long {@link HTTPServer.close} waits for answers that are under way. */
const CLOSE_GRACE_MS = 5000;

/**
 * Serves HTTP/1.1 to a callback or a delegate.
 *
 * @example
 * const server = new HTTPServer((request) => {
 *   const body = `You requested ${request.uri}\n`;
 *   const headers = new HTTPHeaders({ "Content-Length": String(body.length) });
 *   request.connection.writeHeaders({ version: "HTTP/1.1", code: 200, reason: "OK" }, headers, body);
 *   request.connection.finish();
 * });
 * await server.listen(8888);
 */
export class HTTPServer implements AsyncDisposable {
  readonly loop: IOLoop;
  readonly #context: ServerContext;
  readonly #tcp: TCPServer;
  readonly #forgetStop: () => void;
  #closing = false;

  /** @throws TypeError when `target` is neither a function nor a delegate; TypeError, RangeError for wrong options */
  constructor(target: RequestCallback | HTTPServerConnectionDelegate, options: HTTPServerOptions = {}) {
    this.loop = options.loop ?? IOLoop.current();
    this.#context = new ServerContext(
      this.loop,
      around(asDelegate(target, options), this.loop, options),
      options,
    );
    this.#tcp = new TCPServer(
      (stream) => {
        if (this.#closing)
          stream.abort(); // it was on its way when we closed
        else new HTTP1ServerConnection(stream, this.#context).start();
      },
      { ...options, ...(options.tls && { tls: { ...HTTP_OVER_TLS, ...options.tls } }), loop: this.loop },
    );
    this.#forgetStop = this.loop.onStop(() => this.close());
  }

  /**
   * Listens on `port` (0: any free one, see {@link port}) of `address` (`""`: every address).
   *
   * @throws RangeError for a port outside 0–65535
   * @throws SystemError such as `EADDRINUSE`
   */
  listen(port: number, address = ""): Promise<void> {
    this.#closing = false;
    return this.#tcp.listen(port, address);
  }

  /**
   * Serves on listening sockets that were made elsewhere: `bindSockets`, a parent process, a service manager. They belong
   * to the server from then on.
   *
   * @throws ListenError `ERR_TW_SOCKET_TAKEN` for one that was closed or has a server; those before it are served
   * @example
   * await forkProcesses(4, { listen: { port: 8888 } });
   * server.addSockets(await taskSockets());
   */
  addSockets(sockets: Iterable<ListeningSocket>): void {
    this.#closing = false;
    this.#tcp.addSockets(sockets);
  }

  /**
   * Changes certificates without dropping a connection: the next handshake goes by `changes` and, for what they leave
   * out, by what the server was made with.
   *
   * @throws TypeError when the server speaks no TLS, or OpenSSL cannot use what is given; it goes on as before
   * @example
   * watch("cert.pem", () => server.setSecureContext({ cert: readFileSync("cert.pem"), key: readFileSync("key.pem") }));
   */
  setSecureContext(changes: TLSServerOptions): void {
    this.#tcp.setSecureContext(changes);
  }

  /** TLS handshakes that failed since the server was made: anybody can cause them. */
  get handshakeFailures(): number {
    return this.#tcp.handshakeFailures;
  }

  /** The port of the first listening socket, or 0. */
  get port(): number {
    return this.#tcp.port;
  }

  /** The address of the first listening socket, or `""`. */
  get address(): string {
    return this.#tcp.address;
  }

  /** Stops accepting. Connections live on. Idempotent. */
  stop(): Promise<void> {
    this.#forgetStop();
    return this.#tcp.stop();
  }

  /**
   * Stops accepting, closes idle connections, lets answers that are under way finish for five seconds, and aborts the
   * rest. Upgraded connections belong to their new owners and live on.
   */
  async close(): Promise<void> {
    this.#closing = true;
    await this.stop();
    const connections = this.#context.deadlines.members;
    for (const connection of [...connections]) connection.close();
    if (connections.size === 0) return;
    const timer = this.loop.callLater(CLOSE_GRACE_MS, () => {
      for (const connection of [...connections]) connection.stream.abort();
    });
    await this.#context.deadlines.whenEmpty();
    this.loop.removeTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The protocol's name for ALPN, RFC 7301 §6. */
const HTTP_OVER_TLS = { ALPNProtocols: ["http/1.1"] };

/** Puts around `delegate` what the options ask for: first who the client is, then what its request is called, and so on. */
function around(
  delegate: HTTPServerConnectionDelegate,
  loop: IOLoop,
  options: HTTPServerOptions,
): HTTPServerConnectionDelegate {
  const { decompressRequest = false, accessLog, requestContext = false, logger = loop.logger } = options;
  let outer = delegate;
  if (decompressRequest !== false) outer = new DecompressDelegate(outer, decompressRequest);
  if (hasAccessLog(accessLog)) outer = new AccessLogDelegate(outer, accessLog, loop, logger);
  if (requestContext !== false) outer = new RequestContextDelegate(outer, requestContext, logger);
  return hasProxies(options) ? new ProxyDelegate(outer, options) : outer;
}

function asDelegate(
  target: RequestCallback | HTTPServerConnectionDelegate,
  options: HTTPServerOptions,
): HTTPServerConnectionDelegate {
  const { streamRequestBody = false, parseBodyConfig: config } = options;
  if (typeof streamRequestBody !== "boolean") throw new TypeError("streamRequestBody must be a boolean");
  resolveParseBodyConfig(config);
  if (typeof target === "function")
    return streamRequestBody ? new StreamingDelegate(target, config) : new CallbackDelegate(target, config);
  if (typeof target?.startRequest !== "function")
    throw new TypeError("HTTPServer takes a function (request) or an object with startRequest()");
  if (streamRequestBody)
    throw new TypeError("streamRequestBody is for a callback: a delegate streams anyway");
  return target;
}
