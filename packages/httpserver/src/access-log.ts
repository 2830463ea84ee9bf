// A line per request: a delegate around the delegate that watches each answer. Without the option there is none of this.

import type {
  AnswerEnd,
  AnswerObserver,
  HTTPConnection,
  HTTPHeaders,
  HTTPMessageDelegate,
  HTTPServerConnectionDelegate,
  MaybePromise,
  Refusal,
  RequestStartLine,
  ResponseStartLine,
} from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { type AccessEntry, logAccess } from "@tw/log";
import type { Logger } from "@tw/util";
import { HeadFirstDelegate, HeadFirstMessage } from "./head-first.js";
import { loggedCall } from "./logged-call.js";

/** Which requests are logged, and how; see the option `accessLog` of `HTTPServerOptions`. */
export type AccessLog = boolean | "errors" | ((entry: AccessEntry) => void);

/** Whether there is something for an {@link AccessLogDelegate} to do. @throws TypeError for what is no access log */
export function hasAccessLog(accessLog: AccessLog | undefined): accessLog is true | "errors" | LogFunction {
  if (typeof accessLog === "function" || accessLog === "errors" || accessLog === true) return true;
  if (accessLog === undefined || accessLog === false) return false;
  throw new TypeError(`accessLog is true, false, "errors" or a function, not ${String(accessLog)}`);
}

type LogFunction = (entry: AccessEntry) => void;

/** Logs the requests of the delegate within. */
export class AccessLogDelegate extends HeadFirstDelegate {
  readonly #loop: IOLoop;
  readonly #logger: Logger;
  readonly #log: LogFunction;
  readonly #all: boolean;
  /** Whether somebody reads what our own line does not have. */
  readonly #whole: boolean;

  constructor(
    inner: HTTPServerConnectionDelegate,
    accessLog: true | "errors" | LogFunction,
    loop: IOLoop,
    logger: Logger,
  ) {
    super(inner);
    this.#loop = loop;
    this.#logger = logger;
    this.#log = typeof accessLog === "function" ? accessLog : (entry) => logAccess(logger, entry);
    this.#all = accessLog !== "errors";
    this.#whole = typeof accessLog === "function";
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    return new LoggedMessage(this, connection);
  }

  override onRefused(refusal: Refusal): void {
    const { startLine, headers, context, status } = refusal;
    const { remoteIp } = context;
    this.log(startLine, headers, { remoteIp, status, outcome: "refused" });
    return super.onRefused(refusal);
  }

  /** The time, where it is written; reading a clock costs as much as parsing a header field. */
  now(): number | undefined {
    return this.#all ? this.#loop.time() : undefined;
  }

  /** Whether a request with that status is logged. */
  wants(status: number): boolean {
    return this.#all || status >= 400;
  }

  /** A function that fails takes no request with it. */
  log(startLine: RequestStartLine | undefined, headers: HTTPHeaders | undefined, facts: Facts): void {
    loggedCall(this.#logger, "accessLog", () =>
      this.#log(new Entry(startLine, this.#whole ? headers : undefined, facts)),
    );
  }
}

/** One request that may be logged. */
class LoggedMessage extends HeadFirstMessage implements AnswerObserver {
  readonly #log: AccessLogDelegate;
  #startedAt: number | undefined;
  #startLine: RequestStartLine | undefined;
  #headers: HTTPHeaders | undefined;
  #remoteIp = "";
  #status = 0;
  #bytesReceived = 0;
  #bytesSent = 0;

  constructor(log: AccessLogDelegate, connection: HTTPConnection) {
    super(log.inner, connection);
    this.#log = log;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise {
    this.#startedAt = this.#log.now();
    this.#startLine = startLine as RequestStartLine;
    this.#headers = headers;
    // When a connection has broken not every engine knows any more whose it was.
    if (this.#startedAt !== undefined) this.#remoteIp = this.connection.context.remoteIp;
    this.connection.observeAnswer?.(this);
    return this.begin(startLine, headers);
  }

  override dataReceived(chunk: Uint8Array): MaybePromise {
    this.#bytesReceived += chunk.length;
    return super.dataReceived(chunk);
  }

  onAnswerHead({ code }: ResponseStartLine): undefined {
    this.#status = code;
  }

  onAnswerData(size: number): void {
    this.#bytesSent += size;
  }

  onAnswerOver({ outcome, status }: AnswerEnd): void {
    const log = this.#log;
    const code = status === 0 ? this.#status : status;
    if (!log.wants(code)) return;
    const now = log.now();
    log.log(this.#startLine, this.#headers, {
      status: code,
      remoteIp: this.#remoteIp === "" ? this.connection.context.remoteIp : this.#remoteIp,
      durationMs: now === undefined ? undefined : now - (this.#startedAt as number),
      bytesReceived: this.#bytesReceived,
      bytesSent: this.#bytesSent,
      outcome,
    });
  }
}

type Facts = Pick<
  AccessEntry,
  "status" | "remoteIp" | "durationMs" | "bytesReceived" | "bytesSent" | "outcome"
>;

/** All of it is its own, so that a copy and its JSON have it too. */
class Entry implements AccessEntry {
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly status: number;
  readonly remoteIp: string;
  readonly durationMs: number | undefined;
  readonly bytesReceived: number | undefined;
  readonly bytesSent: number | undefined;
  readonly outcome: AccessEntry["outcome"];
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;

  constructor(startLine: RequestStartLine | undefined, headers: HTTPHeaders | undefined, facts: Facts) {
    this.method = startLine?.method ?? "";
    this.uri = startLine?.path ?? "";
    this.version = startLine?.version ?? "";
    this.status = facts.status;
    this.remoteIp = facts.remoteIp;
    this.durationMs = facts.durationMs;
    this.bytesReceived = facts.bytesReceived;
    this.bytesSent = facts.bytesSent;
    this.outcome = facts.outcome;
    this.referer = headers?.get("Referer") ?? undefined;
    this.userAgent = headers?.get("User-Agent") ?? undefined;
  }
}
