// What a TCP server may be told, and what it tells.

import type { IOLoop } from "@tw/ioloop";
import type { IOStream, StreamOptions } from "@tw/iostream";
import type { BindOptions } from "./bind-sockets.js";
import type { EngineChoice } from "./network.js";
import type { ProxyProtocolOptions } from "./proxy/gate.js";
import type { TLSServerOptions } from "./tls/server-tls.js";

/** The default of `maxConnections`. */
export const DEFAULT_MAX_CONNECTIONS: number = 100_000;

/** Options of a `TCPServer`. */
export interface TCPServerOptions extends StreamOptions {
  /** The loop to serve on. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
  /** Connections that the kernel keeps waiting; when it overflows clients wait one second and more. @default 4096 */
  readonly backlog?: number;
  /**
   * Connections open at a time. At the limit accepting pauses, and who connects waits in the kernel's queue (on the
   * node engine in one of ours, of `backlog`) until another connection has closed. @default 100 000
   */
  readonly maxConnections?: number;
  /**
   * Speaks TLS on every connection: `handleStream` gets an `SSLIOStream`, when the handshake is over. Who fails it,
   * or takes longer than `handshakeTimeoutMs`, is counted (`TCPServer.handshakeFailures`) and never seen. @default plain TCP
   */
  readonly tls?: TLSServerOptions;
  /**
   * Reads the header of a proxy (haproxy, nginx, a load balancer) in front of each connection, before TLS: streams and
   * handlers then know the client's address in place of the proxy's. @default none is read
   */
  readonly proxyProtocol?: ProxyProtocolOptions;
}

/** Options of one `TCPServer.listen`; the rest are the server's. */
export type TCPListenOptions = Pick<BindOptions, "family" | "reusePort" | "backlog">;

/** Handles one connection; a promise it returns is observed, and the stream stays open when it resolves. */
export type StreamHandler = (stream: IOStream, address: PeerAddress) => void | Promise<void>;

/**
 * Where a connection comes from: looked up when it is first asked for. The node engine cannot tell it any more when the
 * connection was reset before: then it is `""` and 0.
 */
export interface PeerAddress {
  /** Numeric; `""` for a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** Options of `TCPServer.drain`. */
export interface DrainOptions {
  /** Milliseconds until what is still open is aborted. @default 5000 */
  readonly timeoutMs?: number;
}

/** How `TCPServer.drain` ended. */
export interface DrainResult {
  /** Connections that ended by themselves in time. */
  readonly finished: number;
  /** Connections that were still open at the deadline, or had not arrived in time, and were aborted. */
  readonly aborted: number;
}
