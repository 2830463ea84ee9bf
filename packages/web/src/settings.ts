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
   * Which requests are logged when their answer is out, as `200 GET / (127.0.0.1) 1.23ms`: `"errors"` those with a
   * status from 400 on (as warnings, from 500 on as errors); `true` all, as Tornado does (the others as info); `false`
   * none. A line for each request costs more than answering it, hence the default.
   *
   * @default "errors"
   */
  readonly accessLog?: boolean | "errors";
  /** Called for every request when its answer is out, instead of the access log. What it throws is logged. */
  readonly logFunction?: (finished: FinishedRequest) => void;
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
