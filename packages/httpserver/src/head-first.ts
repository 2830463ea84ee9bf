// A delegate around a delegate that has to see the head of a request before the inner one hears of it. It returns what the
// inner one returns, where nobody waits for that too: an `async` method that rejects is to be logged.

import type {
  ConnectionContext,
  HTTPConnection,
  HTTPHeaders,
  HTTPMessageDelegate,
  HTTPServerConnectionDelegate,
  MaybePromise,
  Refusal,
  RequestStartLine,
  ResponseStartLine,
} from "@tw/httputil";

/** Makes a {@link HeadFirstMessage} for each request. */
export abstract class HeadFirstDelegate implements HTTPServerConnectionDelegate {
  readonly inner: HTTPServerConnectionDelegate;

  constructor(inner: HTTPServerConnectionDelegate) {
    this.inner = inner;
  }

  abstract startRequest(connection: HTTPConnection): HTTPMessageDelegate;

  onClose(context: ConnectionContext): void {
    return this.inner.onClose?.(context);
  }

  onRefused(refusal: Refusal): void {
    return this.inner.onRefused?.(refusal);
  }
}

/** Passes everything on to whoever handles the request, once {@link begin} has said that somebody shall. */
export abstract class HeadFirstMessage implements HTTPMessageDelegate {
  readonly #delegate: HTTPServerConnectionDelegate;
  protected readonly connection: HTTPConnection;
  protected inner: HTTPMessageDelegate | undefined = undefined;

  constructor(delegate: HTTPServerConnectionDelegate, connection: HTTPConnection) {
    this.#delegate = delegate;
    this.connection = connection;
  }

  abstract headersReceived(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
  ): MaybePromise;

  /** Announces the request, and hands on its head. */
  protected begin(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise {
    this.inner = this.#delegate.startRequest(this.connection);
    return this.inner.headersReceived(startLine, headers);
  }

  dataReceived(chunk: Uint8Array): MaybePromise {
    return this.inner?.dataReceived(chunk);
  }

  trailersReceived(trailers: HTTPHeaders): void {
    return this.inner?.trailersReceived?.(trailers);
  }

  finish(): MaybePromise {
    return this.inner?.finish();
  }

  onConnectionClose(error?: unknown): void {
    return this.inner?.onConnectionClose(error);
  }

  onAnswerEnd(): void {
    return this.inner?.onAnswerEnd?.();
  }
}
