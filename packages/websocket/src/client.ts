// A WebSocket client (Tornado's websocket_connect). This entry does not load the web framework.

import { resolveHTTP1Options } from "@tw/http1";
import { HTTP1ClientConnection, nodeLatin1 } from "@tw/http1connection";
import type { HTTPHeaders } from "@tw/httputil";
import { IOLoop, MAX_DELAY_MS } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { type EngineChoice, TCPClient } from "@tw/tcp";
import { checkDurationMs, checkFunction, type Logger, offAbort, onAbort } from "@tw/util";
import { WebSocketHandshakeError, type WebSocketState } from "@tw/wsproto";
import { HandshakeDelegate, type Upgraded } from "./client-handshake.js";
import { type ClientRequest, type ClientRequestOptions, clientRequest } from "./client-request.js";
import { WebSocketConnection } from "./connection.js";
import type { Message, OutgoingMessage, WriteMessageOptions } from "./message.js";
import { MessageQueue } from "./message-queue.js";
import { checkOptions, type WebSocketListener, type WebSocketOptions } from "./options.js";

export {
  WebSocketClosedError,
  WebSocketError,
  WebSocketHandshakeError,
  type WebSocketState,
} from "@tw/wsproto";
export type { Message, OutgoingMessage, WriteMessageOptions } from "./message.js";

