// What a request gets that no delegate hears of: 503 from a server without room, RFC 9110 §15.6.4, 417 for an expectation
// that nobody has defined, RFC 9110 §10.1.1, and 501 for CONNECT where nobody opens tunnels, RFC 9110 §9.3.6. The
// connection is kept where that costs nothing, because a client that has to connect anew costs more than one that asks
// again.

import {
  type HTTPConnection,
  type HTTPHeaders,
  type HTTPMessageDelegate,
  type RequestStartLine,
  type ResponseStartLine,
  reasonPhrase,
} from "@tw/httputil";
import { announcesBody } from "./announces-body.js";
import { refusalBody, refusalHeaders } from "./refusal.js";

/** What it answers. */
export type StandInStatus = 417 | 501 | 503;

/** Seconds. */
const RETRY_AFTER = "1";

/** Answers one request in place of the server's delegate. */
export class StandIn implements HTTPMessageDelegate {
  readonly #connection: HTTPConnection;
  readonly #status: StandInStatus;
  #answered = false;

  constructor(connection: HTTPConnection, status: StandInStatus) {
    this.#connection = connection;
    this.#status = status;
  }

  /** A body would have to be read before the connection could be used again: then it is not. */
  headersReceived(_startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): void {
    if (announcesBody(headers)) this.#answer();
  }

  dataReceived(): void {}

  finish(): void {
    if (!this.#answered) this.#answer();
  }

  onConnectionClose(): void {}

  #answer(): void {
    this.#answered = true;
    const code = this.#status;
    const startLine: ResponseStartLine = { version: "HTTP/1.1", code, reason: reasonPhrase(code) };
    const headers = refusalHeaders(code);
    if (code === 503) headers.set("Retry-After", RETRY_AFTER);
    this.#connection.writeHeaders(startLine, headers, refusalBody(code));
    this.#connection.finish();
  }
}
