// Tornado's `stream_request_body` for a plain callback: it is called when the head is in, and pulls the body.

import { announcesBody } from "@tw/http1connection";
import {
  BodyAbortedError,
  BodyStream,
  type HTTPConnection,
  type HTTPHeaders,
  type HTTPMessageDelegate,
  type HTTPServerConnectionDelegate,
  HTTPServerRequest,
  type MaybePromise,
  type ParseBodyConfig,
  RequestBody,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { EMPTY_BYTES, isPromiseLike, isTwError } from "@tw/util";
import type { RequestCallback } from "./callback-delegate.js";
import { CONSUMED } from "./decompress.js";

/** Makes a delegate of a function that reads bodies as they come. */
export function streamingDelegate(
  callback: RequestCallback,
  config?: ParseBodyConfig,
): HTTPServerConnectionDelegate {
  return { startRequest: (connection) => new StreamingMessage(connection, callback, config) };
}

class StreamingMessage implements HTTPMessageDelegate {
  readonly #connection: HTTPConnection;
  readonly #callback: RequestCallback;
  readonly #config: ParseBodyConfig | undefined;
  readonly #body = new BodyStream();
  /** A request without a body, of which the callback is still to hear. */
  #bodiless: HTTPServerRequest | undefined;

  constructor(connection: HTTPConnection, callback: RequestCallback, config: ParseBodyConfig | undefined) {
    this.#connection = connection;
    this.#callback = callback;
    this.#config = config;
  }

  /**
   * Runs the callback, and does not wait for it: it waits for the body. The body waits for the callback to read, and so
   * does a client for its 100, RFC 9110 §10.1.1. Where there is no body the callback runs when that is known to be over,
   * which is at once: its request is whole then, and can be upgraded.
   */
  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise {
    const request = new HTTPServerRequest(
      startLine as RequestStartLine,
      headers,
      this.#connection,
      EMPTY_BYTES,
      new RequestBody(this.#body, this.#config),
    );
    // What is decoded has no length, and says what it was.
    if (!announcesBody(headers) && !headers.has(CONSUMED)) {
      this.#bodiless = request;
      return;
    }
    this.#run(request);
    return this.#body.whenWanted();
  }

  #run(request: HTTPServerRequest): void {
    const running = this.#callback(request);
    if (isPromiseLike(running)) running.then(undefined, (error) => this.#failed(error));
  }

  dataReceived(chunk: Uint8Array): MaybePromise {
    return this.#body.push(chunk);
  }

  finish(): void {
    this.#body.end();
    const request = this.#bodiless;
    this.#bodiless = undefined;
    if (request !== undefined) this.#run(request);
  }

  onConnectionClose(error?: unknown): void {
    this.#body.fail(new BodyAbortedError("The request did not come whole", error));
  }

  onAnswerEnd(): void {
    this.#body.fail(new BodyAbortedError("The answer was complete before the request was"));
  }

  /** That the body ended early is known already to who has to know. */
  #failed(error: unknown): void {
    if (isTwError(error, "ERR_TW_BODY_ABORTED") && this.#body.failed) return;
    if (this.#connection.fail === undefined) this.#connection.abort(error);
    else this.#connection.fail(error);
  }
}
