// The server's side of one HTTP/1.1 connection: views from the stream go through the machine to one exchange after
// the other, RFC 9112 §9.3. A request is read only when the one before it has been answered, and the peer has taken
// that answer: requests cost a peer nothing, so their number may not decide how much memory its answers take.
//
//   stream ──onBytes──► machine ──events──► exchange ──► delegate (user code)
//   stream ◄──send───── machine ◄──heads─── exchange ◄── writeHeaders, write, finish

import { HTTP1Machine } from "@tw/http1";
import type { ConnectionContext, MaybePromise } from "@tw/httputil";
import type { IOStream, StreamReceiver } from "@tw/iostream";
import { Deferred, isPromiseLike } from "@tw/util";
import { serverChannels } from "./channels.js";
import type { Expirable } from "./deadlines.js";
import { LINGER_MS, type ServerContext } from "./options.js";
import { isInputError, refusal } from "./refusal.js";
import { ServerExchange } from "./server-exchange.js";

/** What the connection waits for: bytes of the peer (`idle`, `head`, `body`), the delegate (`delegate` for more room,
 * `answer`), the peer to take what was sent (`drain`). When it is `done` it has closed the stream or given it away. */
type Waiting = "idle" | "head" | "body" | "delegate" | "answer" | "drain" | "done";

/** Serves requests on one stream until either side closes it. */
export class HTTP1ServerConnection implements StreamReceiver, Expirable, ConnectionContext {
  readonly stream: IOStream;
  readonly server: ServerContext;
  /** There from the first byte of a request until the connection is idle again: an idle one owns no parser. */
  #machine: HTTP1Machine | undefined;
  #exchange: ServerExchange | undefined;
  #waiting: Waiting = "head";
  #pumping = false;
  /** There while the peer has more to take than should be queued. */
  #drained: Deferred | undefined;
  deadline = 0;
  /** Announces `Connection: close` with the next answer and closes behind it. */
  closing = false;

  constructor(stream: IOStream, server: ServerContext) {
    this.stream = stream;
    this.server = server;
  }

  /** Takes the stream over. */
  start(): void {
    this.server.deadlines.add(this);
    this.#expect("head", this.server.headTimeoutMs);
    this.stream.attach(this);
  }

