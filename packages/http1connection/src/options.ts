// What all connections of one server share, so that each holds one reference instead of ten fields.

import { AsyncResource } from "node:async_hooks";
import { type HTTP1Options, type ResolvedHTTP1Options, resolveHTTP1Options } from "@tw/http1";
import type { HTTPServerConnectionDelegate } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { isPromiseLike, type Logger } from "@tw/util";
import { DateCache } from "./date.js";
import { Deadlines } from "./deadlines.js";
import type { HTTP1ServerConnection } from "./server-connection.js";

/** Limits of a connection. Sizes are bytes; each timeout may be 0 for none. */
export interface HTTP1ConnectionOptions extends HTTP1Options {
  /** How long a kept-alive connection may be silent between requests; it is then closed without a word. @default 75 000 */
  readonly idleTimeoutMs?: number;
  /** How long a request head may take from its first byte on, however it drips; then 408 and close. @default 60 000 */
  readonly headTimeoutMs?: number;
  /** How long a body may make no progress; then 408 and close. @default 60 000 */
  readonly bodyTimeoutMs?: number;
}

/** The options with their defaults, and what hangs on them. */
export class ServerContext {
  readonly loop: IOLoop;
  readonly logger: Logger;
  readonly delegate: HTTPServerConnectionDelegate;
  readonly machine: ResolvedHTTP1Options;
  readonly deadlines: Deadlines<HTTP1ServerConnection>;
  readonly date: DateCache;
  readonly idleTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** The async context that requests start in: that of whoever made the server, never that of another request. */
  readonly scope: AsyncResource = new AsyncResource("TWHTTPServer", { requireManualDestroy: true });

  constructor(
    loop: IOLoop,
    delegate: HTTPServerConnectionDelegate,
    options: HTTP1ConnectionOptions & { readonly logger?: Logger } = {},
  ) {
    this.loop = loop;
    this.logger = options.logger ?? loop.logger;
    this.delegate = delegate;
    this.machine = resolveHTTP1Options({ fromLatin1: nodeLatin1, ...options });
    this.idleTimeoutMs = checkTimeout("idleTimeoutMs", options.idleTimeoutMs ?? 75_000);
    this.headTimeoutMs = checkTimeout("headTimeoutMs", options.headTimeoutMs ?? 60_000);
    this.bodyTimeoutMs = checkTimeout("bodyTimeoutMs", options.bodyTimeoutMs ?? 60_000);
    const timeouts = [this.idleTimeoutMs, this.headTimeoutMs, this.bodyTimeoutMs];
    this.deadlines = new Deadlines(loop, Math.min(...timeouts.filter((ms) => ms > 0)));
    this.date = new DateCache(loop, this.deadlines);
  }

  /** Logs an error of user code. A logger that fails takes neither a connection with it nor the process. */
  report(err: unknown, message: string): void {
    try {
      this.logger.error({ err }, message);
    } catch {}
  }

  /** Logs a line about what a peer did. As {@link report}, it fails nobody. */
  remark(message: string): void {
    try {
      this.logger.warn(message);
    } catch {}
  }

  /** Calls user code whose failure changes nothing any more. */
  tell(name: string, call: () => unknown): void {
    const failed = (error: unknown) => this.report(error, `Uncaught exception in ${name}`);
    try {
      const result = call();
      if (isPromiseLike(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** How long a peer that has taken everything is listened to after we finished, so that it closes first. */
export const LINGER_MS = 2000;

/** Node's own decoder: several times faster than `String.fromCharCode`. */
export function nodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

const latin1Slice = (Buffer.prototype as unknown as { latin1Slice(start: number, end: number): string })
  .latin1Slice;

function checkTimeout(name: string, ms: number): number {
  if (!(ms >= 0) || ms > 2 ** 31 - 1) throw new RangeError(`${name} must be between 0 and 2147483647: ${ms}`);
  return ms;
}
