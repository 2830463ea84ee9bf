// Drives the protocol machine over an upgraded stream, for either role. Here is how a connection begins and how it ends;
// what comes in is in receiving.ts, what goes out in sending.ts.
//
//   stream ──onBytes──► machine ──event──► listener        whoever writes ──► machine ──chunks──► stream
//
//   SendingHalf ◄── ReceivingHalf ◄─── WebSocketConnection
//   frames out      frames in, hooks   beginning, end

import type { DrainSignal, UpgradedReceiver, UpgradedStream } from "@tw/httputil";
import type { IOLoop, Timeout } from "@tw/ioloop";
import { Deferred, type Logger } from "@tw/util";
import {
  CLOSE_ABNORMAL,
  WebSocketClosedError,
  WebSocketMachine,
  type WebSocketRole,
  type WebSocketState,
} from "@tw/wsproto";
import { closeChannel, openChannel } from "./channels.js";
import { enlist, type Herald, strike } from "./going-away.js";
import {
  checkOptions,
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_MAX_BUFFERED_AMOUNT,
  type WebSocketListener,
  type WebSocketOptions,
} from "./options.js";
import { maskingKey } from "./randomness.js";
import { ReceivingHalf } from "./receiving.js";

/** What a connection is made of. */
export interface WebSocketConnectionOptions extends WebSocketOptions {
  readonly loop: IOLoop;
  /** Where failures of the listener go. @default the loop's logger */
  readonly logger?: Logger;
  /** Names the connection in the log, such as `GET "/chat" (127.0.0.1)`. @default "WebSocket" */
  readonly summary?: string;
  /** Aborted when the server drains: the connection then closes with 1001. @default a signal stops the loop */
  readonly draining?: DrainSignal | undefined;
}

const DONE: Promise<void> = Promise.resolve();

/**
 * One WebSocket over an upgraded stream. The listener runs in the async context that this was made in.
 *
 * Call {@link start} or {@link startWhen} once. Nothing is delivered before.
 */
export class WebSocketConnection extends ReceivingHalf implements UpgradedReceiver, AsyncDisposable {
  readonly #loop: IOLoop;
  readonly #herald: Herald;
  readonly #closeTimeoutMs: number;
  #disconnected: Deferred | undefined;
  #whenClosed: Deferred | undefined;
  #timer: Timeout | undefined;
  #closeCode: number | undefined;
  #closeReason: string | undefined;
  #error: unknown;

  /** @throws TypeError, RangeError for a limit that cannot be */
  constructor(
    stream: UpgradedStream,
    role: WebSocketRole,
    listener: WebSocketListener,
    options: WebSocketConnectionOptions,
  ) {
    const { loop, logger = loop.logger, summary = "WebSocket", maxMessageSize } = options;
    const { maxBufferedAmount = DEFAULT_MAX_BUFFERED_AMOUNT, closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } =
      options;
    checkOptions(options);
    const limits = maxMessageSize === undefined ? {} : { maxMessageSize };
    const machine = new WebSocketMachine(role, role === "client" ? { ...limits, maskingKey } : limits);
    super(stream, machine, maxBufferedAmount, { listener, logger, summary });
    this.#loop = loop;
    this.#herald = options.draining ?? loop;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  // ── Facts ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `closing` from the first Close frame on, `closed` when the stream is gone. */
  get state(): WebSocketState {
    if (this.stage === "closed") return "closed";
    return this.machine.state === "open" ? "open" : "closing";
  }

  /**
   * Why it closed: the code of the peer's Close frame (1005 if it had none), or ours when we failed the connection (1002,
   * 1007, 1009, 1011), or 1006 when there was neither. `undefined` before `onClose`.
   */
  get closeCode(): number | undefined {
    return this.stage === "closed" ? this.#closeCode : undefined;
  }

  /** The reason beside {@link closeCode}. */
  get closeReason(): string | undefined {
    return this.stage === "closed" ? this.#closeReason : undefined;
  }

  /** What broke it: the stream's error, a `WebSocketError`, what the listener threw; `undefined` after a clean end. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when the stream is gone and `onClose` has been called. Never rejects. */
  get whenClosed(): Promise<void> {
    if (this.stage === "closed") return DONE;
    this.#whenClosed ??= new Deferred();
    return this.#whenClosed.promise;
  }

  // ── Calls of the application ─────────────────────────────────────────────────────────────────────────────────────

  /** Runs `open` and takes the stream over; when it returned a promise, frames are read once that has settled. */
  start(open?: () => unknown): void {
    this.#announce();
    this.stage = "opening";
    this.#takeOver(open === undefined ? undefined : this.call(open));
  }

  /** Takes the stream over; frames are read, and the end is told, once `known`, which may not reject, has resolved. */
  startWhen(known: Promise<void>): void {
    this.#announce();
    this.#takeOver(known);
  }

  #announce(): void {
    if (openChannel.hasSubscribers) openChannel.publish({ connection: this });
    enlist(this.#herald, this);
  }

  #takeOver(waiting: Promise<void> | undefined): void {
    if (waiting === undefined) this.begin();
    else this.opened = waiting.then(() => this.begin());
    this.stream.attach(this);
  }

