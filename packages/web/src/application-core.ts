// What an exchange asks of its application: settings, worked out once.

import type { HTTPServerRequest } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { isPromiseLike, type Logger, logSafely } from "@tw/util";
import { type FinishedRequest, logAccess, summary } from "./access-log.js";
import type { Exchange } from "./exchange.js";
import type { Settings } from "./settings.js";

/** Settings with their defaults, and the ways to the logs. */
export class ApplicationCore {
  /** The Application itself. */
  readonly owner: object;
  readonly settings: Settings;
  /** The lowest status that is logged. */
  readonly logFrom: number;
  /** Whether the clock is read for each request: that costs as much as finding its handler. */
  readonly timed: boolean;
  readonly #logFunction: ((finished: FinishedRequest) => unknown) | undefined;
  #loop: IOLoop | undefined;

  /** @throws RangeError, TypeError for a setting that cannot be */
  constructor(owner: object, settings: Settings) {
    const { accessLog = "errors", logFunction, maxBodySize } = settings;
    if (accessLog !== "errors" && typeof accessLog !== "boolean") {
      throw new TypeError(`accessLog is true, false or "errors", not ${String(accessLog)}`);
    }
    if (maxBodySize !== undefined && !(Number.isInteger(maxBodySize) && maxBodySize >= 0)) {
      throw new RangeError(`maxBodySize is a number of bytes, not ${String(maxBodySize)}`);
    }
    this.owner = owner;
    this.settings = settings;
    this.#logFunction = logFunction;
    this.#loop = settings.loop;
    this.logFrom =
      logFunction !== undefined || accessLog === true ? 0 : accessLog === "errors" ? 400 : Infinity;
    this.timed = this.logFrom === 0;
  }

  get loop(): IOLoop {
    this.#loop ??= IOLoop.current();
    return this.#loop;
  }

  get logger(): Logger {
    return this.settings.logger ?? this.loop.logger;
  }

  /** Logs a request whose answer is out. S-10: what was wrong with it is on the same line. */
  logRequest(exchange: Exchange): void {
    const { request, status, startedAt, detail } = exchange;
    // A function is given facts alone.
    if (this.#logFunction !== undefined && detail !== undefined) this.logDetail(request, status, detail);
    try {
      const durationMs = this.timed ? this.loop.time() - startedAt : undefined;
      if (this.#logFunction === undefined) logAccess(this.logger, request, status, durationMs, detail);
      else {
        const logged = this.#logFunction({ request, status, durationMs: durationMs ?? 0 });
        if (isPromiseLike(logged)) logged.then(undefined, (error) => this.logUncaught(request, error));
      }
    } catch (error) {
      this.logUncaught(request, error);
    }
  }

  /** Logs what was wrong with a request that has no line in the access log. */
  logDetail(request: HTTPServerRequest, status: number, detail: string): void {
    quietly(() => logAccess(this.logger, request, status, undefined, detail));
  }

  /** Logs an error of user code, with the request it was made for. */
  logUncaught(request: HTTPServerRequest, error: unknown): void {
    logSafely(this.logger, "error", { err: error }, `Uncaught exception ${summary(request)}`);
  }
}

/** A logger that throws must not take the request with it, nor the process. */
function quietly(log: () => void): void {
  try {
    log();
  } catch {
    // There is nowhere left to say so.
  }
}
