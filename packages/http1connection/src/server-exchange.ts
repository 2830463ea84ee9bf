// One request and its answer. It is what the delegate writes to, and the async context that its code runs in.

import type { HTTP1Event, HTTP1Machine } from "@tw/http1";
import {
  type AnswerObserver,
  type BodyChunk,
  type ConnectionContext,
  type FileRange,
  type HTTPConnection,
  HTTPHeaders,
  type HTTPMessageDelegate,
  HTTPOutputError,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
  reasonPhrase,
  type UpgradedStream,
} from "@tw/httputil";
import { LazyAsyncResource } from "@tw/ioloop";
import { checkFileRange } from "@tw/iostream";
import { checkInteger, isPromiseLike } from "@tw/util";
import { AnswerObservers } from "./answer-observers.js";
import { BodyPace } from "./body-pace.js";
import { isFileFault, sendFilePiece, sendPiece } from "./body-writer.js";
import { serverChannels as channels } from "./channels.js";
import { checkTimeout } from "./options.js";
import { isInputError } from "./refusal.js";
import type { HTTP1ServerConnection } from "./server-connection.js";
import { StandIn } from "./stand-in.js";

/** What the machine says when a request begins. */
export type RequestEvent = Extract<HTTP1Event, { type: "request" }>;

/** Where the answer stands. After `upgraded` the stream is somebody else's; after `gone` nobody listens. */
type AnswerState = "none" | "head" | "complete" | "upgraded" | "gone";

/** The server's side of one request: Tornado's HTTPConnection. */
export class ServerExchange extends LazyAsyncResource implements HTTPConnection {
  readonly #connection: HTTP1ServerConnection;
  readonly #machine: HTTP1Machine;
  readonly #request: RequestEvent;
  #message: HTTPMessageDelegate | undefined;
  #answer: AnswerState = "none";
  #received = false;
  #continueOwed: boolean;
  #bodyBytes = 0;
  context: ConnectionContext;
  #observers: AnswerObservers | undefined;
  /** It has a context that its delegate made. */
  #adopted = false;
  /** There while a body is awaited, or has a timeout of its own. */
  pace: BodyPace | undefined;

  constructor(connection: HTTP1ServerConnection, machine: HTTP1Machine, request: RequestEvent) {
    super("TWHTTPRequest");
    this.#connection = connection;
    this.context = connection;
    this.#machine = machine;
    this.#request = request;
    this.#continueOwed = request.expectContinue;
  }

  // ── Request: machine to delegate ─────────────────────────────────────────────────────────────────────────────────

  /** Whether the request has arrived whole. */
  get received(): boolean {
    return this.#received;
  }

  /** Whether an answer has begun and is not complete. */
  get answering(): boolean {
    return this.#answer === "head";
  }

