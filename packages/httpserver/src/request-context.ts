// What is done for a request knows which one it is: an id in every record that is logged on its behalf, and the request
// itself for code that was not handed it. A delegate around the delegate; without the option there is none of this.

import { AsyncLocalStorage } from "node:async_hooks";
import type {
  HTTPConnection,
  HTTPHeaders,
  HTTPMessageDelegate,
  HTTPServerConnectionDelegate,
  MaybePromise,
  RequestStartLine,
  ResponseStartLine,
} from "@tw/httputil";
import { withLogContext } from "@tw/log";
import type { Logger } from "@tw/util";
import { HeadFirstDelegate, HeadFirstMessage } from "./head-first.js";
import { IdAnswer, type RequestIdOptions, RequestIds } from "./request-id.js";

/** Options of a request's context: where its id comes from and goes to. */
export interface RequestContextOptions extends RequestIdOptions {
  /**
   * Answers with the id in this field, such as `X-Request-Id`, unless the answer has one of that name.
   * @default in none
   */
  readonly responseHeader?: string;
}

/** The request on whose behalf something is done. */
export class RequestContext {
  /** As it stands in records of the log, as `requestId`. */
  readonly id: string;
  readonly startLine: RequestStartLine;
  readonly headers: HTTPHeaders;
  /** Where the answer is written, and who asked: `connection.context.remoteIp`. */
  readonly connection: HTTPConnection;
  #values: Map<unknown, unknown> | undefined;

  /** @internal Made for each request. */
  constructor(id: string, startLine: RequestStartLine, headers: HTTPHeaders, connection: HTTPConnection) {
    this.id = id;
    this.startLine = startLine;
    this.headers = headers;
    this.connection = connection;
  }

  /** What your code keeps for the rest of this request, under keys of your own: its user, its transaction. */
  get values(): Map<unknown, unknown> {
    this.#values ??= new Map();
    return this.#values;
  }
}

/**
 * The request on whose behalf this code runs: across promises, timers, callbacks of the loop, queues and streams, up to
 * the last of what it began. `undefined` outside of requests, and where the server has no `requestContext` option.
 *
 * @example
 * const server = new HTTPServer(app, { requestContext: true });
 * function audit(what: string) {
 *   record(what, currentRequest()?.id);
 * }
 */
export function currentRequest(): RequestContext | undefined {
  return storage.getStore();
}

/** Two copies of this package in one thread share it. */
const storage = sharedStorage();

/** Enters the context of each request. */
export class RequestContextDelegate extends HeadFirstDelegate {
  readonly ids: RequestIds;
  readonly responseHeader: string | undefined;

  /** @throws TypeError for options that are none */
  constructor(inner: HTTPServerConnectionDelegate, options: true | RequestContextOptions, logger: Logger) {
    super(inner);
    if (options !== true && (typeof options !== "object" || options === null))
      throw new TypeError(`requestContext must be a boolean or an object, got ${String(options)}`);
    const { responseHeader, ...idOptions } = options === true ? {} : options;
    this.ids = new RequestIds(idOptions, logger);
    this.responseHeader = IdAnswer.checkName(responseHeader);
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    return new ContextMessage(this, connection);
  }
}

/** Announces its request within its context, which everything else that is done for it is then in too. */
class ContextMessage extends HeadFirstMessage {
  readonly #delegate: RequestContextDelegate;

  constructor(delegate: RequestContextDelegate, connection: HTTPConnection) {
    super(delegate.inner, connection);
    this.#delegate = delegate;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise {
    const { ids, responseHeader } = this.#delegate;
    const { connection } = this;
    const id = ids.of(startLine as RequestStartLine, headers, connection.context);
    if (responseHeader !== undefined) connection.observeAnswer?.(new IdAnswer(responseHeader, id));
    const context = new RequestContext(id, startLine as RequestStartLine, headers, connection);
    const begin = (): MaybePromise => {
      connection.adoptContext?.();
      return this.begin(startLine, headers);
    };
    return storage.run(context, () => withLogContext({ requestId: id }, begin));
  }
}

function sharedStorage(): AsyncLocalStorage<RequestContext> {
  const key = Symbol.for("@tw/httpserver.requestContext");
  const home = globalThis as { [key: symbol]: AsyncLocalStorage<RequestContext> | undefined };
  const known = home[key];
  if (known !== undefined) return known;
  const made = new AsyncLocalStorage<RequestContext>();
  Object.defineProperty(globalThis, key, { value: made });
  return made;
}