/** Options of {@link websocketConnect}. */
export interface WebSocketConnectOptions extends ClientRequestOptions, WebSocketOptions {
  /** Subprotocols in order of preference; see `selectedSubprotocol` for the server's choice. */
  readonly subprotocols?: readonly string[];
  /** Value of the Origin field, which programs other than browsers need not send. */
  readonly origin?: string;
  /** More fields of the request; not those of the handshake, of a body, or for one hop (such as Keep-Alive and TE). */
  readonly headers?: ClientRequestOptions["headers"] & {};
  /** How long connecting and the handshake may take together, in ms; 0 is no limit. @default 20 000 */
  readonly connectTimeoutMs?: number;
  /** Gives up connecting and rejects with its reason; nothing is left open. Without effect on an open connection. */
  readonly signal?: AbortSignal;
  /**
   * Takes the messages, in place of `readMessage`; the next one waits for the promise that it returns. As every callback,
   * it is called when whoever awaits {@link websocketConnect} has got the connection, however early a message came.
   */
  readonly onMessage?: WebSocketListener["onMessage"];
  /** A ping came and was answered. */
  readonly onPing?: NonNullable<WebSocketListener["onPing"]>;
  readonly onPong?: NonNullable<WebSocketListener["onPong"]>;
  /** The connection is gone; exactly once. */
  readonly onClose?: NonNullable<WebSocketListener["onClose"]>;
  /** @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Where failures of the callbacks go. @default the loop's logger */
  readonly logger?: Logger;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 20_000;

/**
 * Opens a WebSocket. Redirects are not followed.
 *
 * @throws TypeError for a URL that is not `ws:`, or a request that cannot be sent
 * @throws WebSocketHandshakeError when the server answers with anything but a valid 101, goes away, or time runs out
 * @throws SystemError such as `ECONNREFUSED`
 * @example
 * await using socket = await websocketConnect("ws://localhost:8888/echo");
 * await socket.writeMessage("hello");
 * for await (const message of socket) console.log(message);
 */
export async function websocketConnect(
  url: string | URL,
  options: WebSocketConnectOptions = {},
): Promise<WebSocketClientConnection> {
  const request = clientRequest(url, options);
  const { loop = IOLoop.current(), signal, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
  checkOptions(options);
  checkDurationMs("connectTimeoutMs", connectTimeoutMs, MAX_DELAY_MS);
  for (const name of ["onMessage", "onPing", "onPong", "onClose"] as const) {
    if (options[name] !== undefined) checkFunction(name, options[name]);
  }
  signal?.throwIfAborted();
  const cancel = new AbortController();
  const aborted = () => cancel.abort(signal?.reason);
  const expire = () => cancel.abort(new WebSocketHandshakeError(`No WebSocket after ${connectTimeoutMs} ms`));
  if (signal !== undefined) onAbort(signal, aborted);
  const timer = connectTimeoutMs === 0 ? undefined : loop.callLater(connectTimeoutMs, expire);
  try {
    return await connect(request, { ...options, loop }, cancel.signal);
  } finally {
    if (timer !== undefined) loop.removeTimeout(timer);
    if (signal !== undefined) offAbort(signal, aborted);
  }
}

async function connect(
  request: ClientRequest,
  options: WebSocketConnectOptions & { readonly loop: IOLoop },
  signal: AbortSignal,
): Promise<WebSocketClientConnection> {
  const tcp = new TCPClient({ loop: options.loop, engine: options.engine });
  const stream = await tcp.connect(request.host, request.port, { timeoutMs: 0, signal });
  const aborted = () => stream.abort(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    return await handshake(stream, request, options);
  } catch (error) {
    stream.abort(error);
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", aborted);
  }
}

async function handshake(
  stream: IOStream,
  request: ClientRequest,
  options: WebSocketConnectOptions & { readonly loop: IOLoop },
): Promise<WebSocketClientConnection> {
  let connection: WebSocketClientConnection | undefined;
  const delegate = new HandshakeDelegate(request.attempt, (upgraded) => {
    connection = new WebSocketClientConnection(upgraded, options);
  });
  const http = new HTTP1ClientConnection(stream, resolveHTTP1Options({ fromLatin1: nodeLatin1 }));
  delegate.exchange = http.exchange(delegate);
  delegate.exchange.writeHeaders({ method: "GET", path: request.path, version: "HTTP/1.1" }, request.headers);
  delegate.exchange.finish();
  await delegate.whenSettled;
  return connection as WebSocketClientConnection;
}

/** The client's end of a WebSocket. Made by {@link websocketConnect}. */
export class WebSocketClientConnection implements AsyncDisposable, AsyncIterable<Message> {
  /** The header of the 101. */
  readonly headers: HTTPHeaders;
  /** The subprotocol that the server chose. */
  readonly selectedSubprotocol: string | undefined;
  readonly #connection: WebSocketConnection;
  readonly #queue: MessageQueue | undefined;

  /** @internal */
  constructor(upgraded: Upgraded, options: WebSocketConnectOptions & { readonly loop: IOLoop }) {
    this.headers = upgraded.headers;
    this.selectedSubprotocol = upgraded.subprotocol;
    const queue = options.onMessage === undefined ? new MessageQueue() : undefined;
    this.#queue = queue;
    const listener: WebSocketListener = {
      onMessage: (message) => (queue === undefined ? options.onMessage?.(message) : queue.push(message)),
      onPing: (payload) => options.onPing?.(payload),
      onPong: (payload) => options.onPong?.(payload),
      onClose: (code, reason) => {
        queue?.end();
        return options.onClose?.(code, reason);
      },
    };
    this.#connection = new WebSocketConnection(upgraded.stream, "client", listener, options);
    this.#connection.startWhen(behindContinuations());
  }

  /**
   * Reads the next message, or `null` when the connection is closed and everything was read. While nobody reads, one
   * message is held and the rest stays in the network. One read at a time: a second rejects.
   *
   * @throws TypeError when the messages go to the `onMessage` option
   */
  readMessage(): Promise<Message | null> {
    if (this.#queue === undefined) throw new TypeError("Messages go to onMessage");
    return this.#queue.read();
  }

  /** The messages up to the end of the connection. Leaving the loop leaves the connection open. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (let message = await this.readMessage(); message !== null; message = await this.readMessage())
      yield message;
  }

  /** See `WebSocketConnection.writeMessage`: resolves when more may be written. */
  writeMessage(message: OutgoingMessage, options?: WriteMessageOptions): Promise<void> {
    return this.#connection.writeMessage(message, options);
  }

  /** Sends a ping of at most 125 bytes. @throws RangeError when longer @throws WebSocketClosedError when closed */
  ping(payload: Uint8Array | string = ""): void {
    this.#connection.ping(payload);
  }

  /**
   * Sends a Close frame; resolves when the connection is gone, which takes 5 seconds at most. For `readMessage` this is
   * the end: messages that come after it are dropped. So they are for `onMessage` when that closes, or is pending.
   *
   * @throws RangeError for a code that may not be sent, or a reason of more than 123 bytes
   */
  close(code?: number, reason?: string): Promise<void> {
    const closed = this.#connection.close(code, reason);
    this.#queue?.end();
    return closed;
  }

  /** Closes now, without a Close frame. */
  abort(reason?: unknown): void {
    this.#connection.abort(reason);
  }

  get state(): WebSocketState {
    return this.#connection.state;
  }

  /** Bytes written that the kernel has not taken. */
  get bufferedAmount(): number {
    return this.#connection.bufferedAmount;
  }

  /** See `WebSocketConnection.closeCode`. */
  get closeCode(): number | undefined {
    return this.#connection.closeCode;
  }

  get closeReason(): string | undefined {
    return this.#connection.closeReason;
  }

  /** What broke the connection; `undefined` after a clean end. */
  get error(): unknown {
    return this.#connection.error;
  }

  /** Resolves when the connection is gone. Never rejects. */
  get whenClosed(): Promise<void> {
    return this.#connection.whenClosed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Resolves when all has run that follows on what is settled now: the next tick of a microtask waits for every other. */
function behindContinuations(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
