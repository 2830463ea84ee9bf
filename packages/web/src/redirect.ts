// Redirects, RFC 9110 §15.4.

import { checkURL } from "@tw/httputil";
import type { Exchange } from "./exchange.js";

/** How a redirect is answered. */
export interface RedirectOptions {
  /** 301 instead of 302: clients remember it. @default false */
  readonly permanent?: boolean;
  /** The status itself, from 300 to 399. */
  readonly status?: number;
}

/**
 * Finishes with a Location. What is not ASCII in `url` is percent-encoded; everything else goes out as it is, so that a
 * target from a client must be checked before: `//evil.example` is another site.
 *
 * @throws RangeError for a status outside 300 to 399
 * @throws TypeError when `url` has a control character (S-22: a line break would begin another field), a tab included
 * @throws HeadersSentError, ResponseFinishedError when it is too late
 */
export function redirectTo(
  exchange: Exchange,
  url: string,
  { permanent = false, status }: RedirectOptions,
): void {
  const code = status ?? (permanent ? 301 : 302);
  if (!Number.isInteger(code) || code < 300 || code > 399)
    throw new RangeError(`Not a redirect: ${String(code)}`);
  // Browsers take tabs out: a path that has one behind its first slash, and a slash behind that, would be another site.
  checkURL(url);
  exchange.requireOpen("redirect");
  exchange.headers.set(
    "Location",
    url.replace(/[\u0080-\uffff]+/g, encodeURIComponent).replaceAll(" ", "%20"),
  );
  exchange.status = code;
  exchange.reason = undefined;
  exchange.dropBody();
  void exchange.finish();
}
