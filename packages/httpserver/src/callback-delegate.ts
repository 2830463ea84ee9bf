// Tornado's plain callback: collects a request whole and calls a function with it.

import { BodyCollector } from "@tw/http1connection";
import {
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
import { EMPTY_BYTES } from "@tw/util";

/** Handles one request, whole; it answers through `request.connection`. */
export type RequestCallback = (request: HTTPServerRequest) => MaybePromise;

/** Makes a delegate of a function. */
export function callbackDelegate(
  callback: RequestCallback,
  config?: ParseBodyConfig,
): HTTPServerConnectionDelegate {
  return { startRequest: (connection) => new CallbackMessage(connection, callback, config) };
}

class CallbackMessage implements HTTPMessageDelegate {
  readonly #connection: HTTPConnection;
  readonly #callback: RequestCallback;
  readonly #config: ParseBodyConfig | undefined;
  #startLine: RequestStartLine | undefined;
  #headers: HTTPHeaders | undefined;
  #body: BodyCollector | undefined;

  constructor(connection: HTTPConnection, callback: RequestCallback, config: ParseBodyConfig | undefined) {
    this.#connection = connection;
    this.#callback = callback;
    this.#config = config;
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
      this.#config === undefined ? undefined : new RequestBody(undefined, this.#config),
    );
    return this.#callback(request);
  }

  onConnectionClose(): void {
    this.#body = undefined;
  }
}
