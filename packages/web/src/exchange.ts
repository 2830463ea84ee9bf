// One request and its answer: the state behind a RequestHandler.
//
//   open ──flush──► flushed ──finish──► finished
//    │ └────────────finish────────────────▲
//    ├──upgrade──► detached
//    └─abort──► aborted (from flushed too); writing is quiet from then on
//
// That the peer went away is a fact beside it: it may have closed its half only, and an answer that is ready is still
// handed to the connection, which knows. What waits or streams is told, and ends.

import {
  type BodyChunk,
  type HTTPConnection,
  HTTPHeaders,
  type HTTPServerRequest,
  type MaybePromise,
  type UpgradedStream,
} from "@tw/httputil";
import { fitHeaders, isBodiless, startLineOf, withLength } from "./answer-head.js";
import type { ApplicationCore } from "./application-core.js";
import { joinChunks, requireLength, requireRoom, sized } from "./body.js";
import { ClientGoneError, HeadersSentError, HTTPError, ResponseFinishedError } from "./errors.js";
import type { HandlerHooks } from "./handler-hooks.js";

/** Where the answer stands; what is not in the drawing above cannot happen. */
export type ExchangeState = "open" | "flushed" | "finished" | "detached" | "aborted";

const HTML = "text/html; charset=UTF-8";

/** What the parts of this package share about one request. */
export class Exchange {
  readonly core: ApplicationCore;
  readonly request: HTTPServerRequest;
  readonly args: readonly (string | undefined)[];
  readonly names: readonly string[] | undefined;
  /** The loop's time when the request was complete; 0 where nobody asks. */
  readonly startedAt: number;
  state: ExchangeState = "open";
  status = 200;
  /** Reason phrase that was given; without one it is the registered one. */
  reason: string | undefined = undefined;
  /** What was wrong with the request: for the line that tells of it. */
  detail: string | undefined = undefined;
  handler: HandlerHooks | undefined = undefined;
  #headers: HTTPHeaders | undefined = undefined;
  #chunk: BodyChunk | undefined = undefined;
  #more: BodyChunk[] | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #upgraded: UpgradedStream | undefined = undefined;
  #peerGone = false;
  #settled = false;

  constructor(
    core: ApplicationCore,
    request: HTTPServerRequest,
    args: readonly (string | undefined)[],
    names: readonly string[] | undefined,
  ) {
    this.core = core;
    this.request = request;
    this.args = args;
    this.names = names;
    this.startedAt = core.timed ? core.loop.time() : 0;
    if (core.timed) request.startTime = this.startedAt;
  }

  get connection(): HTTPConnection {
    return this.request.connection;
  }

  /** Fields of the answer, made with their defaults when first needed. */
  get headers(): HTTPHeaders {
    if (this.#headers === undefined) {
      this.#headers = HTTPHeaders.fromValidated(["Content-Type", HTML]);
      this.handler?.setDefaultHeaders();
    }
    return this.#headers;
  }

  /** Aborted when the client goes away before its answer is complete. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#peerGone && !this.#controller.signal.aborted) this.#controller.abort(new ClientGoneError());
    return this.#controller.signal;
  }

  /** @throws HeadersSentError, ResponseFinishedError when it is too late to `what` */
  requireOpen(what: string): void {
    if (this.state === "open" || this.state === "aborted") return;
    throw this.state === "flushed" ? new HeadersSentError(what) : new ResponseFinishedError(what);
  }

  /** Forgets status, fields and unsent body. Without `hooks` the handler is not asked for its default fields again. */
  clear(hooks = true): void {
    this.status = 200;
    this.reason = undefined;
    this.#headers = hooks ? undefined : HTTPHeaders.fromValidated(["Content-Type", HTML]);
    this.dropBody();
  }

  /** Forgets what was written and not sent. */
  dropBody(): void {
    this.#chunk = this.#more = undefined;
  }

