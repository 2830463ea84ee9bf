// The way into a WebSocket: bytes become messages, which are delivered one at a time: while the listener's promise is
// pending the bytes behind it stay where they are, and the peer's window closes. The way out is in sending.ts, how a
// connection begins and ends in connection.ts.
//
//   waiting ──► opening ──► reading ──────► ended ──► closed   waiting: nobody knows of it; a client's is read next
//                  └───────────┴─► discarding ┘                opening: the hook of that name is pending
//                                                              discarding: closed from a hook, only the answer is read
//                                                              ended: a Close frame or failure came, nothing is read

import { AsyncResource } from "node:async_hooks";
import type { MaybePromise, UpgradedStream } from "@tw/httputil";
import { isPromiseLike, type Logger, logSafely } from "@tw/util";
import {
  CLOSE_INTERNAL_ERROR,
  WebSocketClosedError,
  WebSocketError,
  type WebSocketEvent,
  type WebSocketMachine,
} from "@tw/wsproto";
import { messageChannel } from "./channels.js";
import type { WebSocketConnection } from "./connection.js";
import type { Message } from "./message.js";
import type { WebSocketListener } from "./options.js";
import { SendingHalf } from "./sending.js";

type Stage = "waiting" | "opening" | "reading" | "discarding" | "ended" | "closed";

/** Who hears of what comes in, and where what fails there is told. */
export interface Audience {
  readonly listener: WebSocketListener;
  readonly logger: Logger;
  /** Names the connection in the log. */
  readonly summary: string;
}

/** The half of a connection that receives. The listener runs in the async context that this was made in. */
export abstract class ReceivingHalf extends SendingHalf {
  protected readonly listener: WebSocketListener;
  protected stage: Stage = "waiting";
  /** There while nothing is delivered yet. */
  protected opened: Promise<void> | undefined = undefined;
  /** Lets go the bytes that are held back while a hook is pending. */
  protected release: (() => void) | undefined = undefined;
  private readonly logger: Logger;
  private readonly summary: string;
  private readonly scope = new AsyncResource("TWWebSocket", { requireManualDestroy: true });
  /** Whether a hook of the listener is on the stack. */
  private calling = false;

  constructor(
    stream: UpgradedStream,
    machine: WebSocketMachine,
    maxBufferedAmount: number,
    { listener, logger, summary }: Audience,
  ) {
    super(stream, machine, maxBufferedAmount);
    this.listener = listener;
    this.logger = logger;
    this.summary = summary;
  }

  /** The peer's Close frame, or that it is gone without one. */
  protected abstract peerClosed(code: number, reason: string): void;

  /** What came, or what the listener did with it, cannot be gone on from. */
  protected abstract fail(code: number, reason: string, error: unknown): void;

  /** Whether nothing may be delivered yet. */
  private get early(): boolean {
    return this.stage === "waiting" || this.stage === "opening";
  }

  /** What may be delivered is, from now on. */
  protected begin(): void {
    this.opened = undefined;
    if (this.early) this.stage = "reading";
  }

  onBytes(view: Uint8Array): MaybePromise {
    this.machine.receive(view);
    const waiting = this.early ? this.opened : this.pump();
    if (waiting !== undefined) return this.hold(waiting);
  }

  onEnd(): void {
    this.machine.receiveEnd();
    if (this.stage === "ended") this.stream.close();
    else if (this.early) this.opened?.then(() => this.pump());
    else this.pump();
  }

  /** Delivers what the machine has, up to an event that makes us wait. */
  private pump(): Promise<void> | undefined {
    while (this.stage === "reading" || this.stage === "discarding") {
      const event = this.machine.next();
      if (event === undefined) return undefined;
      const waiting = this.handle(event);
      if (waiting !== undefined && this.stage === "reading") return waiting;
    }
    return undefined;
  }

  /** Leaves what comes behind in the network until the application is done with what it has, or {@link discard}. */
  private hold(waiting: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        try {
          const next = this.pump();
          if (next !== undefined) return void next.then(goOn, reject);
          this.release = undefined;
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      this.release = resolve;
      waiting.then(goOn, reject);
    });
  }

  /**
   * A hook closes, or is pending while somebody closes: it may wait for the peer's answer, which comes behind what is held
   * back for it. That is read, and dropped: to keep it would take memory without a limit.
   */
  protected discard(): void {
    if (this.stage !== "opening" && this.stage !== "reading") return;
    if (this.stage === "reading" && !this.calling && this.release === undefined) return;
    this.stage = "discarding";
    if (this.calling) return; // whoever called the hook goes on
    this.pump();
    this.release?.();
    this.release = undefined;
  }

  private handle(event: WebSocketEvent): Promise<void> | undefined {
    if (this.stage === "discarding" && event.type !== "close" && event.type !== "fail") return undefined;
    switch (event.type) {
      case "text":
        return this.deliver(event.text);
      case "binary":
        return this.deliver(event.bytes);
      case "ping":
        return this.answerPing(event.bytes);
      case "pong":
        return this.call(() => this.listener.onPong?.(event.bytes));
      case "close":
        return void this.peerClosed(event.code, event.reason);
      case "fail":
        logSafely(this.logger, "debug", undefined, `${this.summary} failed: ${event.reason}`);
        return void this.fail(event.code, event.reason, new WebSocketError(event.reason, event.code));
    }
  }

  private deliver(message: Message): Promise<void> | undefined {
    if (messageChannel.hasSubscribers)
      messageChannel.publish({ connection: this as unknown as WebSocketConnection, message });
    return this.call(() => this.listener.onMessage(message));
  }

  /** A peer that pings and does not read waits, or its pongs would fill our memory. */
  private answerPing(payload: Uint8Array): Promise<void> | undefined {
    const ready = !this.machine.canSend || this.send(this.machine.pong(payload));
    const waiting = this.call(() => this.listener.onPing?.(payload));
    if (ready || this.stream.closed) return waiting;
    const drained = this.whenDrained().catch(ignore);
    return waiting === undefined ? drained : waiting.then(() => drained);
  }

  /** Runs code of the application in its context. Gives a promise, which never rejects, only where there is to wait. */
  protected call(run: () => unknown): Promise<void> | undefined {
    const outer = this.calling;
    this.calling = true;
    try {
      const waiting = this.scope.runInAsyncScope(run);
      if (isPromiseLike(waiting)) return Promise.resolve(waiting).then(ignore, (error) => this.threw(error));
    } catch (error) {
      this.threw(error);
    } finally {
      this.calling = outer;
    }
    return undefined;
  }

  private threw(error: unknown): void {
    // Somebody who awaits his writes to a peer that goes away is told so, and that is no news.
    if (error instanceof WebSocketClosedError && this.stream.closed)
      logSafely(this.logger, "debug", { err: error }, `The peer went away ${this.summary}`);
    else logSafely(this.logger, "error", { err: error }, `Uncaught exception ${this.summary}`);
    this.fail(CLOSE_INTERNAL_ERROR, "", error);
  }
}

function ignore(): void {}