  /** Closes when the present request is answered, at once when there is none. */
  close(): void {
    this.closing = true;
    if (this.#exchange === undefined) this.#closeNow();
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

  // ── From the stream ──────────────────────────────────────────────────────────────────────────────────────────────

  onBytes(view: Uint8Array): MaybePromise {
    if (this.#waiting === "done") return;
    this.#machine ??= new HTTP1Machine("server", this.server.machine);
    this.#machine.receive(view);
    return this.#pump();
  }

  onEnd(): void {
    if (this.#waiting === "done") return;
    this.closing = true;
    if (this.#machine === undefined) return this.#closeNow();
    this.#machine.receiveEnd();
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.received) {
      this.#pumpOn();
      if (this.#exchange === undefined) return this.#closeNow();
      return this.stream.abort();
    }
    // The request is whole and its answer pending: whoever waits for news of the peer hears of it, and may still answer.
    this.#expect("answer", this.server.idleTimeoutMs);
    exchange.runInAsyncScope(exchange.peerGone, exchange, undefined, false);
  }

  onDrain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.resolve();
    if (this.#waiting === "drain") this.server.scope.runInAsyncScope(this.#pumpOn, this);
    // Half-closed, but it takes what it is sent.
    else if (this.#waiting === "answer" && this.deadline !== 0)
      this.#expect("answer", this.server.idleTimeoutMs);
  }

  onClose(error?: unknown): void {
    this.server.deadlines.delete(this);
    this.#waiting = "done";
    this.onDrain();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.runInAsyncScope(exchange.peerGone, exchange, error, true);
    this.server.tell("onClose", () => this.server.delegate.onClose?.(this));
  }

  /** A deadline has passed. */
  onExpired(): void {
    if (this.#waiting === "answer") this.stream.abort();
    else if (this.#waiting === "idle" || this.#waiting === "drain" || this.#machine === undefined)
      this.#closeNow();
    else this.#refuse(408);
  }

  // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Moves events from the machine to the exchange until it needs more bytes, or must wait. */
  #pump(): MaybePromise {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#waiting !== "done") {
        const known = this.#exchange;
        if (known === undefined ? this.#drained !== undefined : known.received) break;
        const exchange = known ?? this.#nextRequest();
        if (exchange === undefined) break;
        const waiting = exchange.runInAsyncScope(
          known === undefined ? exchange.begin : exchange.feed,
          exchange,
        );
        if (isPromiseLike(waiting)) {
          if (this.#exchange === exchange) this.#expect("delegate", 0);
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
    this.#exchange = new ServerExchange(this, machine, event);
    return this.#exchange;
  }

  /** The delegate's promise has settled: goes on with the bytes that were held back, outside that request's context. */
  feedOn(exchange: ServerExchange): MaybePromise {
    if (this.#exchange === exchange) return this.server.scope.runInAsyncScope(this.#pump, this);
  }

  /** Nothing more can be done with what is there: keeps the rest, sets the deadline of what is awaited, and lets the
   * peer send on, unless more than one request came already: what follows waits in the kernel. */
  #rest(): void {
    if (this.#waiting === "done") return;
    const exchange = this.#exchange;
    const surplus = this.#machine !== undefined && this.#machine.buffered > 0;
    if (surplus) this.#machine?.retain();
    if (this.#machine === undefined) this.#expect("idle", this.server.idleTimeoutMs);
    else if (exchange?.received) this.#expect("answer", 0);
    else if (exchange !== undefined) this.#expect("body", this.server.bodyTimeoutMs);
    else if (this.#drained !== undefined) this.#expectOnce("drain", this.server.idleTimeoutMs);
    else this.#expectOnce("head", this.server.headTimeoutMs);
    if (surplus && (this.#waiting === "answer" || this.#waiting === "drain")) this.stream.pause();
    else this.stream.resume();
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
    this.#exchange = undefined;
    const machine = this.#machine as HTTP1Machine;
    if (this.closing || !exchange.received || !machine.keepAlive) return this.#closeNow();
    machine.startNextCycle();
    this.#waiting = "answer";
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
    this.#waiting = "done";
    this.#exchange = undefined;
    this.stream.detach(rest);
    return this.stream;
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers a peer that broke the protocol, where no answer has begun. */
  #refuse(status: number, error?: unknown): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange === undefined) this.#publishRefusal(status, error);
    else {
      const { answering } = exchange;
      exchange.runInAsyncScope(exchange.peerGone, exchange, error, true, answering ? 0 : status);
      if (answering) return this.stream.abort();
    }
    try {
      this.stream.send(refusal(status, this.server.date.value));
      this.#closeNow();
    } catch (error) {
      this.stream.abort(error);
    }
  }

  /** There was no request that could say so. */
  #publishRefusal(status: number, error: unknown): void {
    const { requestError } = serverChannels;
    if (!requestError.hasSubscribers) return;
    const time = this.server.loop.time();
    requestError.publish({ connection: undefined, time, context: this, error, status });
  }

  /** The stream sends what is queued as long as the peer takes it, and then still listens for a moment: closing with
   * unread bytes would reset the connection and could take the answer with it. */
  #closeNow(): void {
    if (this.#waiting === "done") return;
    this.#expect("done", 0);
    this.stream.close(this.stream.bufferedAmount === 0 ? NOTHING_QUEUED : undefined);
  }

  #expect(waiting: Waiting, timeoutMs: number): void {
    this.#waiting = waiting;
    this.deadline = timeoutMs === 0 ? 0 : this.server.deadlines.after(timeoutMs);
  }

  /** A drip of bytes does not put the deadline off. */
  #expectOnce(waiting: Waiting, timeoutMs: number): void {
    if (this.#waiting !== waiting || this.deadline === 0) this.#expect(waiting, timeoutMs);
  }
}

const NOTHING_QUEUED = { graceMs: LINGER_MS };
