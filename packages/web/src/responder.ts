// The half of a RequestHandler that answers: status, fields, body.

import {
  formatTimestamp,
  HTTPHeaders,
  type HTTPServerRequest,
  type MaybePromise,
  type UpgradedStream,
} from "@tw/httputil";
import { isBytes } from "@tw/util";
import { checkStatus, HTTPError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { type RedirectOptions, redirectTo } from "./redirect.js";
import { describe, encodeJson } from "./respond.js";
import type { HandlerContext } from "./route-types.js";
import type { Settings } from "./settings.js";
import { writeErrorPage } from "./write-error.js";

/** The exchange behind a handler: for this package only, and out of the way of a subclass's names. */
export let exchangeOf: <S extends Settings>(handler: Responder<S>) => Exchange;

/** A value of a field: text, an integer, or a date, which is written as HTTP writes dates. */
export type HeaderValue = string | number | Date;

/** What can be written. An object becomes JSON. */
export type Writable = string | Uint8Array | object;

/** Status, fields and body of one answer. Until the first `flush` or the end all of it can be changed. */
export abstract class Responder<S extends Settings> {
  readonly request: HTTPServerRequest;
  readonly #exchange: Exchange;

  static {
    exchangeOf = (handler) => handler.#exchange;
  }

  constructor(context: HandlerContext<S>) {
    this.request = context.request;
    this.#exchange = context as unknown as Exchange;
  }

  /**
   * Sets status and reason phrase; a reason that is empty or could inject becomes `Unknown`.
   *
   * @throws RangeError when `status` is no integer from 200 to 599
   * @throws HeadersSentError, ResponseFinishedError when it is too late
   */
  setStatus(status: number, reason?: string): void {
    checkStatus(status);
    this.#exchange.requireOpen("set the status");
    this.#exchange.status = status;
    this.#exchange.reason = reason;
  }

  getStatus(): number {
    return this.#exchange.status;
  }

  /**
   * Sets a field, in place of all of that name.
   *
   * @throws TypeError for a name that is no token, a value with a line break, a control character or one above U+00FF,
   * and a number that is no integer (S-22, S-24)
   * @throws HeadersSentError, ResponseFinishedError when it is too late
   */
  setHeader(name: string, value: HeaderValue): void {
    this.#exchange.requireOpen("set a header");
    this.#exchange.headers.set(name, fieldText(name, value));
  }

  /** Adds a field beside those of that name. @throws as {@link setHeader} does */
  addHeader(name: string, value: HeaderValue): void {
    this.#exchange.requireOpen("add a header");
    this.#exchange.headers.add(name, fieldText(name, value));
  }

  /** Takes every field of that name back; none is fine. @throws HeadersSentError, ResponseFinishedError */
  clearHeader(name: string): void {
    this.#exchange.requireOpen("clear a header");
    this.#exchange.headers.delete(name);
  }

  /** Forgets status, fields and body, as if nothing had been set. @throws HeadersSentError, ResponseFinishedError */
  clear(): void {
    this.#exchange.requireOpen("clear");
    this.#exchange.clear();
  }

  /**
   * Adds to the body, in memory: it is sent by {@link flush} or at the end. Text is UTF-8, an object becomes JSON and
   * sets Content-Type. Bytes are not copied: leave them alone until they are sent. After the connection
   * was broken off writing does nothing.
   *
   * @throws TypeError for an array (return it instead, or wrap it), null, and what is no JSON
   * @throws ResponseFinishedError after the end
   */
  write(chunk: Writable): void {
    const exchange = this.#exchange;
    if (typeof chunk === "string" || isBytes(chunk)) return exchange.write(chunk);
    if (Array.isArray(chunk)) throw new TypeError("Cannot write an array: return it, or write an object");
    if (typeof chunk !== "object") throw new TypeError(`Cannot write ${describe(chunk)}`);
    exchange.write(encodeJson(exchange, chunk));
  }

  /**
   * Sends the head, if it is not out, and what was written. Resolves when more may be written without piling up: wait
   * for it between the pieces of a long answer.
   *
   * @throws ClientGoneError (rejects) when the client went away; nobody needs to catch it
   * @throws ResponseFinishedError (rejects) after the end
   */
  flush(): Promise<void> {
    return observed(() => this.#exchange.flush());
  }

  /**
   * Ends the answer, with a last piece. An answer that was never flushed goes out with its length, in one piece. Called
   * for a verb that returns without it. Resolves when the last piece went to the connection.
   *
   * @throws TypeError as {@link write} does
   * @throws ResponseFinishedError when it was ended before
   */
  finish(chunk?: Writable): Promise<void> {
    if (chunk !== undefined) this.write(chunk);
    const waiting = this.#exchange.finish();
    return waiting === undefined ? DONE : observed(() => waiting);
  }

  /**
   * Ends the answer with a redirect: 302, or 301 when it is permanent.
   *
   * @throws RangeError for a status outside 300 to 399
   * @throws TypeError when `url` has a control character
   * @throws HeadersSentError, ResponseFinishedError when it is too late
   */
  redirect(url: string, options: RedirectOptions = {}): void {
    redirectTo(this.#exchange, url, options);
  }

  /**
   * Ends the answer with the page of an error, in place of what was written. When a part was sent already, the
   * connection is broken off instead, so that the client sees that something is missing.
   *
   * @throws RangeError when `status` is no integer from 200 to 599
   * @throws ResponseFinishedError after the end
   */
  sendError(status = 500, options: { readonly reason?: string; readonly error?: unknown } = {}): void {
    checkStatus(status);
    const exchange = this.#exchange;
    if (exchange.state === "flushed") return exchange.abort(options.error ?? new HTTPError(status));
    if (exchange.state === "aborted") return;
    exchange.requireOpen("send an error");
    writeErrorPage(exchange, status, options.error, options.reason);
  }

  /** Answers 404. Never returns, so that it can stand behind `??`. @throws HTTPError 404, always */
  notFound(logMessage?: string): never {
    throw new HTTPError(404, logMessage);
  }

  /**
   * Answers 101 and takes the connection over: from here on the handler no longer finishes the response.
   *
   * @throws HTTPError 501 where the connection cannot be upgraded (a fetch function, HTTP/2)
   * @throws ClientGoneError, HeadersSentError, ResponseFinishedError when it is too late
   */
  protected upgrade(headers: HTTPHeaders = new HTTPHeaders()): UpgradedStream {
    return this.#exchange.upgrade(headers);
  }
}

const DONE = Promise.resolve();

/** Runs `send`; its failure rejects, and is nobody's unhandled rejection. */
function observed(send: () => MaybePromise): Promise<void> {
  let promise: Promise<void>;
  try {
    const waiting = send();
    if (waiting === undefined) return DONE;
    promise = waiting;
  } catch (error) {
    promise = Promise.reject(error);
  }
  promise.catch(() => {});
  return promise;
}

function fieldText(name: string, value: HeaderValue): string {
  if (typeof value === "string") return value;
  if (value instanceof Date) return formatTimestamp(value);
  if (Number.isSafeInteger(value)) return String(value);
  throw new TypeError(
    `Header ${name} needs text, an integer or a Date, got ${describe(value)} ${String(value)}`,
  );
}