  /** Adds to the body, in memory. @throws ResponseFinishedError */
  write(chunk: BodyChunk): void {
    if (this.state === "aborted") return;
    if (this.state !== "open" && this.state !== "flushed") throw new ResponseFinishedError("write");
    if (this.#chunk === undefined) this.#chunk = chunk;
    else if (this.#more === undefined && typeof chunk === "string" && typeof this.#chunk === "string")
      this.#chunk += chunk;
    else {
      this.#more ??= [];
      this.#more.push(chunk);
    }
  }

  /** Sends the head, if it is not out, and what was written since. @throws ResponseFinishedError, ClientGoneError */
  flush(): MaybePromise {
    if (this.#peerGone || this.state === "aborted") throw new ClientGoneError();
    if (this.state !== "open" && this.state !== "flushed") throw new ResponseFinishedError("flush");
    const chunk = this.#take();
    if (this.state === "flushed") return this.#sendPiece(chunk);
    const headers = fitHeaders(this.headers, this.status, chunk);
    const { request, status } = this;
    const piece = isBodiless(request.startLine.method, status) ? undefined : chunk;
    if (piece !== undefined) requireRoom(headers, piece);
    const waiting = this.connection.writeHeaders(startLineOf(status, this.reason), headers, piece);
    this.#advance("flushed");
    return waiting;
  }

  /** Completes the answer; one that was not flushed leaves in one piece with its length. @throws ResponseFinishedError */
  finish(chunk?: BodyChunk): MaybePromise {
    if (chunk !== undefined) this.write(chunk);
    if (this.state === "aborted") return this.settle();
    if (this.state === "finished" || this.state === "detached") throw new ResponseFinishedError("finish");
    const waiting = this.state === "open" ? this.#sendWhole() : this.#sendPiece(this.#take());
    this.connection.finish();
    this.#advance("finished");
    this.settle();
    // That the last bytes did not arrive is nobody's failure: there is nothing more to write.
    return waiting?.catch(ignore);
  }

  /** Gives up: the client sees a truncated answer. */
  abort(reason: unknown): void {
    if (this.state === "finished" || this.state === "aborted") return;
    if (this.state === "detached") this.#upgraded?.abort(reason);
    else {
      this.state = "aborted";
      this.connection.abort(reason);
    }
    this.settle();
  }

  /** Answers 101 and hands the stream over. @throws HTTPError 501 where the connection has no upgrade */
  upgrade(headers: HTTPHeaders): UpgradedStream {
    this.requireOpen("upgrade");
    if (this.#peerGone || this.state === "aborted") throw new ClientGoneError();
    if (this.connection.upgrade === undefined) throw new HTTPError(501, "This connection cannot be upgraded");
    this.#upgraded = this.connection.upgrade(headers);
    this.status = 101;
    this.state = "detached";
    return this.#upgraded;
  }

  /** Whether the client went away, or closed its half of the connection, before the answer was complete. */
  get peerIsGone(): boolean {
    return this.#peerGone;
  }

  /** The client is gone. Tells the handler, which may still be running. */
  peerGone(cause: unknown): void {
    if (this.#peerGone || (this.state !== "open" && this.state !== "flushed")) return;
    this.#peerGone = true;
    this.#controller?.abort(new ClientGoneError(cause));
    this.#tellDetail(); // an error page that is awaited may never come
    try {
      this.handler?.onConnectionClose();
    } catch (error) {
      this.core.logUncaught(this.request, error);
    }
  }

  /** Tells handler and access log, once, that this is over; after an upgrade the log only, as the handler lives on. */
  settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    try {
      if (this.state !== "detached") this.handler?.onFinish();
    } catch (error) {
      this.core.logUncaught(this.request, error);
    }
    if (this.status >= this.core.logFrom && this.state !== "aborted") this.core.logRequest(this);
    else this.#tellDetail();
  }

  /** On a line of its own. */
  #tellDetail(): void {
    const { core, request, status, detail } = this;
    this.detail = undefined;
    if (detail !== undefined) core.logDetail(request, status, detail);
  }

  /** What was written since the last flush, as one piece. */
  #take(): BodyChunk | undefined {
    const chunk = this.#chunk;
    const more = this.#more;
    this.#chunk = this.#more = undefined;
    return chunk === undefined || more === undefined ? chunk : joinChunks([chunk, ...more]);
  }

  #sendPiece(chunk: BodyChunk | undefined): MaybePromise {
    return chunk === undefined || chunk.length === 0 ? undefined : this.connection.write(chunk);
  }

  #sendWhole(): MaybePromise {
    const chunk = this.#take();
    const headers = fitHeaders(this.headers, this.status, chunk);
    const { connection, request, status } = this;
    const startLine = startLineOf(status, this.reason);
    if (status === 204 || status === 304) return connection.writeHeaders(startLine, headers);
    const { body, length } = sized(chunk);
    const bodiless = isBodiless(request.startLine.method, status);
    const promised = headers.get("Content-Length");
    if (promised !== null && !bodiless && status !== 205) requireLength(promised, length);
    const framed = promised === null ? withLength(headers, length) : headers;
    return connection.writeHeaders(startLine, framed, length === 0 || bodiless ? undefined : body);
  }

  /** A write can end in `abort` while it runs: that stays. */
  #advance(to: "flushed" | "finished"): void {
    if (this.state !== "aborted") this.state = to;
  }
}

function ignore(): void {}
