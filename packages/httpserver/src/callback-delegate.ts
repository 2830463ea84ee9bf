// Tornado's plain callback: collects a request whole and calls a function with it.

import { BodyCollector } from "@tw/http1connection";
import {
  type HTTPConnection,
  type HTTPHeaders,
  type HTTPMessageDelegate,
  type HTTPServerConnectionDelegate,
  HTTPServerRequest,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { EMPTY_BYTES } from "@tw/util";

/** Handles one request, whole; it answers through `request.connection`. */
export type RequestCallback = (request: HTTPServerRequest) => MaybePromise;

/** Makes a delegate of a function. */
export class CallbackDelegate implements HTTPServerConnectionDelegate {
  readonly #callback: RequestCallback;

  constructor(callback: RequestCallback) {
    this.#callback = callback;
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    return new CallbackMessage(connection, this.#callback);
  }
}

class CallbackMessage implements HTTPMessageDelegate {
  readonly #connection: HTTPConnection;
  readonly #callback: RequestCallback;
  #startLine: RequestStartLine | undefined;
  #headers: HTTPHeaders | undefined;
  #body: BodyCollector | undefined;

  constructor(connection: HTTPConnection, callback: RequestCallback) {
    this.#connection = connection;
    this.#callback = callback;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    this.#startLine = startLine as RequestStartLine;
    this.#headers = headers;
  }

  /** The chunk is a view: it is copied. The connection's `maxBodySize` bounds what is collected. */
  dataReceived(chunk: Uint8Array): void {
    this.#body ??= new BodyCollector();
    this.#body.append(chunk);
  }

  finish(): MaybePromise {
    const body = this.#body?.take() ?? EMPTY_BYTES;
    const request = new HTTPServerRequest(
      this.#startLine as RequestStartLine,
      this.#headers as HTTPHeaders,
      this.#connection,
      body,
    );
    return this.#callback(request);
  }

  onConnectionClose(): void {
    this.#body = undefined;
  }
}
