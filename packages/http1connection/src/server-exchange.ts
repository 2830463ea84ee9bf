// One request and its answer. It is what the delegate writes to, and the async context that its code runs in. What is
// here brings the request to the delegate; the answer is in server/answering.ts.

import {
  type HTTPMessageDelegate,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
  reasonPhrase,
} from "@tw/httputil";
import { checkInteger, isPromiseLike } from "@tw/util";
import { BodyPace } from "./body-pace.js";
import { serverChannels as channels } from "./channels.js";
import { isFarewell } from "./farewell.js";
import { checkTimeout } from "./options.js";
import { isInputError, refusalBody, refusalHeaders } from "./refusal.js";
import { AnsweringHalf } from "./server/answering.js";
import { StandIn, type StandInStatus } from "./stand-in.js";

/** The server's side of one request: Tornado's HTTPConnection. */
export class ServerExchange extends AnsweringHalf {
  private bodyBytes = 0;
  /** Where it is not the server's. */
  private bodyLimit: number | undefined = undefined;
  /** It has a context that its delegate made. */
  private adopted = false;
  /** There while a body is awaited, or has a timeout of its own. */
  pace: BodyPace | undefined = undefined;

  /** Announces the request to the delegate and feeds it with what is there; a promise holds back more. */
  begin(): MaybePromise {
    const { method, target, version, headers } = this.request;
    const startLine: RequestStartLine = { method, path: target, version };
    const { server } = this.connection;
    server.loop.activity?.describe(method, " ", target);
    if (channels.requestStart.hasSubscribers) {
      channels.requestStart.publish({ connection: this, time: server.loop.time(), startLine, headers });
      if (this.gone()) return; // a subscriber may have aborted: nobody else hears of it
      this.adoptScope(); // what subscribers entered is there for all of the request
    }
    try {
      this.message = this.standIn(startLine) ?? server.delegate.startRequest(this);
      const waiting = this.message.headersReceived(startLine, headers);
      if (isPromiseLike(waiting)) return this.feedAfter(waiting);
    } catch (error) {
      return this.delegateFailed(error);
    }
    return this.adopted ? this.runInAsyncScope(this.feed, this) : this.feed();
  }

  adoptContext(): void {
    this.adopted = true;
    this.adoptScope();
  }

  /** Whoever answers in place of the delegate, where there is no room, or the client asks for what cannot be. */
  private standIn(startLine: RequestStartLine): StandIn | undefined {
    const status = this.refusedWith();
    if (status === 0) return undefined;
    const { server } = this.connection;
    server.tellRefused({ context: this.context, status, startLine, headers: this.request.headers });
    return new StandIn(this, status);
  }

  private refusedWith(): StandInStatus | 0 {
    const { server, refusing } = this.connection;
    if (refusing || server.isOverloaded()) return 503;
    if (this.request.method === "CONNECT" && !server.allowConnect) return 501;
    return this.request.expectsOther ? 417 : 0;
  }

  /** Gives the delegate what the machine has. @throws HTTPInputError when the peer broke the protocol */
  feed(): MaybePromise {
    const message = this.message as HTTPMessageDelegate;
    while (!this.received && !this.gone() && this.answer !== "complete") {
      const event = this.machine.next();
      if (event === undefined) return this.sendContinue();
      try {
        if (event.type === "data") {
          this.continueOwed = false;
          this.bodyBytes += event.bytes.length;
          const waiting = message.dataReceived(event.bytes);
          if (isPromiseLike(waiting)) return this.feedAfter(waiting);
        } else if (event.type === "end") {
          this.received = true;
          if (event.trailers !== undefined) this.observe(message.trailersReceived?.(event.trailers));
          if (!this.gone()) this.observe(message.finish()); // trailersReceived may have aborted
        }
      } catch (error) {
        this.delegateFailed(error);
      }
    }
  }

  /** More of the body is awaited: the tick by which it must have come. */
  bodyDeadline(): number {
    const { deadlines, pace } = this.connection.server;
    this.pace ??= new BodyPace(deadlines, pace.bodyTimeoutMs, pace.minRate);
    return this.pace.next(this.bodyBytes);
  }

  setMaxBodySize(bytes: number): void {
    checkInteger("maxBodySize", bytes);
    // Behind the answer it may serve others already.
    if (this.received || this.answer === "complete") return;
    this.machine.setMaxBodySize(bytes);
    this.bodyLimit = bytes;
  }

  /** Not the machine's, which serves others when this is answered. */
  get maxBodySize(): number {
    return this.bodyLimit ?? this.connection.server.maxBodySize;
  }

  setBodyTimeout(ms: number): void {
    const { deadlines, pace } = this.connection.server;
    checkTimeout("bodyTimeoutMs", ms);
    deadlines.hasten(ms);
    this.pace = new BodyPace(deadlines, ms, pace.minRate);
  }

  private feedAfter(waiting: PromiseLike<unknown>): Promise<void> {
    return Promise.resolve(waiting).then(
      () => this.connection.feedOn(this),
      (error) => {
        this.delegateFailed(error);
        // What it was given is its own no more, and the rest of its request is nobody's.
        if (this.answer === "complete") return this.connection.feedOn(this);
      },
    );
  }

  /** Nobody waits for this promise, but its rejection is an error of user code like any other. */
  private observe(result: unknown): void {
    if (isPromiseLike(result)) result.then(undefined, (error) => this.delegateFailed(error));
  }

  /** RFC 9110 §10.1.1: a server that wants the body says so, unless it has answered or the client did not wait. Where a
   * success begins before its request was read, that has said so. */
  private sendContinue(): void {
    if (!this.continueOwed || this.answer !== "none" || this.machine.buffered > 0) return;
    this.continueOwed = false;
    // RFC 9110 §10.1.1 (5), (6): as soon as the body is waited for.
    this.connection.stream.send(this.machine.writeInformation(100));
  }

  fail(error: unknown): void {
    this.delegateFailed(error);
  }

  /** User code threw or rejected: a 500 where no head is out, else the peer must see that the answer is broken. What it
   * throws about a body that is none, a form say, is the peer's mistake: that status, and a line without a stack. That it
   * ended because nobody takes its answer any more is no news. */
  private delegateFailed(error: unknown): void {
    if (this.gone() && isFarewell(error)) return;
    const { server, stream } = this.connection;
    const about = this.summary();
    const refused = isInputError(error) && error.status >= 400;
    const status = refused ? error.status : 500;
    if (refused)
      this.runInAsyncScope(server.remark, server, `Refused ${about}: ${error.code} ${error.message}`);
    else this.runInAsyncScope(server.report, server, error, `Uncaught exception ${about}`);
    if (this.answer === "head" || this.answer === "upgraded") return stream.abort(error);
    if (this.answer !== "none") return;
    try {
      // What is behind a request that is refused is not served, however whole it is.
      if (refused) this.connection.close();
      const startLine: ResponseStartLine = {
        version: "HTTP/1.1",
        code: status,
        reason: reasonPhrase(status),
      };
      // RFC 9110 §10.1.1 (4): behind a 100 too there is an answer, if only that there is none.
      this.writeHeaders(startLine, refusalHeaders(status), refusalBody(status));
      this.finish();
      // User code may still run, and answer what it knows no better than to answer.
      if (refused) this.answer = "gone";
    } catch (unsent) {
      stream.abort(unsent);
    }
  }
}
