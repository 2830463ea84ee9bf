// What came back, and the delegate that collects it.

import { BodyCollector } from "@tw/http1connection";
import {
  type HTTPHeaders,
  HTTPInputError,
  type HTTPMessageDelegate,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { Deferred, fromUtf8 } from "@tw/util";
import { HTTPStreamClosedError } from "./errors.js";
import type { HTTPRequest } from "./request.js";

/** A whole response. */
export class HTTPResponse {
  readonly request: HTTPRequest;
  readonly code: number;
  readonly reason: string;
  readonly headers: HTTPHeaders;
  /** The body; the caller's own. */
  readonly body: Uint8Array;

  constructor(request: HTTPRequest, startLine: ResponseStartLine, headers: HTTPHeaders, body: Uint8Array) {
    this.request = request;
    this.code = startLine.code;
    this.reason = startLine.reason;
    this.headers = headers;
    this.body = body;
  }

  /** Whether the status is 2xx. */
  get ok(): boolean {
    return this.code >= 200 && this.code < 300;
  }

  /** The body as UTF-8. */
  text(): string {
    return fromUtf8(this.body);
  }

  /** The body as JSON. @throws SyntaxError */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** Collects a response; the connection's `maxBodySize` bounds it. */
export class ResponseCollector implements HTTPMessageDelegate {
  readonly #request: HTTPRequest;
  readonly #result = new Deferred<HTTPResponse>();
  readonly #body = new BodyCollector();
  #startLine: ResponseStartLine | undefined;
  #headers: HTTPHeaders | undefined;

  constructor(request: HTTPRequest) {
    this.#request = request;
    // Whoever cannot send the request does not come to wait for the response.
    this.#result.promise.catch(ignore);
  }

  /** The response. Rejects with {@link HTTPStreamClosedError}. */
  get whenComplete(): Promise<HTTPResponse> {
    return this.#result.promise;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    this.#startLine = startLine as ResponseStartLine;
    // Another protocol begins, and nobody here speaks it.
    if (this.#startLine.code === 101) throw new HTTPInputError("101 to a fetch");
    this.#headers = headers;
  }

  dataReceived(chunk: Uint8Array): void {
    this.#body.append(chunk);
  }

  finish(): void {
    const body = this.#body.take();
    this.#result.resolve(
      new HTTPResponse(
        this.#request,
        this.#startLine as ResponseStartLine,
        this.#headers as HTTPHeaders,
        body,
      ),
    );
  }

  onConnectionClose(error?: unknown): void {
    this.#result.reject(new HTTPStreamClosedError(error));
  }
}

function ignore(): void {}
