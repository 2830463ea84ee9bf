// What handlers throw, and what this package throws at them.

import { type HTTPHeadersInit, reasonPhrase } from "@tw/httputil";
import { isTwError, quote, TwError } from "@tw/util";

/** Options of {@link HTTPError}. */
export interface HTTPErrorOptions extends ErrorOptions {
  /** Reason phrase instead of the registered one; `Unknown` when it is empty, or could inject into the head or the page. */
  readonly reason?: string;
  /** Fields of the answer, such as `Retry-After`; all others set so far are dropped. */
  readonly headers?: HTTPHeadersInit;
  /** Stable code of a subclass. @default "ERR_TW_HTTP_ERROR" */
  readonly code?: string;
}

/**
 * Thrown by a handler to answer with a status. Whatever was written and not flushed is replaced by `writeError`'s page;
 * 204 and 304 are sent bare. `logMessage` stands on the line of the log that tells of the request, and is never sent.
 *
 * @throws RangeError when `status` is no integer from 200 to 599
 * @example
 * throw new HTTPError(403, "user 7 may not see story 12");
 */
export class HTTPError extends TwError {
  readonly status: number;
  readonly logMessage: string | undefined;
  /** The one that was given. */
  readonly reason: string | undefined;
  readonly headers: HTTPHeadersInit | undefined;

  constructor(status: number, logMessage?: string, options: HTTPErrorOptions = {}) {
    checkStatus(status);
    const reason = reasonPhrase(status, options.reason);
    const message = `HTTP ${status}: ${reason}${logMessage === undefined ? "" : ` (${logMessage})`}`;
    super(options.code ?? "ERR_TW_HTTP_ERROR", message, options);
    this.status = status;
    this.logMessage = logMessage;
    this.reason = options.reason;
    this.headers = options.headers;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Tells whether `error` is an {@link HTTPError}, of any copy of this package. */
export function isHTTPError(error: unknown): error is HTTPError {
  return typeof error === "object" && error !== null && brand in error;
}

/** What an error is answered with: the status of an HTTPError, or of an HTTPInputError (the client's mistake); else 500. */
export function statusOf(error: unknown): number {
  if (isHTTPError(error)) return error.status;
  const { status } = (isTwError(error) ? error : {}) as { readonly status?: unknown };
  return typeof status === "number" && status >= 400 && status <= 599 ? status : 500;
}

/** Thrown by a handler to end the response as it stands, without an error: from deep inside, or from `prepare`. */
export class Finish extends TwError {
  /** Last piece of the body. */
  readonly body: string | Uint8Array | undefined;

  constructor(body?: string | Uint8Array) {
    super("ERR_TW_FINISH", "The response is finished");
    this.body = body;
  }
}

/** A required argument is not in the request; answered with 400. */
export class MissingArgumentError extends HTTPError {
  readonly argumentName: string;

  constructor(argumentName: string) {
    super(400, `Missing argument ${quote(argumentName)}`, { code: "ERR_TW_MISSING_ARGUMENT" });
    this.argumentName = argumentName;
  }
}

/** One thing that a schema found wrong: Standard Schema's issue. */
export interface BodyIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The body is JSON but not what the schema asks for; answered with 422. `writeError` may show the issues. */
export class InvalidBodyError extends HTTPError {
  readonly issues: readonly BodyIssue[];

  constructor(issues: readonly BodyIssue[]) {
    super(422, undefined, { code: "ERR_TW_INVALID_BODY" });
    this.issues = issues;
  }
}

/** Something was written, set or returned after the response was finished or handed over. */
export class ResponseFinishedError extends TwError {
  constructor(what: string) {
    super("ERR_TW_RESPONSE_FINISHED", `Cannot ${what}: the response is finished`);
  }
}

/** The head of the response is out already, so it cannot be changed any more. */
export class HeadersSentError extends TwError {
  constructor(what: string) {
    super("ERR_TW_HEADERS_SENT", `Cannot ${what}: the head of the response is sent`);
  }
}

/** The client went away before its answer was complete: the reason of `signal`, and what `flush()` rejects with. */
export class ClientGoneError extends TwError {
  constructor(cause?: unknown) {
    super("ERR_TW_CLIENT_GONE", "The client went away", cause === undefined ? undefined : { cause });
  }
}

/** @throws RangeError when `status` cannot be the status of a final response, RFC 9110 §15 */
export function checkStatus(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return;
  throw new RangeError(`Not a status from 200 to 599: ${String(status)}`);
}

const brand: unique symbol = Symbol.for("@tw/web.HTTPError") as never;
