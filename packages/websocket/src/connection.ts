// Drives the protocol machine over an upgraded stream, for either role. Messages are delivered one at a time: while the
// listener's promise is pending the bytes behind it stay where they are, and the peer's window closes. Here is what comes
// in, and how it ends; what goes out is in sending.ts.
//
//   stream ──onBytes──► machine ──event──► listener        whoever writes ──► machine ──chunks──► stream
//
//   waiting ──► opening ──► reading ──────► ended ──► closed   waiting: nobody knows of it; a client's is read next
//                  └───────────┴─► discarding ┘                opening: the hook of that name is pending
//                                                              discarding: closed from a hook, only the answer is read
//                                                              ended: a Close frame or failure came, nothing is read

import { AsyncResource } from "node:async_hooks";
import type { DrainSignal, MaybePromise, UpgradedReceiver, UpgradedStream } from "@tw/httputil";
import type { IOLoop, Timeout } from "@tw/ioloop";
import { Deferred, isPromiseLike, type Logger, logSafely } from "@tw/util";
import {
  CLOSE_ABNORMAL,
  CLOSE_INTERNAL_ERROR,
  WebSocketClosedError,
  WebSocketError,
  type WebSocketEvent,
  WebSocketMachine,
  type WebSocketRole,
  type WebSocketState,
} from "@tw/wsproto";
import { closeChannel, messageChannel, openChannel } from "./channels.js";
import { enlist, type Herald, strike } from "./going-away.js";
import type { Message } from "./message.js";
import {
  checkOptions,
  DEFAULT_CLOSE_TIMEOUT_MS,
  DEFAULT_MAX_BUFFERED_AMOUNT,
  type WebSocketListener,
  type WebSocketOptions,
} from "./options.js";
import { maskingKey } from "./randomness.js";
import { SendingHalf } from "./sending.js";

