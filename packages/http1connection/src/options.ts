// Limits of a server's connections, with their defaults: those of the machine, of time, and of number.

import type { HTTP1Options } from "@tw/http1";
import { checkDurationMs, checkInteger } from "@tw/util";

/** Limits of a connection. Sizes are bytes; each timeout may be 0 for none. */
export interface HTTP1ConnectionOptions extends HTTP1Options {
  /** How long a kept-alive connection may be silent between requests; it is then closed without a word. @default 75 000 */
  readonly idleTimeoutMs?: number;
  /** How long a request head may take from its first byte on, however it drips; then 408 and close. @default 60 000 */
  readonly headTimeoutMs?: number;
  /**
   * How long a body may make no progress; then 408 and close. A delegate that holds it back stops the clock.
   * @default 60 000
   */
  readonly bodyTimeoutMs?: number;
  /**
   * How long a peer may take nothing of what is queued for it; then the connection is aborted, which the delegate is told
   * and a pending `write()` settles by. It comes after one to one and a half times as long. @default 60 000
   */
  readonly writeTimeoutMs?: number;
  /**
   * Bytes per second that a peer must send of a body, and take of an answer, on average, from the first `bodyTimeoutMs`
   * and `writeTimeoutMs` on; slower ones end as if they had stood still. A peer that makes progress byte by byte could
   * otherwise hold a connection for ever. 0 lets it. @default 240
   */
  readonly minRate?: number;
  /**
   * Requests that are worked on at a time, on all connections of the server together. The next one is answered with 503
   * and `Retry-After`, before the delegate hears of it. @default as many as there are connections
   */
  readonly maxInFlight?: number;
  /**
   * Whether CONNECT reaches the delegate, RFC 9110 §9.3.6. It opens the tunnel with `upgrade()`, which answers 200 and gives
   * the stream, or refuses it with any other status, and then the connection closes: what a peer sends behind a CONNECT
   * may be meant for the tunnel. Otherwise it is answered with 501. @default false
   */
  readonly allowConnect?: boolean;
  /** Requests of one connection; the last one is answered with `Connection: close`. @default no limit */
  readonly maxRequestsPerConnection?: number;
}

/** What a peer is held to while it is sent an answer. */
export interface Pace {
  readonly writeTimeoutMs: number;
  readonly minRate: number;
}

/** The timeouts with their defaults, in milliseconds. */
export interface Timeouts extends Pace {
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
}

/** More connections, and more requests on one, than there can be: an integer that costs nothing to compare. */
const NO_LIMIT = 2 ** 30 - 1;

/** What a timer of Node can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @throws TypeError, RangeError for what is no duration, or no rate */
export function resolveTimeouts(options: HTTP1ConnectionOptions): Timeouts {
  const { idleTimeoutMs = 75_000, headTimeoutMs = 60_000, bodyTimeoutMs = 60_000 } = options;
  const { writeTimeoutMs = 60_000, minRate = 240 } = options;
  checkTimeout("idleTimeoutMs", idleTimeoutMs);
  checkTimeout("headTimeoutMs", headTimeoutMs);
  checkTimeout("bodyTimeoutMs", bodyTimeoutMs);
  checkTimeout("writeTimeoutMs", writeTimeoutMs);
  checkRate("minRate", minRate);
  return { idleTimeoutMs, headTimeoutMs, bodyTimeoutMs, writeTimeoutMs, minRate };
}

/** A number of things from 1 on; left out, or `Infinity`: no limit. @throws TypeError, RangeError otherwise */
export function resolveCount(name: string, value: number | undefined): number {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return NO_LIMIT;
  checkInteger(name, value, 1, NO_LIMIT);
  return value;
}

/** Throws unless `ms` can be a timeout. @throws TypeError on anything but a number; RangeError on one that is too large */
export function checkTimeout(name: string, ms: number): void {
  checkDurationMs(name, ms, MAX_TIMEOUT_MS);
}

function checkRate(name: string, rate: unknown): void {
  if (typeof rate !== "number")
    throw new TypeError(`${name} must be a number of bytes per second, got ${typeof rate}`);
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY))
    throw new RangeError(`${name} must be a finite number of bytes per second from 0 on, got ${rate}`);
}
