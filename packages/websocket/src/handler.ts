// Tornado's WebSocketHandler: a request handler whose GET becomes a WebSocket.

import { HTTPHeaders, type MaybePromise } from "@tw/httputil";
import type { PathArgs } from "@tw/routing";
import { quote, rejected } from "@tw/util";
import { RequestHandler, type Settings } from "@tw/web";
import {
  acceptUpgrade,
  checkUpgradeRequest,
  type HeaderList,
  WebSocketClosedError,
  type WebSocketState,
} from "@tw/wsproto";
import { WebSocketConnection } from "./connection.js";
import type { Message, OutgoingMessage, WriteMessageOptions } from "./message.js";
import { isSameOrigin } from "./origin.js";
import { sha1 } from "./randomness.js";

/** Settings of an application that WebSockets look at. */
export interface WebSocketSettings extends Settings {
  /** See {@link WebSocketHandler.maxMessageSize}. */
  readonly websocketMaxMessageSize?: number;
}

/**
 * Handles one WebSocket. A subclass defines `onMessage`, and `open` and `onClose` where it wants to.
 *
 * In order: `prepare`, `checkOrigin`, `selectSubprotocol`, the 101, `open` with the parameters of the path, `onMessage`
 * for each message, `onClose`. Each waits for the promise of the one before: the next message is not read before
 * `onMessage` is done with this one. Only `onClose` does not wait for `onMessage`: when the connection is gone it says
 * so. What any of them throws is logged and closes the connection with 1011. The methods that answer a request (`write`,
 * `setHeader`, `finish` …) throw after the 101.
 *
 * @example
 * class Echo extends WebSocketHandler {
 *   async onMessage(message: Message) {
 *     await this.writeMessage(message);
 *   }
 * }
 */
export abstract class WebSocketHandler<
  P extends string = string,
  S extends Settings = Settings,
> extends RequestHandler<P, S> {
  #connection: WebSocketConnection | undefined = undefined;
  #subprotocol: string | undefined = undefined;

  // ── Hooks ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Whether a page of `origin` may connect; not asked where there is no Origin, as from programs that are no browsers.
   * By default only pages of the host that the request was sent to; whoever opens this up lets other sites act with the
   * cookies of their visitors.
   */
  checkOrigin(origin: string): boolean {
    return isSameOrigin(origin, this.request.host);
  }

  /** Chooses one of the subprotocols that the client offers, or none. Asked once, also when none are offered. */
  selectSubprotocol(_protocols: readonly string[]): string | undefined {
    return undefined;
  }

  /** The longest message that is accepted, in bytes. @default the setting `websocketMaxMessageSize`, else 10 MiB */
  get maxMessageSize(): number | undefined {
    return (this.settings as WebSocketSettings).websocketMaxMessageSize;
  }

  /** The WebSocket is open. Gets the parameters of the path. No message is read before this is done. */
  open(..._args: PathArgs<P>): MaybePromise {}

  /** A message: a string is text, bytes (which are yours) binary. */
  abstract onMessage(message: Message): MaybePromise;

  /** The WebSocket is gone, however that came about; exactly once, and only after `open`. See {@link closeCode}. */
  onClose(_code: number, _reason: string): MaybePromise {}

  /** A ping came and was answered. */
  onPing(_payload: Uint8Array): MaybePromise {}

  /** A pong came. */
  onPong(_payload: Uint8Array): MaybePromise {}

  // ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** See {@link WebSocketConnection.writeMessage}. Before the 101 it rejects with WebSocketClosedError. */
  writeMessage(message: OutgoingMessage, options?: WriteMessageOptions): Promise<void> {
    if (this.#connection !== undefined) return this.#connection.writeMessage(message, options);
    return rejected(new WebSocketClosedError("The WebSocket is not open yet"));
  }

  /** Sends a ping of at most 125 bytes. @throws RangeError when longer @throws WebSocketClosedError unless open */
  ping(payload: Uint8Array | string = ""): void {
    if (this.#connection === undefined) throw new WebSocketClosedError("The WebSocket is not open yet");
    this.#connection.ping(payload);
  }

  /** See {@link WebSocketConnection.close}. A hook may await it, and hears of no more messages then. */
  close(code?: number, reason?: string): Promise<void> {
    return this.#connection?.close(code, reason) ?? Promise.resolve();
  }

  /** `closed` before the 101, too. */
  get state(): WebSocketState {
    return this.#connection?.state ?? "closed";
  }

  /** Bytes written that the kernel has not taken. */
  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? 0;
  }

  /** See {@link WebSocketConnection.closeCode}. */
  get closeCode(): number | undefined {
    return this.#connection?.closeCode;
  }

  get closeReason(): string | undefined {
    return this.#connection?.closeReason;
  }

  /** What {@link selectSubprotocol} chose. */
  get selectedSubprotocol(): string | undefined {
    return this.#subprotocol;
  }

  // ── Handshake ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers the handshake. Override `prepare` to refuse somebody, not this. */
  get(...args: PathArgs<P>): MaybePromise {
    const { method, version, headers } = this.request;
    const check = checkUpgradeRequest({ method, version, headers });
    if (!check.ok) return this.#refuse(check.status, check.reason, check.headers);
    const origin = headers.get("Origin") ?? headers.get("Sec-WebSocket-Origin");
    if (origin !== null && !this.checkOrigin(origin))
      return this.#refuse(403, "Cross origin websockets not allowed");
    this.#subprotocol = this.selectSubprotocol(check.protocols) ?? undefined;
    const answer = acceptUpgrade(check, sha1, this.#subprotocol);
    const { maxMessageSize, application } = this;
    const { loop, logger } = application;
    const summary = `${method} ${quote(this.request.uri, Number.POSITIVE_INFINITY)} (${this.request.remoteIp})`;
    const { draining } = this.request.connection.context;
    const options = {
      loop,
      logger,
      summary,
      draining,
      ...(maxMessageSize === undefined ? {} : { maxMessageSize }),
    };
    this.#connection = new WebSocketConnection(
      this.upgrade(new HTTPHeaders(answer)),
      "server",
      this,
      options,
    );
    this.#connection.start(() => this.open(...args));
  }

  #refuse(status: number, reason: string, headers: HeaderList = []): void {
    this.setStatus(status);
    this.setHeader("Content-Type", "text/plain; charset=UTF-8");
    for (const [name, value] of headers) this.setHeader(name, value);
    this.finish(reason);
  }
}
