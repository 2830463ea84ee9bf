// The server's side of one HTTP/1.1 connection: views from the stream go through the machine to one exchange after
// the other, RFC 9112 §9.3. A request is read only when the one before it has been answered.
//
//   stream ──onBytes──► machine ──events──► exchange ──► delegate (user code)
//   stream ◄──send───── machine ◄──heads─── exchange ◄── writeHeaders, write, finish

import { HTTP1Machine } from "@tw/http1";
import { type ConnectionContext, type HTTPInputError, type MaybePromise, reasonPhrase } from "@tw/httputil";
import type { IOStream, StreamReceiver } from "@tw/iostream";
import { Deferred, isPromiseLike, isTwError } from "@tw/util";
import type { Expirable } from "./deadlines.js";
import { LINGER_BYTES, LINGER_MS, type ServerContext } from "./options.js";
import { ServerExchange } from "./server-exchange.js";

/** What the connection waits for. While it lingers it only listens so that the peer sees our last answer; when it is
 * done it has closed the stream or given it away. */
type Waiting = "idle" | "head" | "body" | "answer" | "linger" | "done";

/** Serves requests on one stream until either side closes it. */
export class HTTP1ServerConnection implements StreamReceiver, Expirable, ConnectionContext {
  readonly stream: IOStream;
  readonly server: ServerContext;
  /** There from the first byte of a request until the connection is idle again: an idle one owns no parser. */
  #machine: HTTP1Machine | undefined;
  #exchange: ServerExchange | undefined;
  #waiting: Waiting = "head";
  #pumping = false;
  #drained: Deferred | undefined;
  #lingered = 0;
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
    if (this.#exchange === undefined && this.#waiting !== "linger") this.#closeNow();
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
    if (this.#waiting === "linger" || this.#waiting === "done") return this.#discard(view.length);
    this.#machine ??= new HTTP1Machine("server", this.server.machine);
    this.#machine.receive(view);
    return this.#pump();
  }

  onEnd(): void {
    if (this.#waiting === "linger" || this.#waiting === "done") return;
    this.closing = true;
    if (this.#machine === undefined) return this.#closeNow();
    this.#machine.receiveEnd();
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.received) {
      this.#pump();
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
  }

  onClose(error?: unknown): void {
    this.server.deadlines.delete(this);
    this.onDrain();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.runInAsyncScope(exchange.peerGone, exchange, error, true);
    this.server.delegate.onClose?.(this);
  }

  /** A deadline has passed. */
  onExpired(): void {
    if (this.#waiting === "idle") this.#closeNow();
    else if (this.#waiting === "linger" || this.#waiting === "answer" || this.#waiting === "done")
      this.stream.abort();
    else if (this.#machine === undefined) this.#closeNow();
    else this.#refuse(408);
  }

  // ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Moves events from the machine to the exchange until it needs more bytes, or must wait. */
  #pump(): MaybePromise {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#waiting !== "linger" && this.#waiting !== "done") {
        const known = this.#exchange;
        if (known?.received) break;
        const exchange = known ?? this.#nextRequest();
        if (exchange === undefined) break;
        const waiting = exchange.runInAsyncScope(
          known === undefined ? exchange.begin : exchange.feed,
          exchange,
        );
        if (isPromiseLike(waiting)) return waiting;
        if (this.#exchange === exchange) break;
      }
      this.#rest();
    } catch (error) {
      if (!isInputError(error)) throw error;
      this.#refuse(error.status);
    } finally {
      this.#pumping = false;
    }
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

  /** Nothing more can be done with what is there: keeps the rest and sets the deadline of what is awaited. */
  #rest(): void {
    const machine = this.#machine;
    const exchange = this.#exchange;
    if (this.#waiting === "linger" || this.#waiting === "done") return;
    if (machine === undefined) return this.#expect("idle", this.server.idleTimeoutMs);
    if (machine.buffered > 0) machine.retain();
    if (exchange === undefined) this.#expectOnce("head", this.server.headTimeoutMs);
    else if (!exchange.received) this.#expect("body", this.server.bodyTimeoutMs);
    else {
      this.#expect("answer", 0);
      // Pipelined requests wait in the kernel: what came with this one is kept, more is not read.
      if (machine.buffered > 0) this.stream.pause();
    }
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
    if (!exchange.received) return this.#linger();
    const machine = this.#machine as HTTP1Machine;
    if (this.closing || !machine.keepAlive) return this.#closeNow();
    machine.startNextCycle();
    this.#waiting = "answer";
    if (machine.buffered === 0) this.#machine = undefined;
    if (this.#pumping) return;
    if (this.#machine === undefined) return this.#expect("idle", this.server.idleTimeoutMs);
    this.server.scope.runInAsyncScope(this.#nextPipelined, this);
  }

  /** The handler answered later than its turn; requests that came meanwhile are next, outside its async context. */
  #nextPipelined(): void {
    const waiting = this.#pump();
    if (isPromiseLike(waiting)) {
      this.stream.pause();
      waiting.then(() => this.stream.resume());
    } else if (this.#exchange === undefined || this.#machine?.buffered === 0) this.stream.resume();
  }

  /** Gives the stream away after a 101: what came behind the request is read first by its next owner. */
  handOver(): IOStream {
    const rest = (this.#machine as HTTP1Machine).takeRest();
    this.#machine = undefined;
    this.server.deadlines.delete(this);
    this.#waiting = "done";
    this.#exchange = undefined;
    this.stream.detach(rest);
    this.stream.resume();
    return this.stream;
  }

  // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Answers a peer that broke the protocol, where no answer has begun, and listens on for a moment: closing with
   * unread bytes would reset the connection and could take the answer with it. */
  #refuse(status: number): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (exchange?.answering) return this.stream.abort();
    exchange?.runInAsyncScope(exchange.peerGone, exchange, undefined, true);
    const reason = reasonPhrase(status);
    this.stream.send(
      `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\nDate: ${this.server.date.value}\r\n\r\n`,
    );
    this.#linger();
  }

  #linger(): void {
    this.stream.end();
    this.#expect("linger", LINGER_MS);
    this.stream.resume();
  }

  #discard(length: number): void {
    this.#lingered += length;
    if (this.#lingered > LINGER_BYTES) this.stream.abort();
  }

  #closeNow(): void {
    this.#expect("done", LINGER_MS);
    this.stream.close();
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

/** By brand and shape: another copy of @tw/httputil may have made it. */
function isInputError(error: unknown): error is HTTPInputError {
  return isTwError(error) && typeof (error as Partial<HTTPInputError>).status === "number";
}