type Stage = "waiting" | "opening" | "reading" | "discarding" | "ended" | "closed";

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
export class WebSocketConnection extends SendingHalf implements UpgradedReceiver, AsyncDisposable {
  readonly #listener: WebSocketListener;
  readonly #loop: IOLoop;
  readonly #logger: Logger;
  readonly #summary: string;
  readonly #herald: Herald;
  readonly #scope = new AsyncResource("TWWebSocket", { requireManualDestroy: true });
  readonly #closeTimeoutMs: number;
  #stage: Stage = "waiting";
  /** There while nothing is delivered yet. */
  #opened: Promise<void> | undefined;
  /** Whether a hook of the listener is on the stack. */
  #calling = false;
  /** Lets go the bytes that are held back while a hook is pending. */
  #release: (() => void) | undefined;
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
    const { loop, logger = loop.logger, maxMessageSize } = options;
    const { maxBufferedAmount = DEFAULT_MAX_BUFFERED_AMOUNT, closeTimeoutMs = DEFAULT_CLOSE_TIMEOUT_MS } =
      options;
    checkOptions(options);
    const limits = maxMessageSize === undefined ? {} : { maxMessageSize };
    const machine = new WebSocketMachine(role, role === "client" ? { ...limits, maskingKey } : limits);
    super(stream, machine, maxBufferedAmount);
    this.#listener = listener;
    this.#loop = loop;
    this.#logger = logger;
    this.#summary = options.summary ?? "WebSocket";
    this.#herald = options.draining ?? loop;
    this.#closeTimeoutMs = closeTimeoutMs;
  }

  // ── Facts ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `closing` from the first Close frame on, `closed` when the stream is gone. */
  get state(): WebSocketState {
    if (this.#stage === "closed") return "closed";
    return this.machine.state === "open" ? "open" : "closing";
  }

  /**
   * Why it closed: the code of the peer's Close frame (1005 if it had none), or ours when we failed the connection (1002,
   * 1007, 1009, 1011), or 1006 when there was neither. `undefined` before `onClose`.
   */
  get closeCode(): number | undefined {
    return this.#stage === "closed" ? this.#closeCode : undefined;
  }

  /** The reason beside {@link closeCode}. */
  get closeReason(): string | undefined {
    return this.#stage === "closed" ? this.#closeReason : undefined;
  }

  /** What broke it: the stream's error, a `WebSocketError`, what the listener threw; `undefined` after a clean end. */
  get error(): unknown {
    return this.#error;
  }

  /** Resolves when the stream is gone and `onClose` has been called. Never rejects. */
  get whenClosed(): Promise<void> {
    if (this.#stage === "closed") return DONE;
    this.#whenClosed ??= new Deferred();
    return this.#whenClosed.promise;
  }

  // ── Calls of the application ─────────────────────────────────────────────────────────────────────────────────────

  /** Runs `open` and takes the stream over; when it returned a promise, frames are read once that has settled. */
  start(open?: () => unknown): void {
    this.#announce();
    this.#stage = "opening";
    this.#takeOver(open === undefined ? undefined : this.#call(open));
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
    if (waiting === undefined) this.#begin();
    else this.#opened = waiting.then(() => this.#begin());
    this.stream.attach(this);
  }

  #begin(): void {
    this.#opened = undefined;
    if (this.#early) this.#stage = "reading";
  }

  /** Whether nothing may be delivered yet. */
  get #early(): boolean {
    return this.#stage === "waiting" || this.#stage === "opening";
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
    this.#discard();
    if (this.#stage === "closed") return DONE;
    this.#disconnected ??= new Deferred();
    return this.#disconnected.promise;
  }

  override abort(reason?: unknown): void {
    this.#error ??= reason;
    this.#stage = this.#stage === "closed" ? "closed" : "ended";
    this.stream.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── Calls of the stream ──────────────────────────────────────────────────────────────────────────────────────────

  onBytes(view: Uint8Array): MaybePromise {
    this.machine.receive(view);
    const waiting = this.#early ? this.#opened : this.#pump();
    if (waiting !== undefined) return this.#hold(waiting);
  }

  onEnd(): void {
    this.machine.receiveEnd();
    if (this.#stage === "ended") this.stream.close();
    else if (this.#early) this.#opened?.then(() => this.#pump());
    else this.#pump();
  }

  onClose(error?: unknown): void {
    this.#error ??= error;
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
    this.drop();
    // Whoever opens must not be told of the end before it knows of the beginning.
    if (this.#opened === undefined) this.#gone();
    else {
      this.#opened.then(() => this.#gone());
      this.#disconnected ??= new Deferred(); // for a close() that is still to come from it
    }
    this.#disconnected?.resolve();
  }

  #gone(): void {
    this.#stage = "closed";
    this.#closeCode ??= CLOSE_ABNORMAL;
    this.#closeReason ??= "";
    strike(this.#herald, this);
    if (closeChannel.hasSubscribers) closeChannel.publish({ connection: this, code: this.#closeCode });
    this.#call(() => this.#listener.onClose?.(this.#closeCode as number, this.#closeReason as string));
    this.#whenClosed?.resolve();
  }

  // ── Frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Delivers what the machine has, up to an event that makes us wait. */
  #pump(): Promise<void> | undefined {
    while (this.#stage === "reading" || this.#stage === "discarding") {
      const event = this.machine.next();
      if (event === undefined) return undefined;
      const waiting = this.#handle(event);
      if (waiting !== undefined && this.#stage === "reading") return waiting;
    }
    return undefined;
  }

  /** Leaves what comes behind in the network until the application is done with what it has, or {@link #discard}. */
  #hold(waiting: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        try {
          const next = this.#pump();
          if (next !== undefined) return void next.then(goOn, reject);
          this.#release = undefined;
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      this.#release = resolve;
      waiting.then(goOn, reject);
    });
  }

  /**
   * A hook closes, or is pending while somebody closes: it may wait for the peer's answer, which comes behind what is held
   * back for it. That is read, and dropped: to keep it would take memory without a limit.
   */
  #discard(): void {
    if (this.#stage !== "opening" && this.#stage !== "reading") return;
    if (this.#stage === "reading" && !this.#calling && this.#release === undefined) return;
    this.#stage = "discarding";
    if (this.#calling) return; // whoever called the hook goes on
    this.#pump();
    this.#release?.();
    this.#release = undefined;
  }

  #handle(event: WebSocketEvent): Promise<void> | undefined {
    if (this.#stage === "discarding" && event.type !== "close" && event.type !== "fail") return undefined;
    switch (event.type) {
      case "text":
        return this.#message(event.text);
      case "binary":
        return this.#message(event.bytes);
      case "ping":
        return this.#answerPing(event.bytes);
      case "pong":
        return this.#call(() => this.#listener.onPong?.(event.bytes));
      case "close":
        return this.#peerClosed(event.code, event.reason);
      case "fail":
        logSafely(this.#logger, "debug", undefined, `${this.#summary} failed: ${event.reason}`);
        return this.#fail(event.code, event.reason, new WebSocketError(event.reason, event.code));
    }
  }

  #message(message: Message): Promise<void> | undefined {
    if (messageChannel.hasSubscribers) messageChannel.publish({ connection: this, message });
    return this.#call(() => this.#listener.onMessage(message));
  }

  /** A peer that pings and does not read waits, or its pongs would fill our memory. */
  #answerPing(payload: Uint8Array): Promise<void> | undefined {
    const ready = !this.machine.canSend || this.send(this.machine.pong(payload));
    const waiting = this.#call(() => this.#listener.onPing?.(payload));
    if (ready || this.stream.closed) return waiting;
    const drained = this.whenDrained().catch(ignore);
    return waiting === undefined ? drained : waiting.then(() => drained);
  }

  /** RFC 6455 §7.1.1: the server closes the connection first; the client waits for that. */
  #peerClosed(code: number, reason: string): undefined {
    this.#stage = "ended";
    this.#closeCode ??= code;
    this.#closeReason ??= reason;
    if (code !== CLOSE_ABNORMAL && this.machine.canSend) this.send(this.machine.close());
    if (this.machine.role === "server" || code === CLOSE_ABNORMAL) this.stream.close();
    this.#expectEnd();
  }

  /** RFC 6455 §7.1.7: says why and closes. */
  #fail(code: number, reason: string, error: unknown): undefined {
    if (this.#stage === "closed" || this.stream.closed) return;
    this.#stage = "ended";
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
    if (this.#release === undefined) return this.stream.abort();
    this.#timer = this.#loop.callLater(this.#closeTimeoutMs, () => this.stream.abort());
    this.#discard();
  }

  /** Runs code of the application in its context. Gives a promise, which never rejects, only where there is to wait. */
  #call(run: () => unknown): Promise<void> | undefined {
    const outer = this.#calling;
    this.#calling = true;
    try {
      const waiting = this.#scope.runInAsyncScope(run);
      if (isPromiseLike(waiting)) return Promise.resolve(waiting).then(ignore, (error) => this.#threw(error));
    } catch (error) {
      this.#threw(error);
    } finally {
      this.#calling = outer;
    }
    return undefined;
  }

  #threw(error: unknown): void {
    // Somebody who awaits his writes to a peer that goes away is told so, and that is no news.
    if (error instanceof WebSocketClosedError && this.stream.closed)
      logSafely(this.#logger, "debug", { err: error }, `The peer went away ${this.#summary}`);
    else logSafely(this.#logger, "error", { err: error }, `Uncaught exception ${this.#summary}`);
    this.#fail(CLOSE_INTERNAL_ERROR, "", error);
  }

  protected override closedError(): WebSocketClosedError {
    const options = this.#error === undefined ? undefined : { cause: this.#error };
    return new WebSocketClosedError("The WebSocket is closed", this.#closeCode, options);
  }
}

function ignore(): void {}
