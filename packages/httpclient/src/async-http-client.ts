// A non-blocking HTTP client (Tornado's httpclient). Instances share nothing: no hidden singleton, no global settings.

import { type HTTP1Options, type ResolvedHTTP1Options, resolveHTTP1Options } from "@tw/http1";
import { HTTP1ClientConnection, nodeLatin1 } from "@tw/http1connection";
import { IOLoop } from "@tw/ioloop";
import { type EngineChoice, TCPClient } from "@tw/tcp";
import { withDeadline } from "@tw/tcp/deadline";
import { checkDurationMs, checkLoop, checkOptions, TwError } from "@tw/util";
import { HTTPClientError, HTTPTimeoutError } from "./errors.js";
import { buildRequest, type FetchOptions, type HTTPRequest } from "./request.js";
import { type HTTPResponse, ResponseCollector } from "./response.js";

/** Options of an {@link AsyncHTTPClient}. `maxHeadSize` and `maxBodySize` limit what a server may send. */
export interface AsyncHTTPClientOptions extends HTTP1Options {
  /** The loop to work on. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Fetches URLs. Each request has a connection of its own, which is closed behind it.
 *
 * @example
 * const response = await new AsyncHTTPClient().fetch("http://localhost:8888/");
 * console.log(response.code, response.text());
 */
export class AsyncHTTPClient implements AsyncDisposable {
  readonly loop: IOLoop;
  readonly #tcp: TCPClient;
  readonly #limits: ResolvedHTTP1Options;
  readonly #running = new Set<AbortController>();
  #closed = false;

  /**
   * @throws TypeError, RangeError for what is no loop or size
   * @throws TwError `ERR_TW_ENGINE` for an engine that there is not
   */
  constructor(options: AsyncHTTPClientOptions = {}) {
    checkOptions("options", options, { IOLoop: "loop" });
    checkLoop(options.loop);
    this.loop = options.loop ?? IOLoop.current();
    this.#tcp = new TCPClient({ ...options, loop: this.loop });
    this.#limits = resolveHTTP1Options({ fromLatin1: nodeLatin1, ...options });
  }

  /**
   * Fetches `url` and resolves with the whole response.
   *
   * @throws TypeError for a request that cannot be sent; nobody was connected to then
   * @throws RangeError for a `timeoutMs` that is no duration
   * @throws HTTPClientError for a status that is neither 2xx nor 304, unless `raiseError` is false
   * @throws HTTPTimeoutError when `timeoutMs` ran out; `during` says where
   * @throws HTTPStreamClosedError when the connection broke; its `cause` says why
   * @throws TwError `ERR_TW_CLIENT_CLOSED` after {@link close}
   */
  async fetch(url: string | URL, options: FetchOptions = {}): Promise<HTTPResponse> {
    if (this.#closed) throw new TwError("ERR_TW_CLIENT_CLOSED", "fetch() called on a closed AsyncHTTPClient");
    const request = buildRequest(url, options);
    const response = await this.#within(options, (progress, signal) =>
      this.#exchange(request, progress, signal),
    );
    if (!response.ok && response.code !== 304 && options.raiseError !== false)
      throw new HTTPClientError(response);
    return response;
  }

  /** Aborts the requests that are under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const reason = new TwError("ERR_TW_CLIENT_CLOSED", "The AsyncHTTPClient was closed");
    for (const cancel of this.#running) cancel.abort(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Runs an exchange under the caller's signal and timeout, and under {@link close}. */
  async #within(
    options: FetchOptions,
    run: (progress: Progress, signal: AbortSignal) => Promise<HTTPResponse>,
  ): Promise<HTTPResponse> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    checkDurationMs("timeoutMs", timeoutMs);
    const progress: Progress = { during: "connect" };
    const expired = () => new HTTPTimeoutError(progress.during, timeoutMs);
    return await withDeadline(this.loop, { timeoutMs, expired, signal }, async (cancel) => {
      this.#running.add(cancel);
      try {
        return await run(progress, cancel.signal);
      } finally {
        this.#running.delete(cancel);
      }
    });
  }

  async #exchange(request: HTTPRequest, progress: Progress, signal: AbortSignal): Promise<HTTPResponse> {
    const { url, method, headers, body } = request;
    const stream = await this.#tcp.connect(hostOf(url), Number(url.port || 80), { signal, timeoutMs: 0 });
    progress.during = "request";
    const collector = new ResponseCollector(request);
    const aborted = () => stream.abort(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    try {
      signal.throwIfAborted(); // while the connection was on its way to us
      const exchange = new HTTP1ClientConnection(stream, this.#limits).exchange(collector);
      // RFC 9112 §3.2.1 (1), (2): path and query; the path of a URL is never empty.
      const startLine = { method, path: url.pathname + url.search, version: "HTTP/1.1" };
      exchange.writeHeaders(startLine, headers, body);
      exchange.finish();
      return await collector.whenComplete;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", aborted);
      if (!stream.closed) stream.close();
    }
  }
}

/** How far an exchange has come, for the error that says where time ran out. */
interface Progress {
  during: "connect" | "request";
}

/** `URL` keeps the brackets of an IPv6 address; a socket does not want them. */
function hostOf(url: URL): string {
  return url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
}
