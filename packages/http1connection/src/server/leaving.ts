// How a server's connection ends, unless its peer does it: it is closed or drained, its peer is too slow or breaks the
// protocol, or what was asked last has been answered. What becomes of the bytes that still come is in ../lingering.ts,
// what peers may take their time for in ../write-watch.ts and ../body-pace.ts.

import { serverChannels } from "../channels.js";
import { Lingering } from "../lingering.js";
import { refusal, requestTimeout, writeTimeout } from "../refusal.js";
import type { ServerExchange } from "../server-exchange.js";
import { WriteWatch } from "../write-watch.js";
import { WaitingConnection } from "./waiting.js";

/** Requests that a peer may have asked behind the one that is being answered, and that are answered when we take leave. */
const PIPELINED_ANSWERS = 100;

/** Takes leave of the peer. */
export abstract class LeavingConnection extends WaitingConnection {
  /** There when the peer was found not to take what it is sent. */
  protected watch: WriteWatch | undefined = undefined;

  /** Closes when the present request is answered, at once when there is none. */
  close(): void {
    this.prospect = "closing";
    this.closeAnswered();
  }

  /**
   * Takes leave of the peer: the answer to the last request that was received announces `Connection: close`. Who has just
   * been answered, or has not asked yet, may ask within the server's grace; who was certainly silent for longer, going by
   * the ticks of its deadline, is closed now.
   */
  drain(): void {
    const { deadlines, idleTicks, grace } = this.server;
    if (this.prospect === "open") this.prospect = "leaving";
    this.requestsLeft = Math.min(this.requestsLeft, PIPELINED_ANSWERS);
    if (!this.isQuiet()) return;
    const silent = this.waiting === "idle" && idleTicks > 0 ? deadlines.tick + idleTicks - this.deadline : 0;
    if (silent > 0 && silent >= deadlines.ticksAgo(grace.ms)) this.closeNow(false);
    else grace.give(this);
  }

  /** It might have asked once more. */
  onGraceOver(): void {
    this.closeAnswered();
  }

  /** Whatever was asked has its answer: the rest of that is not waited for. */
  private closeAnswered(): void {
    if (this.dropping !== undefined) this.closeNow(true);
    else if (this.isQuiet()) this.closeNow(false);
  }

  /** A deadline has passed. */
  onExpired(): void {
    switch (this.waiting) {
      case "idle":
        return this.closeNow(false);
      case "head":
      case "body":
        return this.isQuiet() ? this.closeNow(false) : this.refuseWith(408, requestTimeout());
      case "dropping":
        return this.closeNow(true);
      case "lingering":
        this.deadline = this.parting?.look() ?? 0;
        if (this.deadline === 0) this.stream.abort();
        return;
      case "lastAnswer":
        if (!this.stream.writing) return this.stream.abort();
        break;
    }
    this.lookAtPeer();
  }

  /** Time and again while the delegate is at work: does the peer take what is queued for it? */
  private lookAtPeer(): void {
    const { deadlines, lookTicks, pace } = this.server;
    if (!this.stream.writing) this.watch = undefined;
    else {
      this.watch ??= new WriteWatch();
      if (!this.watch.look(this.stream, pace)) return this.stream.abort(writeTimeout(this.stream));
    }
    this.deadline = lookTicks === 0 ? 0 : deadlines.tick + lookTicks;
  }

  /** Answers a peer that broke the protocol, where no answer has begun. */
  protected refuseWith(status: number, error: unknown): void {
    const exchange = this.takeExchange();
    const toHead = exchange?.isHead === true;
    if (exchange === undefined) this.publishRefusal(status, error);
    else {
      const { answering } = exchange;
      exchange.runInAsyncScope(exchange.peerGone, exchange, error, true, answering ? 0 : status);
      if (answering) return this.stream.abort(error);
    }
    try {
      this.stream.send(refusal(status, this.server.date.value, toHead));
      this.closeNow(true);
    } catch (error) {
      this.stream.abort(error);
    }
  }

  /** There was no request that could say so. */
  private publishRefusal(status: number, error: unknown): void {
    const { requestError } = serverChannels;
    if (requestError.hasSubscribers) {
      const time = this.server.loop.time();
      requestError.publish({ connection: undefined, time, context: this, error, status });
    }
    this.server.tellRefused({ context: this, status, error });
  }

  /** The request is not worked on any more. */
  protected takeExchange(): ServerExchange | undefined {
    const exchange = this.exchange;
    if (exchange === undefined) return undefined;
    this.exchange = undefined;
    this.server.inFlight--;
    return exchange;
  }

  /** Sends what is queued, as long as the peer takes it, and then our end; and listens until the peer's. */
  protected closeNow(unread: boolean): void {
    if (this.parting !== undefined || this.waiting === "done") return;
    if (this.isQuiet()) this.server.tally.idle++;
    this.waiting = "lingering";
    this.machine = undefined;
    this.dropping = undefined;
    this.parting = new Lingering(this.server, this.stream, unread);
    this.deadline = this.parting.quietTick;
  }
}
