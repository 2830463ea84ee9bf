// What all connections of one server share, so that each holds one reference instead of twenty fields.

import { AsyncResource } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import { HTTP1Machine, type ResolvedHTTP1Options, resolveHTTP1Options } from "@tw/http1";
import type { HTTPServerConnectionDelegate, Refusal } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { isPromiseLike, type Logger, logSafely } from "@tw/util";
import { DateCache } from "./date.js";
import { Deadlines } from "./deadlines.js";
import { Grace } from "./grace.js";
import { type HTTP1ConnectionOptions, resolveCount, resolveTimeouts, type Timeouts } from "./options.js";
import type { HTTP1ServerConnection } from "./server-connection.js";
import { LOOKS } from "./write-watch.js";

/** How often a server that refuses requests says so in its log. */
const WARNING_INTERVAL_MS = 60_000;

/** The options with their defaults, and what hangs on them. */
export class ServerContext {
  readonly loop: IOLoop;
  readonly logger: Logger;
  readonly delegate: HTTPServerConnectionDelegate;
  readonly #machine: ResolvedHTTP1Options;
  /** A machine whose connection is idle again. */
  #spare: HTTP1Machine | undefined;
  readonly deadlines: Deadlines<HTTP1ServerConnection>;
  /** Who may ask once more before it is closed. */
  readonly grace: Grace;
  readonly date: DateCache;
  readonly pace: Timeouts;
  // In ticks of the deadlines; 0 is never.
  readonly idleTicks: number;
  readonly headTicks: number;
  /** Between two looks at a peer that is sent something. */
  readonly lookTicks: number;
  readonly allowConnect: boolean;
  readonly maxInFlight: number;
  readonly maxRequestsPerConnection: number;
  /** Requests that are worked on. */
  inFlight = 0;
  /** What has become of connections so far: served at all, closed while they asked for nothing, upgraded. */
  readonly tally: { served: number; idle: number; upgraded: number } = { served: 0, idle: 0, upgraded: 0 };
  /** The async context that requests start in: that of whoever made the server, never that of another request. */
  readonly scope: AsyncResource = new AsyncResource("TWHTTPServer", { requireManualDestroy: true });
  #draining = drainController();
  #nextWarning = Number.NEGATIVE_INFINITY;

  constructor(
    loop: IOLoop,
    delegate: HTTPServerConnectionDelegate,
    options: HTTP1ConnectionOptions & { readonly logger?: Logger } = {},
  ) {
    this.loop = loop;
    this.logger = options.logger ?? loop.logger;
    this.delegate = delegate;
    this.#machine = resolveHTTP1Options({ fromLatin1: nodeLatin1, ...options });
    this.allowConnect = options.allowConnect ?? false;
    if (typeof this.allowConnect !== "boolean") throw new TypeError("allowConnect must be a boolean");
    this.maxInFlight = resolveCount("maxInFlight", options.maxInFlight);
    this.maxRequestsPerConnection = resolveCount(
      "maxRequestsPerConnection",
      options.maxRequestsPerConnection,
    );
    const pace = resolveTimeouts(options);
    const { idleTimeoutMs, headTimeoutMs, bodyTimeoutMs, writeTimeoutMs } = pace;
    const timeouts = [idleTimeoutMs, headTimeoutMs, bodyTimeoutMs, writeTimeoutMs / LOOKS];
    const deadlines = new Deadlines<HTTP1ServerConnection>(
      loop,
      Math.min(...timeouts.filter((ms) => ms > 0)),
    );
    this.pace = pace;
    this.deadlines = deadlines;
    this.idleTicks = deadlines.ticks(idleTimeoutMs);
    this.headTicks = deadlines.ticks(headTimeoutMs);
    this.lookTicks = deadlines.ticks(writeTimeoutMs / LOOKS);
    this.grace = new Grace(loop);
    this.date = new DateCache(loop, deadlines);
  }

  /** Bytes that the body of a request may have, unless the request says otherwise. */
  get maxBodySize(): number {
    return this.#machine.maxBodySize;
  }

  /** A machine for a connection whose peer begins to ask. Making one costs as much as reading a small head. */
  takeMachine(): HTTP1Machine {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare ?? new HTTP1Machine("server", this.#machine);
  }

  /**
   * Takes back a machine whose cycle is complete and whose input is used up, so that nothing is left in it that anybody waits
   * for. The exchange that had it has been answered, and asks it nothing any more.
   */
  giveMachine(machine: HTTP1Machine): void {
    machine.renew();
    this.#spare = machine;
  }

  /** Aborted when the server drains. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** Tells whoever listens to {@link draining}; connections that are made from now on take leave of their peers. */
  drain(reason: unknown): void {
    this.#draining.abort(reason);
  }

  /** The server listens again. */
  reopen(): void {
    if (!this.#draining.signal.aborted) return;
    this.#draining = drainController();
    this.grace.reset();
  }

  /** Whether one more request is too many; it says so in the log, but not for each. */
  isOverloaded(): boolean {
    if (this.inFlight <= this.maxInFlight) return false;
    const now = this.loop.time();
    if (now >= this.#nextWarning) {
      this.#nextWarning = now + WARNING_INTERVAL_MS;
      this.remark(`${this.maxInFlight} requests are being worked on; the next ones are answered with 503`);
    }
    return true;
  }

  /** Logs an error of user code. A logger that fails takes neither a connection with it nor the process. */
  report(err: unknown, message: string): void {
    logSafely(this.logger, "error", { err }, message);
  }

  /** Logs a line about what a peer did. As {@link report}, it fails nobody. */
  remark(message: string): void {
    logSafely(this.logger, "warn", undefined, message);
  }

  /** Tells whoever keeps a log of peers that were answered without the delegate. */
  tellRefused(refusal: Refusal): void {
    if (this.delegate.onRefused !== undefined)
      this.tell("onRefused", () => this.delegate.onRefused?.(refusal));
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

/** Node's own decoder: several times faster than `String.fromCharCode`. */
export function nodeLatin1(bytes: Uint8Array, start: number, end: number): string {
  return latin1Slice.call(bytes, start, end);
}

const latin1Slice = (Buffer.prototype as unknown as { latin1Slice(start: number, end: number): string })
  .latin1Slice;

/** Every connection may wait for it: Node would take more than ten for a leak. */
function drainController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
