// How a fetch fails.

import { isTwError, TwError } from "@tw/util";
import type { HTTPResponse } from "./response.js";

/** The server answered with a status that is neither 2xx nor 304. */
export class HTTPClientError extends TwError {
  readonly response: HTTPResponse;

  constructor(response: HTTPResponse) {
    super("ERR_TW_HTTP_STATUS", `HTTP ${response.code}: ${response.reason}`);
    this.response = response;
  }
}

/** Time ran out. */
export class HTTPTimeoutError extends TwError {
  /** What was going on. */
  readonly during: "connect" | "request";

  constructor(during: "connect" | "request", timeoutMs: number, options?: ErrorOptions) {
    super("ERR_TW_HTTP_TIMEOUT", `Timeout during ${during}: ${timeoutMs} ms`, options);
    this.during = during;
  }
}

/**
 * The server closed the connection before its response was complete; or we did, since that broke the protocol or is larger
 * than it may be, which the `cause` says.
 */
export class HTTPStreamClosedError extends TwError {
  constructor(cause: unknown) {
    super("ERR_TW_HTTP_STREAM_CLOSED", isRefusal(cause) ? REFUSED : CLOSED, { cause });
  }
}

const CLOSED = "The server closed the connection before its response was complete";
const REFUSED = "The response of the server was refused";

/** An `HTTPInputError`, by brand and shape, unless all that is wrong is that the end is missing. */
function isRefusal(cause: unknown): boolean {
  return isTwError(cause) && "status" in cause && cause.code !== "ERR_TW_MESSAGE_TRUNCATED";
}
