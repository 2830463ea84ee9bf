// The life of a request once it is complete: initialize, prepare, the verb, its answer, and what happens when one fails.
// Nothing here awaits what is not a promise: a handler that returns at once is answered before this returns.

import { isPromiseLike, isTwError } from "@tw/util";
import { type Finish, HTTPError, isHTTPError, statusOf } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { respond } from "./respond.js";
import { NO_SUCH_VERB, type Target } from "./target.js";
import { writeErrorPage } from "./write-error.js";

/** Runs the handler of a request. Never throws, never rejects. */
export function execute(exchange: Exchange, target: Target, malformed: boolean): void {
  try {
    const handler = target.create(exchange);
    const verb = target.verbOf(exchange.request.startLine.method);
    if (verb === undefined) throw notAllowed(handler, target);
    if (malformed) throw new HTTPError(400, "A parameter in the path is not UTF-8");
    const waiting = handler.prepare();
    if (isPromiseLike(waiting)) {
      waiting.then(
        () => run(exchange, target, handler, verb),
        (error) => fail(exchange, error),
      );
    } else run(exchange, target, handler, verb);
  } catch (error) {
    fail(exchange, error);
  }
}

/** The verb and its answer; nothing when `prepare` has answered. */
function run(exchange: Exchange, target: Target, handler: object, verb: string): void {
  if (exchange.state !== "open" && exchange.state !== "flushed") return;
  try {
    const result = target.call(handler, verb, exchange);
    if (result === NO_SUCH_VERB) throw notAllowed(handler, target);
    if (isPromiseLike(result)) {
      result.then(
        (value) => answer(exchange, value),
        (error) => fail(exchange, error),
      );
    } else answer(exchange, result);
  } catch (error) {
    fail(exchange, error);
  }
}

function answer(exchange: Exchange, value: unknown): void {
  try {
    const waiting = respond(exchange, value);
    if (waiting !== undefined) waiting.catch((error) => fail(exchange, error));
  } catch (error) {
    fail(exchange, error);
  }
}

/**
 * Answers for an error of user code: its status or a 500 while no head is out, else the connection is aborted, so that
 * the client sees that something is missing.
 */
export function fail(exchange: Exchange, error: unknown): void {
  const { core, request, state } = exchange;
  try {
    if (isTwError(error, "ERR_TW_FINISH")) return finishEarly(exchange, error as Finish);
    if (exchange.peerIsGone && isFarewell(error)) return exchange.abort(error);
    const status = statusOf(error);
    if (isHTTPError(error)) tell(exchange, status, error.logMessage);
    else if (status !== 500) tell(exchange, status, (error as Error).message);
    else core.logUncaught(request, error);
    if (state === "open") writeErrorPage(exchange, status, error);
    else exchange.abort(error);
  } catch (second) {
    core.logUncaught(request, second);
    exchange.abort(second);
  }
}

/** S-10: on the line that tells of the answer, while there is one to come. */
function tell(exchange: Exchange, status: number, detail: string | undefined): void {
  if (detail === undefined) return;
  if (exchange.state === "open") exchange.detail = detail;
  else exchange.core.logDetail(exchange.request, status, detail);
}

function finishEarly(exchange: Exchange, { body }: Finish): void {
  if (exchange.state === "finished" || exchange.state === "detached") return;
  answer(exchange, body);
}

/** What a handler rejects with because its client went away is no news. */
function isFarewell(error: unknown): boolean {
  return isTwError(error, "ERR_TW_CLIENT_GONE") || (error instanceof Error && error.name === "AbortError");
}

/** RFC 9110 §15.5.6 (1), RFC 9110 §10.2.1 (1): a 405 says in Allow what is allowed. */
function notAllowed(handler: object, target: Target): HTTPError {
  return new HTTPError(405, undefined, { headers: { Allow: target.allowed(handler).join(", ") } });
}
