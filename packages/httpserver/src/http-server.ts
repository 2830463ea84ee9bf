// A non-blocking, single-threaded HTTP server (Tornado's httpserver).

import { HTTP1ServerConnection, ServerContext } from "@tw/http1connection";
import type { HTTPServerConnectionDelegate } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { DEFAULT_MAX_CONNECTIONS, type ListeningSocket, TCPServer, type TLSServerOptions } from "@tw/tcp";
import { checkDurationMs, checkInteger, checkLoop, checkOptions, TwError } from "@tw/util";
import type { RequestCallback } from "./callback-delegate.js";
import { around, asDelegate } from "./delegate-chain.js";
import { Drain, type DrainOptions, type DrainResult } from "./drain.js";
import type { HTTPServerOptions } from "./options.js";

/** How long {@link HTTPServer.close} waits for answers that are under way. */
const CLOSE_GRACE_MS = 5000;

/** Within what `IOLoop.start()` gives stop hooks, and that within what `forkProcesses` gives its children. */
const DRAIN_TIMEOUT_MS = 25_000;

/** Connections beyond `maxConnections` that may be told so at a time. */
const REFUSED_CONNECTIONS = 1024;

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
  readonly #drainTimeoutMs: number;
  /** There while it listens, is about to, or has connections. */
  #forgetStop: (() => void) | undefined;
  /** Calls of {@link listen} that are under way. */
  #binding = 0;
  #drain: Drain | undefined;

  /**
   * @throws TypeError when `target` is neither a function nor a delegate; TypeError, RangeError for wrong options
   * @throws TwError `ERR_TW_ENGINE` for an engine that there is not
   */
  constructor(target: RequestCallback | HTTPServerConnectionDelegate, options: HTTPServerOptions = {}) {
    checkOptions("options", options, { IOLoop: "loop" });
    const { drainTimeoutMs = DRAIN_TIMEOUT_MS, tls } = options;
    checkDurationMs("drainTimeoutMs", drainTimeoutMs);
    checkLoop(options.loop);
    this.loop = options.loop ?? IOLoop.current();
    this.#drainTimeoutMs = drainTimeoutMs;
    const context = new ServerContext(
      this.loop,
      around(asDelegate(target, options), this.loop, options),
      options,
    );
    const full = fullness(options);
    this.#context = context;
    this.#tcp = new TCPServer(
      (stream) => {
        new HTTP1ServerConnection(stream, context).start(this.#tcp.connectionCount <= full);
      },
      {
        ...options,
        ...(full < Number.POSITIVE_INFINITY && { maxConnections: full + REFUSED_CONNECTIONS }),
        ...(tls && { tls: { ...HTTP_OVER_TLS, ...tls } }),
        loop: this.loop,
      },
    );
  }

  /**
   * Listens on `port` (0: any free one, see {@link port}) of `address` (`""`: every address).
   *
   * @throws TypeError, RangeError for what is no port or address
   * @throws SystemError such as `EADDRINUSE`
   * @throws TwError `ERR_TW_DRAINING` before a {@link drain} that is under way has resolved
   */
  listen(port: number, address = ""): Promise<void> {
    try {
      this.#open();
    } catch (error) {
      return Promise.reject(error);
    }
    const bound = (): void => {
      this.#binding--;
      this.#forgetUnused();
    };
    this.#binding++;
    try {
      return this.#tcp.listen(port, address).finally(bound);
    } catch (error) {
      bound();
      throw error;
    }
  }

  /**
   * Serves on listening sockets that were made elsewhere: `bindSockets`, a parent process, a service manager. They belong
   * to the server from then on.
   *
   * @throws ListenError `ERR_TW_SOCKET_TAKEN` for one that was closed or has a server; those before it are served
   * @throws TwError `ERR_TW_DRAINING` before a {@link drain} that is under way has resolved
   * @example
   * await forkProcesses(4, { listen: { port: 8888 } });
   * server.addSockets(await taskSockets());
   */
  addSockets(sockets: Iterable<ListeningSocket>): void {
    this.#open();
    try {
      this.#tcp.addSockets(sockets);
    } finally {
      this.#forgetUnused();
    }
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

  /** Connections that are open, upgraded ones among them. */
  get connectionCount(): number {
    return this.#tcp.connectionCount;
  }

  /** Requests that are being worked on. */
  get inFlight(): number {
    return this.#context.inFlight;
  }

  /**
   * Aborted by {@link drain} and {@link close}: whatever would never end, such as an event stream, says goodbye then.
   * Connections know it as `context.draining`.
   */
  get draining(): AbortSignal {
    return this.#context.draining;
  }

  /** Stops accepting. Connections live on, and are drained when a signal comes. Idempotent. */
  async stop(): Promise<void> {
    await this.#tcp.stop();
    this.#forgetUnused();
  }

  /**
   * Stops accepting, and lets everybody finish: what was asked is answered, the last time with `Connection: close`, and so
   * is what is asked within a second (half of `timeoutMs`, where that is less) by those who have not asked yet or have just
   * been answered; idle connections are closed; upgraded ones are told by {@link draining}. What is not answered after
   * `timeoutMs` is aborted.
   *
   * Who waits in the queue of a listening socket is served, unless the socket was handed to us: then its queue outlives
   * us. Resolves as soon as nothing is left. Calling it again shortens the time, and resolves with the same. Where the
   * loop is closed nobody has any time.
   *
   * SIGINT and SIGTERM do this by themselves where `IOLoop.start()` is what a program waits for.
   *
   * @throws TypeError, RangeError when `options` are none or `timeoutMs` is no duration, at once
   * @example
   * const { finished, closed, upgraded, aborted } = await server.drain({ timeoutMs: 10_000 });
   */
  drain(options: DrainOptions = {}): Promise<DrainResult> {
    checkOptions("options", options, { number: "timeoutMs" });
    const { timeoutMs = this.#drainTimeoutMs } = options;
    checkDurationMs("timeoutMs", timeoutMs);
    return this.#end(timeoutMs, true);
  }

  /** As {@link drain} within five seconds, but who has asked nothing by now is not waited for. */
  async close(): Promise<void> {
    await this.#end(CLOSE_GRACE_MS, false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** It listens, or is about to. @throws TwError `ERR_TW_DRAINING` */
  #open(): void {
    if (this.#drain !== undefined)
      throw new TwError("ERR_TW_DRAINING", "A server that drains listens again when drain() has resolved");
    this.#context.reopen();
    this.#forgetStop ??= this.loop.onStop(() => this.drain());
  }

  #end(timeoutMs: number, patient: boolean): Promise<DrainResult> {
    let drain = this.#drain;
    if (drain === undefined) {
      drain = new Drain(this.#context, this.#tcp, timeoutMs, patient);
      this.#drain = drain;
      const over = (): void => {
        this.#drain = undefined;
        this.#forget();
      };
      drain.result.then(over, over);
    } else drain.within(timeoutMs, patient);
    return drain.result;
  }

  /** Forgets the stop hook where there is nothing that it would drain; where connections live on, when they are gone. */
  #forgetUnused(): void {
    if (this.#binding > 0 || this.address !== "") return;
    if (this.connectionCount === 0) this.#forget();
    else void this.#tcp.whenEmpty().then(() => this.#forgetUnused());
  }

  #forget(): void {
    this.#forgetStop?.();
    this.#forgetStop = undefined;
  }
}

/** The protocol's name for ALPN, RFC 7301 §6. */
const HTTP_OVER_TLS = { ALPNProtocols: ["http/1.1"] };

/** How many connections are served; `Infinity` where the TCP server sees to that. @throws TypeError */
function fullness(options: HTTPServerOptions): number {
  const { overload = "wait", maxConnections = DEFAULT_MAX_CONNECTIONS } = options;
  if (overload !== "wait" && overload !== "refuse") throw new TypeError('overload is "wait" or "refuse"');
  if (overload === "wait") return Number.POSITIVE_INFINITY;
  if (maxConnections !== Number.POSITIVE_INFINITY) checkInteger("maxConnections", maxConnections, 1);
  return maxConnections;
}
