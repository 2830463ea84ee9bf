// The server's side of one HTTP/1.1 connection: views from the stream go through the machine to one exchange after
// the other, RFC 9112 §9.3. A request is read only when the one before it has been answered, and the peer has taken
// that answer: requests cost a peer nothing, so their number may not decide how much memory its answers take.
//
//   stream ──onBytes──► machine ──events──► exchange ──► delegate (user code)
//   stream ◄──send───── machine ◄──heads─── exchange ◄── writeHeaders, write, finish
//
// The parts it consists of are in server/, one idea each: see server/waiting.ts.

import type { HTTP1Machine } from "@tw/http1";
import type { MaybePromise } from "@tw/httputil";
import type { IOStream, StreamReceiver } from "@tw/iostream";
import { isPromiseLike } from "@tw/util";
import { isInputError } from "./refusal.js";
import type { ServerCycle } from "./server/cycle.js";
import { Dropping } from "./server/dropping.js";
import { LeavingConnection } from "./server/leaving.js";
import { ServerExchange } from "./server-exchange.js";

/** Bytes of later requests that are read while one is answered: as long as there are fewer, the peer's end is seen. */
const READ_AHEAD = 4096;

/** Serves requests on one stream until either side closes it. */
export class HTTP1ServerConnection extends LeavingConnection implements StreamReceiver {
  private pumping = false;

  /**
   * Takes the stream over. Where the server drains, the peer may ask once, soon; likewise where there is no room for it, and
   * then it gets 503. What it sent before is delivered now: that is said first.
   */
  start(hasRoom = true): void {
    const { server } = this;
    server.deadlines.add(this);
    server.tally.served++;
    this.expect("head", server.headTicks);
    this.refusing = !hasRoom;
    if (this.refusing || server.draining.aborted) this.drain();
    this.stream.attach(this);
  }

  // ── From the stream ────────────────────────────────────────────────────────────────────────────────────────────────

  onBytes(view: Uint8Array): MaybePromise {
    if (this.parting !== undefined) {
      this.deadline = this.parting.dropped(this.deadline);
      return;
    }
    this.machine ??= this.server.takeMachine();
    this.machine.receive(view);
    return this.pump();
  }

  onEnd(): void {
    if (this.waiting === "lingering" || this.waiting === "done") return;
    const { machine, exchange } = this;
    // Requests that came before it are answered; with the last of them the machine says that it was the last.
    if (this.prospect === "open" && (machine === undefined || machine.buffered === 0))
      this.prospect = "leaving";
    if (machine === undefined || machine.idle) return this.closeNow(false);
    machine.receiveEnd();
    if (exchange?.received) return this.expectLastAnswer(exchange);
    this.pumpOn();
    if (this.exchange !== undefined) this.stream.abort();
  }

  /** The request is whole, its answer pending, and the peer has finished sending: whoever waits for news of it hears of
   * that, and may still answer. */
  private expectLastAnswer(exchange: ServerExchange): void {
    this.expect("lastAnswer", this.server.idleTicks);
    exchange.runInAsyncScope(exchange.peerGone, exchange, undefined, false);
  }

  onDrain(): void {
    const drained = this.whenDrained;
    this.whenDrained = undefined;
    this.watch = undefined;
    drained?.resolve();
    if (this.waiting === "drain") this.server.scope.runInAsyncScope(this.pumpOn, this);
    // Half-closed, but it takes what it is sent.
    else if (this.waiting === "lastAnswer") this.expect("lastAnswer", this.server.idleTicks);
    else if (this.parting !== undefined) this.deadline = this.parting.sent();
  }

  onClose(error?: unknown): void {
    this.forget();
    if (this.isQuiet()) this.server.tally.idle++;
    this.waiting = "done";
    this.dropping = undefined;
    this.onDrain();
    const exchange = this.takeExchange();
    exchange?.runInAsyncScope(exchange.peerGone, exchange, error, true);
    this.server.tell("onClose", () => this.server.delegate.onClose?.(this));
  }

  // ── Requests ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Moves events from the machine to the exchange until it needs more bytes, or must wait. */
  private pump(): MaybePromise {
    if (this.pumping) return;
    this.pumping = true;
    try {
      while (this.parting === undefined && this.waiting !== "done") {
        if (this.dropping !== undefined && !this.dropOn(this.dropping)) break;
        const known = this.exchange;
        // RFC 9112 §9.3.2 (1): a request is read when the one before it has been answered.
        if (known === undefined ? this.whenDrained !== undefined : known.received) break;
        const exchange = known ?? this.nextRequest();
        if (exchange === undefined) break;
        const waiting = exchange.runInAsyncScope(
          known === undefined ? exchange.begin : exchange.feed,
          exchange,
        );
        if (isPromiseLike(waiting)) {
          if (this.exchange === exchange) this.hold(exchange);
          return waiting;
        }
        if (this.exchange !== exchange) continue;
        if (exchange.received && this.machine?.peerEnded) this.expectLastAnswer(exchange);
        if (this.exchange === exchange) break;
      }
      this.rest();
    } catch (error) {
      if (!isInputError(error)) throw error;
      this.refuseWith(error.status, error);
    } finally {
      this.pumping = false;
    }
  }

  /** Pumps although no bytes came: where that must wait nothing may come either, and nobody else hears of a failure. */
  private pumpOn(): void {
    try {
      const waiting = this.pump();
      if (!isPromiseLike(waiting)) return;
      this.stream.pause();
      waiting.then(undefined, (error) => this.failed(error));
    } catch (error) {
      this.failed(error);
    }
  }

