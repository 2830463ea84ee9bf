// What a request gets that a server has no room for: 503 and the advice to come again, RFC 9110 §15.6.4. The connection
// is kept where that costs nothing, because a client that has to connect anew costs more than one that asks again.

import {
  type HTTPConnection,
  HTTPHeaders,
  type HTTPMessageDelegate,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";

/** Seconds. */
const RETRY_AFTER = "1";

const UNAVAILABLE: ResponseStartLine = { version: "HTTP/1.1", code: 503, reason: "Service Unavailable" };

/** Answers one request in place of the server's delegate. */
export class Overloaded implements HTTPMessageDelegate {
  readonly #connection: HTTPConnection;
  #answered = false;

  constructor(connection: HTTPConnection) {
    this.#connection = connection;
  }

  /** A body would have to be read before the connection could be used again: then it is not. */
  headersReceived(_startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    if (headers.has("Transfer-Encoding") || (headers.get("Content-Length") ?? "0") !== "0") this.#answer();
  }

  dataReceived(): void {}

  finish(): void {
    if (!this.#answered) this.#answer();
  }

  onConnectionClose(): void {}

  #answer(): void {
    this.#answered = true;
    const headers = new HTTPHeaders({ "Retry-After": RETRY_AFTER, "Content-Length": "0" });
    this.#connection.writeHeaders(UNAVAILABLE, headers);
    this.#connection.finish();
  }
}
