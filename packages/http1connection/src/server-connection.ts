// The server's side of one HTTP/1.1 connection: views from the stream go through the machine to one exchange after
// the other, RFC 9112 §9.3. A request is read only when the one before it has been answered, and the peer has taken
// that answer: requests cost a peer nothing, so their number may not decide how much memory its answers take.
//
//   stream ──onBytes──► machine ──events──► exchange ──► delegate (user code)
//   stream ◄──send───── machine ◄──heads─── exchange ◄── writeHeaders, write, finish
//
// How it ends is in lingering.ts, what peers may take their time for in write-watch.ts and body-pace.ts.

import { HTTP1Machine } from "@tw/http1";
import type { ConnectionContext, MaybePromise, TLSFacts } from "@tw/httputil";
import { type IOStream, SSLIOStream, type StreamReceiver } from "@tw/iostream";
import { Deferred, isPromiseLike } from "@tw/util";
import { serverChannels } from "./channels.js";
import type { Expirable } from "./deadlines.js";
import { Lingering } from "./lingering.js";
import { isInputError, refusal, requestTimeout, writeTimeout } from "./refusal.js";
import type { ServerContext } from "./server-context.js";
import { ServerExchange } from "./server-exchange.js";
import { WriteWatch } from "./write-watch.js";

/** What the connection waits for: bytes of the peer (`idle`, `head`, `body`), the delegate (`delegate` for more room,
 * `answer`, and `lastAnswer` when the peer has finished sending), the peer to take what was sent (`drain`), the peer to
 * close as we have (`lingering`). When it is `done` the stream is gone, or somebody else's. */
type Waiting =
  | "idle"
  | "head"
  | "body"
  | "delegate"
  | "answer"
  | "lastAnswer"
  | "drain"
  | "lingering"
  | "done";

/** How long the connection is to be used: as the peer likes; for what has been asked, and what may be on its way; or
 * for the present request. From `leaving` on answers announce `Connection: close`. */
type Prospect = "open" | "leaving" | "closing";

/** Serves requests on one stream until either side closes it. */
export class HTTP1ServerConnection implements StreamReceiver, Expirable, ConnectionContext {
  readonly stream: IOStream;
  readonly server: ServerContext;
  /** There from the first byte of a request until the connection is idle again: an idle one owns no parser. */
  #machine: HTTP1Machine | undefined;
  #exchange: ServerExchange | undefined;
  #waiting: Waiting = "head";
  #prospect: Prospect = "open";
  #pumping = false;
  #requests = 0;
  /** There while the peer has more to take than should be queued. */
  #drained: Deferred | undefined;
  /** There when the peer was found not to take what it is sent. */
  #watch: WriteWatch | undefined;
  /** There from our end on. */
  #lingering: Lingering | undefined;
  deadline = 0;
  /** Whether requests are answered with 503, without asking the delegate. */
  refusing = false;

  constructor(stream: IOStream, server: ServerContext) {
    this.stream = stream;
    this.server = server;
  }

  /** Takes the stream over. Where the server drains, it may ask once, soon. */
  start(): void {
    const { server } = this;
    server.deadlines.add(this);
    server.tally.served++;
    this.#expect("head", server.headTicks);
    if (server.draining.aborted) this.drain();
    this.stream.attach(this);
  }

  /** Whether an answer says that the connection closes behind it. */
  get closing(): boolean {
    return this.#prospect !== "open";
  }

  /** Whether our side has ended: everything asked is answered, and the peer is only listened to. */
  get lingering(): boolean {
    return this.#lingering !== undefined;
  }