  /**
   * Sends a Close frame and waits for the peer's, for `closeTimeoutMs` at most. Resolves when the stream is gone. Closing
   * again, or after the peer, does nothing.
   *
   * A hook may await it. Messages that are under way are still delivered, but not when a hook of this connection is
   * running or pending: they are dropped then, up to the peer's answer, which the hook may be waiting for.
   *
   * @throws RangeError for a code that may not be sent (RFC 6455 §7.4), or a reason of more than 123 bytes
   */
  close(code?: number, reason?: string): Promise<void> {
    const chunks = this.machine.close(code, reason);
    if (chunks.length > 0 && !this.stream.closed) {
      this.send(chunks);
      this.#expectEnd();
    }
    this.discard();
    if (this.stage === "closed") return DONE;
    this.#disconnected ??= new Deferred();
    return this.#disconnected.promise;
  }

  override abort(reason?: unknown): void {
    this.#error ??= reason;
    this.stage = this.stage === "closed" ? "closed" : "ended";
    this.stream.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── Calls of the stream ──────────────────────────────────────────────────────────────────────────────────────────

  onClose(error?: unknown): void {
    this.#error ??= error;
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
    this.drop();
    // Whoever opens must not be told of the end before it knows of the beginning.
    if (this.opened === undefined) this.#gone();
    else {
      this.opened.then(() => this.#gone());
      this.#disconnected ??= new Deferred(); // for a close() that is still to come from it
    }
    this.#disconnected?.resolve();
  }

  #gone(): void {
    this.stage = "closed";
    this.#closeCode ??= CLOSE_ABNORMAL;
    this.#closeReason ??= "";
    strike(this.#herald, this);
    if (closeChannel.hasSubscribers) closeChannel.publish({ connection: this, code: this.#closeCode });
    this.call(() => this.listener.onClose?.(this.#closeCode as number, this.#closeReason as string));
    this.#whenClosed?.resolve();
  }

  /** RFC 6455 §7.1.1: the server closes the connection first; the client waits for that. */
  protected override peerClosed(code: number, reason: string): void {
    this.stage = "ended";
    this.#closeCode ??= code;
    this.#closeReason ??= reason;
    if (code !== CLOSE_ABNORMAL && this.machine.canSend) this.send(this.machine.close());
    if (this.machine.role === "server" || code === CLOSE_ABNORMAL) this.stream.close();
    this.#expectEnd();
  }

  /** RFC 6455 §7.1.7: says why and closes. */
  protected override fail(code: number, reason: string, error: unknown): void {
    if (this.stage === "closed" || this.stream.closed) return;
    this.stage = "ended";
    this.#error ??= error;
    this.#closeCode ??= code;
    this.#closeReason ??= reason;
    if (this.machine.canSend) this.send(this.machine.close(code, reason));
    this.stream.close();
    this.#expectEnd();
  }

  #expectEnd(): void {
    // A closed loop has no timers: there the stream closes without grace.
    if (this.#loop.closed) void this.stream.close();
    else this.#timer ??= this.#loop.callLater(this.#closeTimeoutMs, () => this.#expired());
  }

  /** The answer may lie behind what is held back for a hook that began after `close()`. It may have as long once more. */
  #expired(): void {
    if (this.release === undefined) return this.stream.abort();
    this.#timer = this.#loop.callLater(this.#closeTimeoutMs, () => this.stream.abort());
    this.discard();
  }

  protected override closedError(): WebSocketClosedError {
    const options = this.#error === undefined ? undefined : { cause: this.#error };
    return new WebSocketClosedError("The WebSocket is closed", this.#closeCode, options);
  }
}
