// Error pages.

import { xhtmlEscape } from "@tw/escape";
import { HTTPHeaders, reasonPhrase } from "@tw/httputil";
import { isPromiseLike } from "@tw/util";
import { isHTTPError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { respond } from "./respond.js";

/**
 * Tornado's page, byte for byte. S-23: the reason is one that cannot inject, and it is escaped all the same.
 *
 * @example
 * errorPage(404); // "<html><title>404: Not Found</title><body>404: Not Found</body></html>"
 */
export function errorPage(status: number, reason?: string): string {
  const text = `${status}: ${xhtmlEscape(reasonPhrase(status, reason))}`;
  return `<html><title>${text}</title><body>${text}</body></html>`;
}

/**
 * Replaces what is not sent yet by the handler's error page, and finishes. A page that fails in its turn is logged and
 * replaced by the plain one.
 */
export function writeErrorPage(exchange: Exchange, status: number, error?: unknown, reason?: string): void {
  const begin = (hooks: boolean): void => {
    exchange.clear(hooks);
    exchange.status = status;
    exchange.reason = reason ?? (isHTTPError(error) ? error.reason : undefined);
    if (!isHTTPError(error) || error.headers === undefined) return;
    for (const [name, value] of new HTTPHeaders(error.headers).getAll()) exchange.headers.add(name, value);
  };
  const plain = (second: unknown): void => {
    const { core, request } = exchange;
    core.logUncaught(request, second);
    if (exchange.state !== "open") return exchange.abort(second);
    try {
      begin(false);
      respond(exchange, errorPage(status, exchange.reason));
    } catch (third) {
      exchange.abort(third);
    }
  };
  const end = (value: unknown): void => {
    try {
      if (value !== undefined || exchange.state !== "finished") {
        const waiting = respond(exchange, value);
        if (waiting !== undefined) waiting.catch(plain);
      }
    } catch (second) {
      plain(second);
    }
  };
  try {
    begin(true);
    // 204 and 304 have no body; there is nothing to show.
    const bare = status === 204 || status === 304;
    const page = bare ? undefined : (exchange.handler?.writeError(status, error) ?? undefined);
    if (isPromiseLike(page)) page.then(end, plain);
    else if (!bare && exchange.handler === undefined) end(errorPage(status, exchange.reason));
    else end(page);
  } catch (second) {
    plain(second);
  }
}
