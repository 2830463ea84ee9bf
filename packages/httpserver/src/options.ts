// What an HTTP server may be told.

import type { HTTP1ConnectionOptions } from "@tw/http1connection";
import type { ParseBodyConfig } from "@tw/httputil";
import type { TCPServerOptions } from "@tw/tcp";
import type { Logger } from "@tw/util";
import type { AccessLog } from "./access-log.js";
import type { DecompressOptions } from "./decompress.js";
import type { RequestContextOptions } from "./request-context.js";
import type { ProxyOptions } from "./trusted-proxies.js";

/** Options of an {@link HTTPServer}: those of its connections and of its sockets. */
export interface HTTPServerOptions extends HTTP1ConnectionOptions, TCPServerOptions, ProxyOptions {
  /** Where errors of handlers go. @default the loop's logger */
  readonly logger?: Logger;
  /**
   * Calls the callback when the head is in, and leaves the body to it: `request.chunks()`, `request.multipart()`. It is
   * not collected, so that `maxBodySize` may be large; it is read as fast as the callback reads, so that a client may
   * have to wait. A delegate gets bodies as they come anyway. @default false
   */
  readonly streamRequestBody?: boolean;
  /**
   * Decodes request bodies that are compressed (gzip, deflate, br, zstd where Node has it): handlers see them as if they
   * had not been. What they decode to counts against `maxBodySize`; other codings are answered with 415. With `false` the
   * handler gets the bytes as they came, and the Content-Encoding. @default false
   */
  readonly decompressRequest?: boolean | DecompressOptions;
  /**
   * Which requests are logged when their answer is over. `true`: all, in Tornado's form `200 GET / (127.0.0.1) 1.23ms`,
   * as info below 400, as warnings below 500, else as errors. `"errors"`: those from 400 on, without the time, because
   * reading the clock costs. A function is given each entry instead; nobody waits for it, and what it throws or rejects
   * with is logged. Peers that were refused before there was a request are entries too. An `Application` has a log of its
   * own. @default false
   */
  readonly accessLog?: AccessLog;
  /**
   * Gives each request an id, which stands in every record that loggers of `@tw/log` write on its behalf, and a context:
   * see `currentRequest`. @default false
   */
  readonly requestContext?: boolean | RequestContextOptions;
  /**
   * What becomes of connections beyond `maxConnections`: they `"wait"` in the kernel's queue until another one closes, or
   * the server is to `"refuse"` them: then they get 503 with `Retry-After` for their first request. Of those there may be
   * 1 024 at a time; the next ones wait. @default "wait"
   */
  readonly overload?: "wait" | "refuse";
  /**
   * Milliseconds that {@link HTTPServer.drain} gives what is under way, also when SIGINT or SIGTERM come to an
   * `IOLoop.start()`. @default 25 000
   */
  readonly drainTimeoutMs?: number;
  /** Limits of queries and forms for a callback's requests. @default those of `ParseBodyConfig` */
  readonly parseBodyConfig?: ParseBodyConfig;
}
