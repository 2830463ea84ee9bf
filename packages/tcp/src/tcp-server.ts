// A non-blocking TCP server (Tornado's tcpserver): subclass it and override handleStream, or pass a function.
//
//   bindSockets ──► ListeningSocket ──accept──► Admission ──► handleStream(stream, address)
//                        ▲  pause · resume          │
//                        └──── maxConnections ──────┴──► Connections ──► drain

import { setMaxListeners } from "node:events";
import { IOLoop } from "@tw/ioloop";
import type { IOStream, Transport } from "@tw/iostream";
import { checkEngine, checkStreamOptions } from "@tw/iostream/transports";
import {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkLoop,
  checkOptions,
  isPromiseLike,
  isTwError,
  rejected,
  TwError,
} from "@tw/util";
import { checkBacklog } from "./addresses.js";
import { Admission } from "./admission.js";
import { type BindUnixOptions, bindSockets, bindUnixSocket } from "./bind-sockets.js";
import { accepted } from "./channels.js";
import { Connections, type ConnectionsOwner, type ServedStream } from "./connections.js";
import { Drain } from "./drain.js";
import type { ListeningSocket } from "./listening-socket.js";
import { report } from "./report.js";
import {
  DEFAULT_MAX_CONNECTIONS,
  type DrainOptions,
  type DrainResult,
  type PeerAddress,
  type StreamHandler,
  type TCPListenOptions,
  type TCPServerOptions,
} from "./server-options.js";
import { ServerSockets } from "./server-sockets.js";
import type { TLSServerOptions } from "./tls/server-tls.js";

const DEFAULT_DRAIN_MS = 5000;

/** A server at its limit is so with every connection that closes, and says it no more often than this. */
const WARNING_INTERVAL_MS = 60_000;

/**
 * Accepts connections and hands each to {@link handleStream}.
 *
 * A handler that throws or rejects is logged and its stream aborted; the server goes on.
 *
 * @example
 * const server = new TCPServer(async (stream) => {
 *   for (;;) await stream.write(await stream.readUntil("\n", { maxBytes: 1024 }));
 * });
 * await server.listen(8888);
 */
export class TCPServer implements AsyncDisposable {
  readonly loop: IOLoop;
  readonly #options: TCPServerOptions;
  readonly #maxConnections: number;
  readonly #handler: StreamHandler | undefined;
  readonly #sockets: ServerSockets = new ServerSockets();
  readonly #connections: Connections;
  readonly #admission: Admission;
  #draining = drainController();
  /** The one that is under way. */
  #drain: Drain | undefined;
  #nextWarning = Number.NEGATIVE_INFINITY;

  /**
   * @throws TypeError, RangeError for what is no function, loop, number, size or certificate, before anything else happens
   * @throws TwError `ERR_TW_ENGINE` for an engine that there is not
   */
  constructor(handler?: StreamHandler, options: TCPServerOptions = {}) {
    checkOptions("options", options, { IOLoop: "loop" });
    const { maxConnections = DEFAULT_MAX_CONNECTIONS, backlog } = options;
    if (handler !== undefined) checkFunction("The handler of a TCPServer", handler);
    if (maxConnections !== Number.POSITIVE_INFINITY) checkInteger("maxConnections", maxConnections, 1);
    if (backlog !== undefined) checkBacklog(backlog);
    checkLoop(options.loop);
    checkEngine(options.engine);
    checkStreamOptions(options);
    this.loop = options.loop ?? IOLoop.current();
    this.#handler = handler;
    this.#options = { ...options, loop: this.loop };
    this.#maxConnections = maxConnections;
    const owner: ConnectionsOwner = { loop: this.loop, connectionGone: () => this.#connectionGone() };
    this.#connections = new Connections(owner);
    this.#admission = new Admission(this.loop, this.#options, this.#connections, (stream, peer) =>
      this.#serve(stream, peer),
    );
  }