  /** Closes when the present request is answered, at once when there is none. */
  close(): void {
    this.#prospect = "closing";
    if (this.#isQuiet()) this.#closeNow(false);
  }

  /**
   * Takes leave of the peer: the next answer announces `Connection: close`. Who has just been answered, or has not asked
   * yet, may ask within a second; who was silent for longer is closed now.
   */
  drain(): void {
    const { deadlines, idleTicks, graceTicks } = this.server;
    if (this.#prospect === "open") this.#prospect = "leaving";
    if (!this.#isQuiet()) return;
    const silent = this.#waiting === "idle" && idleTicks > 0 ? deadlines.tick + idleTicks - this.deadline : 0;
    if (silent >= graceTicks) this.#closeNow(false);
    else this.deadline = deadlines.tick + graceTicks;
  }

  /** The server has no room for it: it gets 503 for what it asks, and may ask once, soon. */
  refuse(): void {
    this.refusing = true;
    this.drain();
  }

  /** Nothing has been asked that was not answered, and nothing has begun to be. */
  #isQuiet(): boolean {
    return this.#machine === undefined && (this.#waiting === "idle" || this.#waiting === "head");
  }

  get remoteIp(): string {
    return this.stream.info.remoteAddress;
  }

  get remotePort(): number {
    return this.stream.info.remotePort;
  }

  get protocol(): "http" | "https" {
    return this.stream.info.encrypted ? "https" : "http";
  }

  get tls(): TLSFacts | undefined {
    return this.stream instanceof SSLIOStream ? this.stream : undefined;
  }

  get draining(): AbortSignal {
    return this.server.draining;
  }

  // ── From the stream ──────────────────────────────────────────────────────────────────────────────────────────────

  onBytes(view: Uint8Array): MaybePromise {
    if (this.#lingering !== undefined) {
      this.deadline = this.#lingering.dropped(view.length, this.deadline);
      return;
    }
    this.#machine ??= new HTTP1Machine("server", this.server.machine);
    this.#machine.receive(view);
    return this.#pump();
  }

  onEnd(): void {
    if (this.#waiting === "lingering" || this.#waiting === "done") return;
    if (this.#prospect === "open") this.#prospect = "leaving";
    if (this.#machine === undefined) return this.#closeNow(false);
    this.#machine.receiveEnd();
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.received) {
      this.#pumpOn();
      if (this.#exchange === undefined) return this.#closeNow(false);
      return this.stream.abort();
    }
    // The request is whole and its answer pending: whoever waits for news of the peer hears of it, and may still answer.
    this.#expect("lastAnswer", this.server.idleTicks);
    exchange.runInAsyncScope(exchange.peerGone, exchange, undefined, false);
  }

  onDrain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    this.#watch = undefined;
    drained?.resolve();
    if (this.#waiting === "drain") this.server.scope.runInAsyncScope(this.#pumpOn, this);
    // Half-closed, but it takes what it is sent.
    else if (this.#waiting === "lastAnswer") this.#expect("lastAnswer", this.server.idleTicks);
    else if (this.#lingering !== undefined) this.deadline = this.#lingering.sent();
  }

  onClose(error?: unknown): void {
    this.server.deadlines.delete(this);
    this.#waiting = "done";
    this.onDrain();
    const exchange = this.#takeExchange();
    exchange?.runInAsyncScope(exchange.peerGone, exchange, error, true);
    this.server.tell("onClose", () => this.server.delegate.onClose?.(this));
  }

  /** A deadline has passed. */
  onExpired(): void {
    switch (this.#waiting) {
      case "idle":
        return this.#closeNow(false);
      case "head":
      case "body":
        return this.#machine === undefined ? this.#closeNow(false) : this.#refuse(408, requestTimeout());
      case "lingering":
        this.deadline = this.#lingering?.look() ?? 0;
        if (this.deadline === 0) this.stream.abort();
        return;
      case "lastAnswer":
        if (!this.stream.writing) return this.stream.abort();
        break;
    }
    this.#lookAtPeer();
  }

  /** Time and again while the delegate is at work: does the peer take what is queued for it? */
  #lookAtPeer(): void {
    const { deadlines, lookTicks, pace } = this.server;
    if (!this.stream.writing) this.#watch = undefined;
    else {
      this.#watch ??= new WriteWatch();
      if (!this.#watch.look(this.stream, pace)) return this.stream.abort(writeTimeout(this.stream));
    }
    this.deadline = lookTicks === 0 ? 0 : deadlines.tick + lookTicks;
  }

  // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Moves events from the machine to the exchange until it needs more bytes, or must wait. */
  #pump(): MaybePromise {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#lingering === undefined && this.#waiting !== "done") {
        const known = this.#exchange;
        // RFC 9112 §9.3.2 (1): a request is read when the one before it has been answered.
        if (known === undefined ? this.#drained !== undefined : known.received) break;
        const exchange = known ?? this.#nextRequest();
        if (exchange === undefined) break;
        const waiting = exchange.runInAsyncScope(
          known === undefined ? exchange.begin : exchange.feed,
          exchange,
        );
        if (isPromiseLike(waiting)) {
          if (this.#exchange === exchange) this.#hold(exchange);
          return waiting;
        }
        if (this.#exchange === exchange) break;
      }
      this.#rest();
    } catch (error) {
      if (!isInputError(error)) throw error;
      this.#refuse(error.status, error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Pumps although no bytes came: where that must wait nothing may come either, and nobody else hears of a failure. */
  #pumpOn(): void {
    try {
      const waiting = this.#pump();
      if (!isPromiseLike(waiting)) return;
      this.stream.pause();
      waiting.then(undefined, (error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.server.report(error, "Uncaught exception in an HTTP connection");
    this.stream.abort(error);
  }

  #nextRequest(): ServerExchange | undefined {
    const machine = this.#machine;
    const event = machine?.next();
    if (machine === undefined || event?.type !== "request") return undefined;
    if (++this.#requests >= this.server.maxRequestsPerConnection && this.#prospect === "open")
      this.#prospect = "leaving";
    this.server.inFlight++;
    this.#exchange = new ServerExchange(this, machine, event);
    return this.#exchange;
  }

  /** The request is not worked on any more. */
  #takeExchange(): ServerExchange | undefined {
    const exchange = this.#exchange;
    if (exchange === undefined) return undefined;
    this.#exchange = undefined;
    this.server.inFlight--;
    return exchange;
  }

  /** The delegate takes no more just now. */
  #hold(exchange: ServerExchange): void {
    exchange.pace?.hold();
    this.#expectOnce("delegate", this.server.lookTicks);
  }

  /** The delegate's promise has settled: goes on with the bytes that were held back, outside that request's context. */
  feedOn(exchange: ServerExchange): MaybePromise {
    if (this.#exchange === exchange) return this.server.scope.runInAsyncScope(this.#pump, this);
  }

  /** Nothing more can be done with what is there: keeps the rest, sets the deadline of what is awaited, and lets the
   * peer send on, unless more than one request came already: what follows waits in the kernel. */
  #rest(): void {
    if (this.#lingering !== undefined || this.#waiting === "done") return;
    const exchange = this.#exchange;
    const machine = this.#machine;
    const surplus = machine !== undefined && machine.buffered > 0;
    if (surplus) machine.retain();
    if (exchange === undefined) this.#restBetweenRequests(machine !== undefined);
    else if (!exchange.received) this.#expectBody(exchange);
    else if (this.#waiting !== "lastAnswer") this.#expectOnce("answer", this.server.lookTicks);
    if (surplus && (this.#waiting === "answer" || this.#waiting === "drain")) this.stream.pause();
    else this.stream.resume();
  }

  #restBetweenRequests(begun: boolean): void {
    const { server } = this;
    if (this.#drained !== undefined) this.#expectOnce("drain", server.lookTicks);
    else if (begun) this.#expectOnce("head", server.headTicks);
    else if (this.#prospect === "open") this.#expect("idle", server.idleTicks);
    else if (this.#prospect === "leaving") this.#expect("idle", server.graceTicks);
    else this.#closeNow(false);
  }

  #expectBody(exchange: ServerExchange): void {
    this.#waiting = "body";
    this.deadline = exchange.bodyDeadline();
  }

  // ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when the peer has taken what was sent. */
  drained(): Promise<void> {
    this.#drained ??= new Deferred();
    return this.#drained.promise;
  }

  /** Called by the exchange when its answer is complete. */
  answered(exchange: ServerExchange): void {
    if (this.#exchange !== exchange) return;
    this.#takeExchange();
    const machine = this.#machine as HTTP1Machine;
    // A head that went out before we took leave promised to keep the connection: what came behind is answered.
    // RFC 9112 §9.3 (3), RFC 9112 §9.6 (2), (3), (4), (5): half a request, or a close on either side, ends it here.
    if (!exchange.received || !machine.keepAlive) return this.#closeNow(!exchange.received);
    machine.startNextCycle();
    this.#waiting = "answer";
    this.deadline = 0;
    if (machine.buffered === 0) this.#machine = undefined;
    if (this.#pumping) return;
    // The handler answered later than its turn; requests that came meanwhile are next, outside its async context.
    this.server.scope.runInAsyncScope(this.#pumpOn, this);
  }

  /** Gives the stream away after a 101: what came behind the request is read first by its next owner. */
  handOver(): IOStream {
    const rest = (this.#machine as HTTP1Machine).takeRest();
    this.#machine = undefined;
    this.server.deadlines.delete(this);
    this.server.tally.upgraded++;
    this.#waiting = "done";
    this.#takeExchange();
    this.stream.detach(rest);
    return this.stream;
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers a peer that broke the protocol, where no answer has begun. */
  #refuse(status: number, error: unknown): void {
    const exchange = this.#takeExchange();
    if (exchange === undefined) this.#publishRefusal(status, error);
    else {
      const { answering } = exchange;
      exchange.runInAsyncScope(exchange.peerGone, exchange, error, true, answering ? 0 : status);
      if (answering) return this.stream.abort(error);
    }
    try {
      this.stream.send(refusal(status, this.server.date.value));
      this.#closeNow(true);
    } catch (error) {
      this.stream.abort(error);
    }
  }

  /** There was no request that could say so. */
  #publishRefusal(status: number, error: unknown): void {
    const { requestError } = serverChannels;
    if (requestError.hasSubscribers) {
      const time = this.server.loop.time();
      requestError.publish({ connection: undefined, time, context: this, error, status });
    }
    this.server.tellRefused({ context: this, status, error });
  }

  /** Sends what is queued, as long as the peer takes it, and then our end; and listens until the peer's. */
  #closeNow(unread: boolean): void {
    if (this.#lingering !== undefined || this.#waiting === "done") return;
    if (this.#isQuiet()) this.server.tally.idle++;
    this.#waiting = "lingering";
    this.#machine = undefined;
    this.#lingering = new Lingering(this.server, this.stream, unread);
    this.deadline = this.#lingering.quietTick;
  }

  #expect(waiting: Waiting, ticks: number): void {
    this.#waiting = waiting;
    this.deadline = ticks === 0 ? 0 : this.server.deadlines.tick + ticks;
  }

  /** A drip of bytes does not put the deadline off. */
  #expectOnce(waiting: Waiting, ticks: number): void {
    if (this.#waiting !== waiting || this.deadline === 0) this.#expect(waiting, ticks);
  }
}
