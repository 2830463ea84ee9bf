// A driver of the delegate trio for Web requests: what `app.fetch` is made of.

import {
  type ConnectionContext,
  HTTPHeaders,
  type HTTPMessageDelegate,
  type HTTPServerConnectionDelegate,
  type RequestStartLine,
} from "@tw/httputil";
import { isBytes, isPromiseLike } from "@tw/util";
import { FetchConnection } from "./fetch-connection.js";
import { describe } from "./respond.js";

/** What a Web `Request` does not say about its connection. */
export interface FetchInfo {
  /** Numeric address of the client. @default "127.0.0.1" */
  readonly remoteIp?: string;
}

/** What the driver is told of its application. */
export interface FetchOptions {
  readonly maxBodySize: number;
  /** Resolves in the next turn of the loop. */
  readonly nextTurn: () => Promise<void>;
}

/** Feeds one request to `delegate`, and answers with what it writes. 413 past `maxBodySize`. */
export async function fetchThrough(
  delegate: HTTPServerConnectionDelegate,
  request: Request,
  info: FetchInfo,
  { maxBodySize, nextTurn }: FetchOptions,
): Promise<Response> {
  const { signal } = request;
  signal.throwIfAborted();
  const url = new URL(request.url);
  const protocol = url.protocol === "https:" ? "https" : "http";
  const context: ConnectionContext = { remoteIp: info.remoteIp ?? "127.0.0.1", remotePort: 0, protocol };
  let message: HTTPMessageDelegate | undefined;
  const gone = (reason: unknown): void => message?.onConnectionClose(reason);
  const connection = new FetchConnection(request.method, context, gone, nextTurn);
  message = delegate.startRequest(connection);
  const onAbort = (): void => {
    connection.abort(signal.reason);
    gone(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  feed(message, request, url, maxBodySize).then(
    (complete) => {
      if (complete) return;
      gone(undefined);
      const tooLarge = { version: "HTTP/1.1", code: 413, reason: "Content Too Large" };
      const text = `${tooLarge.reason}\n`;
      const headers = { "Content-Type": "text/plain; charset=utf-8", "Content-Length": String(text.length) };
      connection.writeHeaders(tooLarge, new HTTPHeaders(headers), text);
      connection.finish();
    },
    (error) => {
      connection.abort(error);
      gone(error);
    },
  );
  return connection.response;
}

/** Head, body, end. False when the body is larger than it may be. Does not wait where there is nothing to wait for. */
async function feed(
  message: HTTPMessageDelegate,
  request: Request,
  url: URL,
  maxBodySize: number,
): Promise<boolean> {
  const startLine: RequestStartLine = {
    method: request.method,
    path: url.pathname + url.search,
    version: "HTTP/1.1",
  };
  const headers = new HTTPHeaders(request.headers);
  if (!headers.has("Host")) headers.set("Host", url.host);
  if (Number(headers.get("Content-Length")) > maxBodySize) return refuse(request);
  const waiting = message.headersReceived(startLine, headers);
  if (isPromiseLike(waiting)) await waiting;
  if (request.body !== null) {
    const reader = request.body.getReader();
    let received = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (!isBytes(part.value)) {
        reader.cancel().catch(ignore);
        throw noBytes(part.value);
      }
      received += part.value.length;
      if (received > maxBodySize) {
        reader.cancel().catch(ignore);
        return false;
      }
      const busy = message.dataReceived(part.value);
      if (isPromiseLike(busy)) await busy;
    }
  }
  const last = message.finish();
  if (isPromiseLike(last)) await last;
  return true;
}

/** What a stream of somebody's own may hold: as a chunk it would have no length, or the length of its characters. */
function noBytes(value: unknown): TypeError {
  return new TypeError(`The body of a Request consists of bytes, got ${describe(value)}`);
}

async function refuse(request: Request): Promise<boolean> {
  request.body?.cancel().catch(ignore);
  return false;
}

function ignore(): void {}