  private failed(error: unknown): void {
    this.server.report(error, "Uncaught exception in an HTTP connection");
    this.stream.abort(error);
  }

  private nextRequest(): ServerExchange | undefined {
    const machine = this.machine;
    const event = machine?.next();
    if (machine === undefined || event?.type !== "request") return undefined;
    if (--this.requestsLeft <= 0 && this.prospect === "open") this.prospect = "leaving";
    this.server.inFlight++;
    this.exchange = new ServerExchange(this, machine, event);
    return this.exchange;
  }

  /** The delegate takes no more just now. */
  private hold(exchange: ServerExchange): void {
    exchange.pace?.hold();
    this.expectOnce("delegate", this.server.lookTicks);
  }

  /** The delegate's promise has settled: goes on with the bytes that were held back, outside that request's context. Where
   * it has answered meanwhile, they are the rest of its request. */
  feedOn(exchange: ServerExchange): MaybePromise {
    if (this.exchange === exchange || this.dropping !== undefined)
      return this.server.scope.runInAsyncScope(this.pump, this);
  }

  /** Nothing more can be done with what is there: keeps the rest, sets the deadline of what is awaited, and lets the
   * peer send on, unless much of what it asks next came already: what follows waits in the kernel. */
  private rest(): void {
    if (this.parting !== undefined || this.waiting === "done") return;
    const { exchange, machine } = this;
    const ahead = machine === undefined ? 0 : machine.buffered;
    if (ahead > 0) machine?.retain();
    if (exchange === undefined) this.restBetweenRequests(machine);
    else if (!exchange.received) this.expectBody(exchange);
    else if (this.waiting !== "lastAnswer") this.expectOnce("answer", this.server.lookTicks);
    if (ahead > READ_AHEAD && (this.waiting === "answer" || this.waiting === "drain")) this.stream.pause();
    else this.stream.resume();
  }

  private restBetweenRequests(machine: HTTP1Machine | undefined): void {
    const { server } = this;
    if (this.dropping !== undefined) this.deadline = this.dropping.quietTick;
    else if (this.whenDrained !== undefined) this.expectOnce("drain", server.lookTicks);
    else if (machine?.peerEnded) this.closeNow(false);
    else if (machine !== undefined && !machine.idle) this.expectOnce("head", server.headTicks);
    else if (this.prospect === "closing") this.closeNow(false);
    else {
      // A blank line asks for nothing, and puts nothing off.
      if (!this.isQuiet()) this.expect("idle", server.idleTicks);
      if (this.prospect === "leaving") server.grace.give(this);
    }
  }

  private expectBody(exchange: ServerExchange): void {
    this.waiting = "body";
    this.deadline = exchange.bodyDeadline();
  }

  // ── Answers ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Called by the exchange when its answer is complete. */
  answered(exchange: ServerCycle): void {
    if (this.exchange !== exchange) return;
    this.takeExchange();
    const machine = this.machine as HTTP1Machine;
    // A head that went out before we took leave promised to keep the connection: what came behind is answered.
    // RFC 9112 §9.6 (2), (3), (4), (5): a close on either side ends it here.
    if (!machine.keepAlive) return this.closeNow(exchange.bodyMissing);
    if (exchange.received) this.nextCycle(machine);
    else this.dropRest(machine);
    if (this.pumping) return;
    // The handler answered later than its turn; requests that came meanwhile are next, outside its async context.
    this.server.scope.runInAsyncScope(this.pumpOn, this);
  }

  private nextCycle(machine: HTTP1Machine): void {
    machine.startNextCycle();
    this.waiting = "answer";
    this.deadline = 0;
    if (machine.buffered > 0) return;
    this.machine = undefined;
    this.server.giveMachine(machine);
  }

  /** The answer came before all of its request, and promised to keep the connection. */
  private dropRest(machine: HTTP1Machine): void {
    if (this.prospect === "closing") return this.closeNow(true);
    this.dropping = new Dropping(this.server.deadlines);
    this.waiting = "dropping";
    this.deadline = this.dropping.quietTick;
    // What was lent until the delegate takes more is not lent to what comes behind.
    if (!this.pumping) machine.retain();
  }

  /** Drops what is there. Whether that was all, and the next request may be read. */
  private dropOn(dropping: Dropping): boolean {
    const machine = this.machine as HTTP1Machine;
    let ended: boolean | undefined;
    try {
      ended = dropping.drop(machine);
    } catch (error) {
      // It has its answer: nothing more is said.
      if (!isInputError(error)) throw error;
    }
    if (ended === false) return false;
    this.dropping = undefined;
    // RFC 9112 §9.3 (3): the whole of a request was read before the next one is.
    if (ended !== true || !machine.keepAlive) this.closeNow(ended !== true);
    else this.nextCycle(machine);
    return ended === true && this.parting === undefined;
  }

  /** Gives the stream away after a 101: what came behind the request is read first by its next owner. */
  handOver(): IOStream {
    const rest = (this.machine as HTTP1Machine).takeRest();
    this.machine = undefined;
    this.forget();
    this.server.tally.upgraded++;
    this.waiting = "done";
    this.takeExchange();
    this.stream.detach(rest);
    return this.stream;
  }

  /** The stream is gone, or somebody else's. */
  private forget(): void {
    this.server.deadlines.delete(this);
    if (this.prospect !== "open") this.server.grace.delete(this);
  }
}