  /** Nobody listens any more: TypeScript does not see that a delegate may change this. */
  #gone(): boolean {
    return this.#answer === "gone";
  }

  /** Announces the request to the delegate and feeds it with what is there; a promise holds back more. */
  begin(): MaybePromise {
    const { method, target, version, headers } = this.#request;
    const startLine: RequestStartLine = { method, path: target, version };
    const { server } = this.#connection;
    server.loop.activity?.describe(`${method} ${target}`);
    if (channels.requestStart.hasSubscribers) {
      channels.requestStart.publish({ connection: this, time: server.loop.time(), startLine, headers });
      this.adoptScope(); // what subscribers entered is there for all of the request
    }
    try {
      this.#message = this.#standIn(startLine) ?? server.delegate.startRequest(this);
      const waiting = this.#message.headersReceived(startLine, headers);
      if (isPromiseLike(waiting)) return this.#feedAfter(waiting);
    } catch (error) {
      return this.#delegateFailed(error);
    }
    return this.#adopted ? this.runInAsyncScope(this.feed, this) : this.feed();
  }

  adoptContext(): void {
    this.#adopted = true;
    this.adoptScope();
  }

  /** Whoever answers in place of the delegate, where there is no room, or the client expects what cannot be. */
  #standIn(startLine: RequestStartLine): StandIn | undefined {
    const { server, refusing } = this.#connection;
    const status = refusing || server.isOverloaded() ? 503 : this.#request.expectsOther ? 417 : 0;
    if (status === 0) return undefined;
    server.tellRefused({ context: this.context, status, startLine, headers: this.#request.headers });
    return new StandIn(this, status);
  }

  /** Gives the delegate what the machine has. @throws HTTPInputError when the peer broke the protocol */
  feed(): MaybePromise {
    const message = this.#message as HTTPMessageDelegate;
    while (!this.#received && !this.#gone() && this.#answer !== "complete") {
      const event = this.#machine.next();
      if (event === undefined) return this.#sendContinue();
      try {
        if (event.type === "data") {
          this.#continueOwed = false;
          this.#bodyBytes += event.bytes.length;
          const waiting = message.dataReceived(event.bytes);
          if (isPromiseLike(waiting)) return this.#feedAfter(waiting);
        } else if (event.type === "end") {
          this.#received = true;
          if (event.trailers !== undefined) this.#observe(message.trailersReceived?.(event.trailers));
          if (!this.#gone()) this.#observe(message.finish()); // trailersReceived may have aborted
        }
      } catch (error) {
        this.#delegateFailed(error);
      }
    }
  }

  /** More of the body is awaited: the tick by which it must have come. */
  bodyDeadline(): number {
    const { deadlines, pace } = this.#connection.server;
    this.pace ??= new BodyPace(deadlines, pace.bodyTimeoutMs, pace.minRate);
    return this.pace.next(this.#bodyBytes);
  }

  setMaxBodySize(bytes: number): void {
    checkInteger("maxBodySize", bytes);
    if (!this.#received) this.#machine.setMaxBodySize(bytes);
  }

  get maxBodySize(): number {
    return this.#machine.bodyLimit;
  }

  setBodyTimeout(ms: number): void {
    const { deadlines, pace } = this.#connection.server;
    this.pace = new BodyPace(deadlines, checkTimeout("bodyTimeoutMs", ms), pace.minRate);
  }

  #feedAfter(waiting: PromiseLike<unknown>): Promise<void> {
    return Promise.resolve(waiting).then(
      () => this.#connection.feedOn(this),
      (error) => this.#delegateFailed(error),
    );
  }

  /** Nobody waits for this promise, but its rejection is an error of user code like any other. */
  #observe(result: unknown): void {
    if (isPromiseLike(result)) result.then(undefined, (error) => this.#delegateFailed(error));
  }

  /** RFC 9110 §10.1.1: a server that wants the body says so, unless it has answered or the client did not wait. */
  #sendContinue(): void {
    if (!this.#continueOwed || this.#answer !== "none" || this.#machine.buffered > 0) return;
    this.#continueOwed = false;
    // RFC 9110 §10.1.1 (5), (6): as soon as the body is waited for.
    this.#connection.stream.send(this.#machine.writeInformation(100));
  }

  fail(error: unknown): void {
    this.#delegateFailed(error);
  }

  /** User code threw or rejected: a 500 where no head is out, else the peer must see that the answer is broken. What it
   * throws about a body that is none, a form say, is the peer's mistake: that status, and a line without a stack. */
  #delegateFailed(error: unknown): void {
    const { method, target } = this.#request;
    const { server, stream } = this.#connection;
    const about = `${method} ${quoted(target)} (${this.context.remoteIp})`;
    const refused = isInputError(error) && error.status >= 400;
    const status = refused ? error.status : 500;
    if (refused)
      this.runInAsyncScope(server.remark, server, `Refused ${about}: ${error.code} ${error.message}`);
    else this.runInAsyncScope(server.report, server, error, `Uncaught exception ${about}`);
    if (this.#answer === "head" || this.#answer === "upgraded") return stream.abort(error);
    if (this.#answer !== "none") return;
    try {
      const startLine: ResponseStartLine = {
        version: "HTTP/1.1",
        code: status,
        reason: reasonPhrase(status),
      };
      // RFC 9110 §10.1.1 (4): behind a 100 too there is an answer, if only that there is none.
      this.writeHeaders(startLine, new HTTPHeaders({ "Content-Length": "0" }));
      this.finish();
      // User code may still run, and answer what it knows no better than to answer.
      if (refused) this.#answer = "gone";
    } catch (unsent) {
      stream.abort(unsent);
    }
  }

  // ── Answer: delegate to machine ──────────────────────────────────────────────────────────────────────────────────

  writeHeaders(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
    chunk?: BodyChunk,
  ): MaybePromise {
    if (this.#answer === "gone") return;
    if (this.#answer !== "none") throw new HTTPOutputError("The head of this response was written already");
    if (!("code" in startLine)) throw new TypeError("A server answers with a response start line");
    const { date, loop } = this.#connection.server;
    const fields = this.#observers === undefined ? headers : this.#observers.head(startLine, headers);
    const head = this.#machine.writeHead(startLine, fields, {
      // RFC 9110 §6.6.1 (1): in every answer.
      date: date.value,
      close: this.#connection.closing || (!this.#received && isWhole(fields, chunk)),
    });
    this.#answer = "head";
    if (channels.responseStart.hasSubscribers)
      channels.responseStart.publish({ connection: this, time: loop.time(), startLine, headers: fields });
    return this.#send(head, chunk ?? "");
  }

  write(chunk: BodyChunk): MaybePromise {
    if (this.#answer === "gone") return;
    if (this.#answer !== "head") throw new HTTPOutputError(`Cannot write a body: ${REFUSED[this.#answer]}`);
    return this.#send("", chunk);
  }

  writeFile(file: FileRange): MaybePromise {
    checkFileRange(file);
    if (this.#answer === "gone") return;
    if (this.#answer !== "head") throw new HTTPOutputError(`Cannot write a body: ${REFUSED[this.#answer]}`);
    const { stream } = this.#connection;
    let sent: Promise<void> | undefined;
    try {
      sent = sendFilePiece(stream, this.#machine, file);
    } catch (error) {
      this.abort(error);
      throw error;
    }
    if (sent === undefined) return;
    this.#observers?.data(file);
    // The next request waits until the peer has taken the file.
    if (stream.writing) void this.#connection.drained();
    const written = sent.catch((error) => this.#fileFailed(error));
    written.catch(ignore);
    return written;
  }

  /** The stream has been aborted. Where the answer was called complete before, the log is all that can tell. */
  #fileFailed(error: unknown): MaybePromise {
    // As with any write: whoever goes on behind it has been told that the peer is gone.
    if (!isFileFault(error)) return this.#connection.stream.whenClosed;
    const { method, target } = this.#request;
    const { server } = this.#connection;
    if (this.#answer === "complete")
      server.report(error, `Answer broken off ${method} ${quoted(target)} (${this.context.remoteIp})`);
    this.abort(error);
    throw error;
  }

  #send(head: string, chunk: BodyChunk): MaybePromise {
    const { stream } = this.#connection;
    try {
      const ready = sendPiece(stream, this.#machine, head, chunk);
      if (this.#observers !== undefined && this.#machine.bodyAllowed) this.#observers.data(chunk);
      if (!ready) return this.#connection.drained();
    } catch (error) {
      this.abort(error);
      throw error;
    }
  }

  finish(): void {
    if (this.#answer === "gone") return;
    if (this.#answer !== "head") throw new HTTPOutputError(`Cannot finish: ${REFUSED[this.#answer]}`);
    let end: string;
    try {
      end = this.#machine.writeEnd();
    } catch (error) {
      this.abort(error);
      throw error;
    }
    if (end !== "") this.#connection.stream.send(end);
    this.#answer = "complete";
    if (channels.requestFinish.hasSubscribers)
      channels.requestFinish.publish({ connection: this, time: this.#connection.server.loop.time() });
    this.#observers?.over({ outcome: "complete", status: 0 });
    this.#connection.answered(this);
    if (!this.#received) this.#tellAnswerEnd();
  }

  abort(reason?: unknown): void {
    if (this.#answer === "gone" || this.#answer === "upgraded") return;
    this.#publishError(reason, 0);
    this.#answer = "gone";
    this.#connection.stream.abort(reason);
    if (!this.#received) this.#tellAnswerEnd();
  }

  /** The rest of the request is not wanted any more: a delegate that holds it back lets it go. */
  #tellAnswerEnd(): void {
    const message = this.#message;
    if (message?.onAnswerEnd !== undefined)
      this.#connection.server.tell("onAnswerEnd", () => message.onAnswerEnd?.());
  }

  upgrade(headers: HTTPHeaders): UpgradedStream {
    if (this.#answer !== "none") throw new HTTPOutputError(`Cannot upgrade: ${REFUSED[this.#answer]}`);
    if (!this.#received) throw new HTTPOutputError("Cannot upgrade before the request is complete");
    const fields = this.#observers?.head(SWITCHING_PROTOCOLS, headers) ?? headers;
    const head = this.#machine.writeHead(SWITCHING_PROTOCOLS, fields, {
      date: this.#connection.server.date.value,
    });
    this.#connection.stream.send(head);
    this.#answer = "upgraded";
    const stream = this.#connection.handOver();
    if (channels.upgrade.hasSubscribers)
      channels.upgrade.publish({ connection: this, time: stream.loop.time(), stream });
    this.#observers?.over({ outcome: "upgraded", status: 0 });
    return stream;
  }

  /**
   * The peer is gone (`closed`), or finished sending while its answer was awaited. `status` is what it was refused with,
   * where it was.
   */
  peerGone(error: unknown, closed: boolean, status = 0): void {
    const told = this.#answer === "gone" || this.#answer === "complete" || this.#answer === "upgraded";
    if (closed) this.#publishError(error, status);
    if (closed) this.#answer = "gone";
    if (told) return;
    const message = this.#message;
    this.#message = SILENT;
    this.#connection.server.tell("onConnectionClose", () => message?.onConnectionClose(error));
  }

  observeAnswer(observer: AnswerObserver): void {
    const { server } = this.#connection;
    this.#observers ??= new AnswerObservers((error) =>
      server.report(error, "Uncaught exception in an observer of an answer"),
    );
    this.#observers.add(observer);
  }

  /** Once, and never behind a whole answer. */
  #publishError(error: unknown, status: number): void {
    if (this.#answer !== "none" && this.#answer !== "head") return;
    if (channels.requestError.hasSubscribers) {
      const { context } = this;
      const time = this.#connection.server.loop.time();
      channels.requestError.publish({ connection: this, time, context, error, status });
    }
    this.#observers?.over({ outcome: status === 0 ? "aborted" : "refused", status, error });
  }
}

const SWITCHING_PROTOCOLS: ResponseStartLine = {
  version: "HTTP/1.1",
  code: 101,
  reason: "Switching Protocols",
};

const REFUSED: Record<AnswerState, string> = {
  none: "no head was written",
  head: "the head is out",
  complete: "the response is complete",
  upgraded: "the connection was upgraded",
  gone: "the connection is closed",
};

/** Whether no more of the answer follows: given before its request was read, it ends the connection. */
function isWhole(headers: HTTPHeaders, chunk: BodyChunk = ""): boolean {
  const length = typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
  return headers.get("Content-Length") === String(length);
}

function ignore(): void {}

/** For a log: no line begins and no terminal changes by what a peer sent. JSON leaves DEL and the C1 controls alone. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** Takes the place of a delegate that was told that its peer is gone. */
const SILENT: HTTPMessageDelegate = {
  headersReceived() {},
  dataReceived() {},
  finish() {},
  onConnectionClose() {},
};
