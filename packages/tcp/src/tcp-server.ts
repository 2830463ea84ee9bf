// A non-blocking TCP server (Tornado's tcpserver): subclass it and override handleStream, or pass a function.

import { IOLoop } from "@tw/ioloop";
import { IOStream, type StreamOptions, type Transport } from "@tw/iostream";
import { isPromiseLike } from "@tw/util";
import { type EngineChoice, type Listener, networkOf } from "./network.js";

/** Options of a {@link TCPServer}. */
export interface TCPServerOptions extends StreamOptions {
  /** The loop to serve on. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
  /** Connections that the kernel keeps waiting; when it overflows clients wait one second and more. @default 4096 */
  readonly backlog?: number;
}

/** Handles one connection; a promise it returns is observed, and the stream stays open when it resolves. */
export type StreamHandler = (stream: IOStream, address: PeerAddress) => void | Promise<void>;

/** Where a connection comes from. */
export interface PeerAddress {
  readonly address: string;
  readonly port: number;
}

const DEFAULT_BACKLOG = 4096;

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
  readonly #handler: StreamHandler | undefined;
  readonly #listeners: Listener[] = [];
  #stops = 0;

  constructor(handler?: StreamHandler, options: TCPServerOptions = {}) {
    if (handler !== undefined && typeof handler !== "function") {
      throw new TypeError("TCPServer takes a function (stream, address) as its first argument");
    }
    this.loop = options.loop ?? IOLoop.current();
    this.#options = options;
    this.#handler = handler;
  }

  /**
   * Listens on `port` (0: any free one, see {@link port}) of `address` (`""`: every address of this machine). May be
   * called more than once. A {@link stop} meanwhile holds: nothing listens then.
   *
   * @throws RangeError for a port outside 0–65535
   * @throws SystemError `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`
   */
  async listen(port: number, address = ""): Promise<void> {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new RangeError(`Not a port: ${port}`);
    const { engine, backlog = DEFAULT_BACKLOG } = this.#options;
    const stops = this.#stops;
    const listener = await networkOf(this.loop).listen({ port, address, backlog, engine }, (transport) =>
      this.#accepted(transport),
    );
    if (stops === this.#stops) this.#listeners.push(listener);
    else await listener.close();
  }

  /** The port of the first listening socket, or 0. */
  get port(): number {
    return this.#listeners[0]?.port ?? 0;
  }

  /** The address of the first listening socket, or `""`. */
  get address(): string {
    return this.#listeners[0]?.address ?? "";
  }

  /** Override this, or pass a function to the constructor. */
  handleStream(stream: IOStream, address: PeerAddress): void | Promise<void> {
    if (this.#handler === undefined) throw new TypeError("Override handleStream or pass a handler");
    return this.#handler(stream, address);
  }

  /** Stops accepting. Established connections live on. Idempotent. */
  async stop(): Promise<void> {
    this.#stops++;
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #accepted(transport: Transport): void {
    let stream: IOStream | undefined;
    const failed = (error: unknown) => {
      this.loop.logger.error({ err: error }, "Exception in handleStream");
      if (stream === undefined) transport.abort(error);
      else stream.abort(error);
    };
    try {
      stream = new IOStream(transport, this.#options);
      const result = this.handleStream(stream, new Peer(transport));
      if (isPromiseLike(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** Looked up when asked for: most handlers never ask, and an idle connection shall own nothing it does not need. */
class Peer implements PeerAddress {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get address(): string {
    return this.#transport.info.remoteAddress;
  }

  get port(): number {
    return this.#transport.info.remotePort;
  }
}