  /**
   * Listens on `port` of each address of a host and accepts; `""` is every address of the machine. Port 0 is any free
   * one, the same for all addresses: {@link port} tells which. May be called more than once.
   *
   * A {@link stop} meanwhile holds: nothing listens then.
   *
   * @throws TypeError, RangeError for what is no port, address or option, at once
   * @throws SystemError `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`; LoopClosedError `ERR_TW_LOOP_CLOSED`
   * @throws TwError `ERR_TW_DRAINING` before a {@link drain} that is under way has resolved
   */
  listen(port: number, address = "", options: TCPListenOptions = {}): Promise<void> {
    checkOptions("options", options, { number: "backlog" });
    const refusal = this.#refusal();
    if (refusal !== undefined) return rejected(refusal);
    const binding = bindSockets(port, address, { ...this.#options, ...options });
    return this.#sockets.whenBound(binding, (sockets) => this.addSockets(sockets));
  }

  /**
   * Listens on the Unix socket at `path`. See `bindUnixSocket`: a dead server's socket is replaced, a live one refused.
   *
   * @throws TypeError, RangeError, at once; ListenError `ERR_TW_NOT_A_SOCKET`; SystemError `EADDRINUSE`
   * @throws LoopClosedError `ERR_TW_LOOP_CLOSED`
   */
  listenUnix(path: string, options: Pick<BindUnixOptions, "mode" | "backlog"> = {}): Promise<void> {
    checkOptions("options", options, { number: "mode" });
    const refusal = this.#refusal();
    if (refusal !== undefined) return rejected(refusal);
    const binding = bindUnixSocket(path, { ...this.#options, ...options }).then((socket) => [socket]);
    return this.#sockets.whenBound(binding, (sockets) => this.addSockets(sockets));
  }

  /** As {@link listen}, but accepts nothing before {@link start}: for what must happen in between, such as `setuid`. */
  bind(port: number, address = "", options: TCPListenOptions = {}): Promise<void> {
    checkOptions("options", options, { number: "backlog" });
    const binding = bindSockets(port, address, { ...this.#options, ...options });
    return this.#sockets.whenBound(binding, (sockets) => {
      if (this.#sockets.started) this.addSockets(sockets);
      else this.#sockets.keep(sockets);
    });
  }

  /**
   * Accepts on what {@link bind} bound. Several processes are the business of `@tw/process` and its `forkProcesses`.
   *
   * @throws ListenError `ERR_TW_SERVER_STARTED` when it was called before
   */
  start(): void {
    this.addSockets(this.#sockets.start());
  }

  /**
   * Accepts on listening sockets that were made elsewhere. They belong to the server from then on: {@link stop} closes
   * them. Connections run in a context made from that of whoever bound the socket.
   *
   * @throws ListenError `ERR_TW_SOCKET_TAKEN` for one that was closed or has a server; those before it are added
   * @throws TwError `ERR_TW_DRAINING` before a {@link drain} that is under way has resolved
   */
  addSockets(sockets: Iterable<ListeningSocket>): void {
    for (const socket of sockets) this.addSocket(socket);
  }

  /** As {@link addSockets}, for one. */
  addSocket(socket: ListeningSocket): void {
    const refusal = this.#refusal();
    if (refusal !== undefined) throw refusal;
    socket.accept((transport) => this.#accepted(transport));
    this.#sockets.serve(socket);
    if (this.#draining.signal.aborted) this.#draining = drainController();
  }

  /** The port of the first listening socket, or 0. */
  get port(): number {
    return this.#sockets.first?.port ?? 0;
  }

  /** The address of the first listening socket, or `""`. */
  get address(): string {
    return this.#sockets.first?.address ?? "";
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** TLS handshakes that failed, those of peers that went away or were too slow included, since the server was made. */
  get handshakeFailures(): number {
    return this.#admission.handshakeFailures;
  }

  /**
   * Aborted by {@link drain}: give it to reads that wait for the next request, and say goodbye when it comes.
   *
   * @example
   * do handle(await stream.readUntil("\n", { maxBytes: 1024 }));
   * while (!server.draining.aborted); // once at least: who waited in the kernel's queue comes while the server stops
   */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /**
   * Changes certificates without dropping a connection: the next handshake goes by `changes` and, for what they leave
   * out, by what the server was made with. Connections and handshakes under way are not touched. When it throws, the
   * server goes on as before.
   *
   * @throws TypeError when the server speaks no TLS, or OpenSSL cannot use what is given
   * @example
   * server.setSecureContext({ cert: readFileSync("cert.pem"), key: readFileSync("key.pem") });
   */
  setSecureContext(changes: TLSServerOptions): void {
    this.#admission.setSecureContext(changes);
  }

  /** Override this, or pass a function to the constructor. */
  handleStream(stream: IOStream, address: PeerAddress): void | Promise<void> {
    if (this.#handler === undefined) throw new TypeError("Override handleStream or pass a handler");
    return this.#handler(stream, address);
  }

  /** Stops accepting, what is still being bound included. Established connections live on. Idempotent. */
  stop(): Promise<void> {
    return this.#sockets.stop((socket) => socket.close());
  }

  /**
   * @internal As {@link stop}, but serves who had connected by now: of that the peer knows, and not whether somebody
   * accepted it. Sockets that others have too are left to them.
   */
  stopServing(): Promise<void> {
    return this.#sockets.stop(async (socket) => {
      try {
        await socket.acceptWaiting();
      } finally {
        await socket.close();
      }
    });
  }

  /** @internal Connections that there have been. */
  get acceptedCount(): number {
    return this.#connections.added;
  }

  /** @internal Open connections that are still in front of a proxy's header or a handshake: nobody handles them yet. */
  get arrivingCount(): number {
    return this.#connections.arriving;
  }

  /** @internal Connections that ended there. */
  get turnedAwayCount(): number {
    return this.#connections.turnedAway;
  }

  /** @internal Ends those that are there now. */
  closeArriving(): void {
    this.#connections.closeArriving();
  }

  /** @internal Resolves when no connection is open. */
  whenEmpty(): Promise<void> {
    return this.#connections.whenEmpty();
  }

  /** @internal Ends all connections now; returns how many that were. */
  abortAll(reason: unknown): number {
    return this.#connections.abortAll(reason);
  }

  /**
   * Stops accepting, tells handlers by {@link draining}, and waits until every connection has closed; those that have
   * not after `timeoutMs` are aborted; of several calls the one that ends first holds. So are, after a second or half of `timeoutMs`, those that no handler knows yet,
   * because their TLS handshake is not over or their PROXY header has not come. Returns as soon as nothing is left. Where
   * the loop is closed nobody has any time. On SIGTERM:
   *
   * @example
   * loop.onStop(() => server.drain({ timeoutMs: 10_000 }));
   *
   * @throws TypeError, RangeError when `options` are none or `timeoutMs` is no duration, at once
   */
  drain(options: DrainOptions = {}): Promise<DrainResult> {
    checkOptions("options", options, { number: "timeoutMs" });
    const { timeoutMs = DEFAULT_DRAIN_MS } = options;
    checkDurationMs("timeoutMs", timeoutMs);
    this.#drain ??= this.#beginDrain();
    this.#drain.within(timeoutMs);
    return this.#drain.result;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #beginDrain(): Drain {
    this.#draining.abort(new TwError("ERR_TW_DRAINING", "The server stops"));
    const drain = new Drain(this.loop, this.#connections, this.stopServing());
    const over = (): void => {
      this.#drain = undefined;
    };
    drain.result.then(over, over);
    return drain;
  }

  /** Why it cannot listen now. Whoever comes during a drain would be aborted at its deadline. */
  #refusal(): TwError | undefined {
    if (this.#drain === undefined) return undefined;
    return new TwError("ERR_TW_DRAINING", "A server that drains listens again when drain() has resolved");
  }

  #accepted(transport: Transport): void {
    let stream: ServedStream;
    try {
      stream = this.#admission.streamOver(transport);
    } catch (error) {
      report(this.loop, "error", "Cannot serve a connection", error);
      return transport.abort(error);
    }
    if (accepted.hasSubscribers) accepted.publish({ server: this, stream });
    if (this.#connections.size >= this.#maxConnections) this.#pause();
    this.#admission.admit(stream);
  }

  #serve(stream: IOStream, peer: PeerAddress): void {
    try {
      const result = this.handleStream(stream, peer);
      if (isPromiseLike(result)) result.then(undefined, (error) => this.#failed(error, stream));
    } catch (error) {
      this.#failed(error, stream);
    }
  }

  /** Ends what a handler failed on. A peer that went away, and our own drain, are no fault of the handler, and no news. */
  #failed(err: unknown, stream: IOStream): void {
    const gone = stream.closed && isTwError(err, "ERR_TW_STREAM_CLOSED");
    const { aborted, reason } = this.#draining.signal;
    if (gone) report(this.loop, "debug", "Connection closed in handleStream", err);
    else if (aborted && err === reason) report(this.loop, "debug", "Drained in handleStream", err);
    else report(this.loop, "error", "Exception in handleStream", err);
    stream.abort(err);
  }

  #pause(): void {
    this.#sockets.pause();
    const now = this.loop.time();
    if (now < this.#nextWarning) return;
    this.#nextWarning = now + WARNING_INTERVAL_MS;
    report(this.loop, "warn", `${this.#maxConnections} connections are open; the next ones have to wait`);
  }

  #connectionGone(): void {
    if (this.#connections.size < this.#maxConnections) this.#sockets.goOn();
  }
}

/** Each connection may listen to it: Node takes the eleventh listener of a signal for a leak. */
function drainController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
