// What an application can be told. An application's own settings extend this interface.

import type { IOLoop } from "@tw/ioloop";
import type { Logger } from "@tw/util";
import type { FinishedRequest } from "./access-log.js";

/** Settings of an `Application`; extend it with what your handlers need (a database, a secret). */
export interface Settings {
  /** Where errors and the access log go. @default the loop's logger */
  readonly logger?: Logger;
  /** Clock, and where `listen` serves. @default `IOLoop.current()` of the first request */
  readonly loop?: IOLoop;
  /**
   * Which requests are logged when their answer is out. `true`: all, as Tornado does, in its form
   * `200 GET / (127.0.0.1) 1.23ms`, as info below 400, as warnings below 500, else as errors. `"errors"`: those from 400
   * on, without the time, because reading the clock for each request costs as much as finding its handler. `false`: none.
   * What was wrong with a request (the message of an error that carries a status, such as `HTTPError`) is on the same line,
   * `400 POST / (127.0.0.1): The body does not begin with its boundary`, and on one of its own where there is none.
   *
   * @default "errors"
   */
  readonly accessLog?: boolean | "errors";
  /**
   * Called for every request when its answer is out, instead of the access log. Nobody waits for it; what it throws or
   * rejects with is logged, and so is what was wrong with a request.
   */
  readonly logFunction?: (finished: FinishedRequest) => unknown;
  /**
   * Sends the stack of an uncaught error to the client as text, for development. It shows your code to whoever makes
   * it fail.
   *
   * @default false
   */
  readonly serveTraceback?: boolean;
  /**
   * Bytes of a request's body. `fetch` answers 413 past it; `listen` hands it to the server, which does the same.
   * A client can make each of its connections hold that much.
   *
   * @default 10485760 (10 MiB)
   */
  readonly maxBodySize?: number;
}
