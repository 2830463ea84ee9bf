// One request and its answer: where both of them stand, and who hears how they end.
//
//   ServerCycle ◄── AnsweringHalf ◄─────── ServerExchange
//   facts, ends     delegate to machine    machine to delegate

import type { HTTP1Event, HTTP1Machine } from "@tw/http1";
import type {
  AnswerObserver,
  BodyChunk,
  ConnectionContext,
  HTTPConnection,
  HTTPHeaders,
  HTTPMessageDelegate,
  MaybePromise,
  RequestStartLine,
  ResponseStartLine,
} from "@tw/httputil";
import { LazyAsyncResource } from "@tw/ioloop";
import { quote } from "@tw/util";
import { AnswerObservers } from "../answer-observers.js";
import { serverChannels as channels } from "../channels.js";
import type { HTTP1ServerConnection } from "../server-connection.js";

/** What the machine says when a request begins. */
export type RequestEvent = Extract<HTTP1Event, { type: "request" }>;

/** Where the answer stands. After `upgraded` the stream is somebody else's; after `gone` nobody listens. */
export type AnswerState = "none" | "head" | "complete" | "upgraded" | "gone";

/** What both halves of an exchange know. Its fields are for the halves alone. */
export abstract class ServerCycle extends LazyAsyncResource implements HTTPConnection {
  protected readonly connection: HTTP1ServerConnection;
  protected readonly machine: HTTP1Machine;
  protected readonly request: RequestEvent;
  protected message: HTTPMessageDelegate | undefined = undefined;
  protected answer: AnswerState = "none";
  protected observers: AnswerObservers | undefined = undefined;
  /** Whether the client may wait for a 100, which it was not sent. */
  protected continueOwed: boolean;
  /** Whether the request has arrived whole. */
  received = false;
  context: ConnectionContext;

  constructor(connection: HTTP1ServerConnection, machine: HTTP1Machine, request: RequestEvent) {
    super("TWHTTPRequest");
    this.connection = connection;
    this.context = connection;
    this.machine = machine;
    this.request = request;
    this.continueOwed = request.expectContinue;
  }

  abstract writeHeaders(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
    chunk?: BodyChunk,
  ): MaybePromise;
  abstract write(chunk: BodyChunk): MaybePromise;
  abstract finish(trailers?: HTTPHeaders): void;
  abstract abort(reason?: unknown): void;

  /** Whether an answer has begun and is not complete. */
  get answering(): boolean {
    return this.answer === "head";
  }

  /** Whether some of the body may be still to come: a request without one has come with its head. */
  get bodyMissing(): boolean {
    if (this.received) return false;
    const { chunked, contentLength = 0 } = this.request;
    return chunked || contentLength > 0;
  }

  /** Whether it asks for a head without its body. */
  get isHead(): boolean {
    return this.request.method === "HEAD";
  }

  /** Nobody listens any more: TypeScript does not see that a delegate may change this. */
  protected gone(): boolean {
    return this.answer === "gone";
  }

  observeAnswer(observer: AnswerObserver): void {
    const { server } = this.connection;
    this.observers ??= new AnswerObservers((error) =>
      server.report(error, "Uncaught exception in an observer of an answer"),
    );
    this.observers.add(observer);
  }

  /**
   * The peer is gone (`closed`), or finished sending while its answer was awaited. `status` is what it was refused with,
   * where it was.
   */
  peerGone(error: unknown, closed: boolean, status = 0): void {
    const told = this.answer === "gone" || this.answer === "complete" || this.answer === "upgraded";
    if (closed) this.giveUp(error, status);
    if (told) return;
    const message = this.message;
    this.message = SILENT;
    this.connection.server.tell("onConnectionClose", () => message?.onConnectionClose(error));
  }

  /** The rest of the request is not wanted any more: a delegate that holds it back lets it go. */
  protected tellAnswerEnd(): void {
    const message = this.message;
    this.message = SILENT;
    if (message?.onAnswerEnd !== undefined)
      this.connection.server.tell("onAnswerEnd", () => message.onAnswerEnd?.());
  }

  /** Nobody takes the answer any more, which is said once, and never behind a whole one. Who hears of it may abort. */
  protected giveUp(error: unknown, status: number): void {
    const { answer } = this;
    this.answer = "gone";
    if (answer !== "none" && answer !== "head") return;
    if (channels.requestError.hasSubscribers) {
      const { context } = this;
      const time = this.connection.server.loop.time();
      channels.requestError.publish({ connection: this, time, context, error, status });
    }
    this.observers?.over({ outcome: status === 0 ? "aborted" : "refused", status, error });
  }

  /** For a line of a log. */
  protected summary(): string {
    const { method, target } = this.request;
    return `${method} ${quote(target, Number.POSITIVE_INFINITY)} (${this.context.remoteIp})`;
  }
}

/** Takes the place of a delegate that was told that its peer is gone. */
const SILENT: HTTPMessageDelegate = {
  headersReceived() {},
  dataReceived() {},
  finish() {},
  onConnectionClose() {},
};
