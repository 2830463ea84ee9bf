// What servers and clients of HTTP say about themselves on `node:diagnostics_channel`; see docs/diagnostics.md.
//
//   start ──► response head ──► finish │ error │ upgrade        the same `connection` in all messages of one request

import { channel } from "node:diagnostics_channel";
import type {
  ConnectionContext,
  HTTPConnection,
  HTTPHeaders,
  RequestStartLine,
  ResponseStartLine,
  UpgradedStream,
} from "@tw/httputil";
import type { DiagnosticsChannel } from "@tw/ioloop";

/** A fact about one request, of a server or of a client. */
export interface HTTPRequestMessage {
  /** One object for each request, the same in all its messages: a key for a `WeakMap`. */
  readonly connection: HTTPConnection;
  /** The loop's monotonic time in milliseconds. */
  readonly time: number;
}

/**
 * The head of a request has come (server) or goes out (client). On a server it is published in the async context of the
 * request, before the delegate hears of it: what a subscriber enters with `enterWith` the delegate is in.
 */
export interface HTTPRequestStartMessage extends HTTPRequestMessage {
  readonly startLine: RequestStartLine;
  /** Those of the request itself: look, and leave them as they are. */
  readonly headers: HTTPHeaders;
}

/** The head of the response goes out (server) or has come (client); 1xx are not told. */
export interface HTTPResponseStartMessage extends HTTPRequestMessage {
  readonly startLine: ResponseStartLine;
  /** As the answering code gave them (server) or as they came (client). */
  readonly headers: HTTPHeaders;
}

/** The response is complete: handed to the stream (server), or received (client). */
export interface HTTPRequestFinishMessage extends HTTPRequestMessage {}

/** A request will not have a whole response. */
export interface HTTPRequestErrorMessage {
  /** As in the other messages; `undefined` where a peer was refused before there was a request. */
  readonly connection: HTTPConnection | undefined;
  readonly time: number;
  /** The peer. */
  readonly context: ConnectionContext;
  /** What broke: the stream's error, what `abort` was given, the `HTTPInputError` of a peer; may be `undefined`. */
  readonly error: unknown;
  /** The status that a server refused its peer with; else 0. */
  readonly status: number;
}

/** The connection was given away after a 101, and the request is over. */
export interface HTTPUpgradeMessage extends HTTPRequestMessage {
  /** The connection's `IOStream`. */
  readonly stream: UpgradedStream;
}

/** The channels of one role. */
export interface HTTPChannels {
  readonly requestStart: DiagnosticsChannel<HTTPRequestStartMessage>;
  readonly responseStart: DiagnosticsChannel<HTTPResponseStartMessage>;
  readonly requestFinish: DiagnosticsChannel<HTTPRequestFinishMessage>;
  readonly requestError: DiagnosticsChannel<HTTPRequestErrorMessage>;
  readonly upgrade: DiagnosticsChannel<HTTPUpgradeMessage>;
}

export const serverChannels: HTTPChannels = {
  requestStart: channel("tw:httpserver:requestStart"),
  responseStart: channel("tw:httpserver:responseStart"),
  requestFinish: channel("tw:httpserver:requestFinish"),
  requestError: channel("tw:httpserver:requestError"),
  upgrade: channel("tw:httpserver:upgrade"),
};

export const clientChannels: HTTPChannels = {
  requestStart: channel("tw:httpclient:requestStart"),
  responseStart: channel("tw:httpclient:responseStart"),
  requestFinish: channel("tw:httpclient:requestFinish"),
  requestError: channel("tw:httpclient:requestError"),
  upgrade: channel("tw:httpclient:upgrade"),
};
