// One request and its response, from the client's side: the mirror of server-exchange.ts.

import type { HTTP1Machine } from "@tw/http1";
import {
  type BodyChunk,
  type ConnectionContext,
  type FileRange,
  type HTTPConnection,
  type HTTPHeaders,
  type HTTPMessageDelegate,
  HTTPOutputError,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { checkFileRange, type IOStream } from "@tw/iostream";
import { isPromiseLike } from "@tw/util";
import { afterDropping, checkTrailers, isFileFault, sendFilePiece, sendPiece } from "./body-writer.js";
import { clientChannels as channels } from "./channels.js";
import type { HTTP1ClientConnection } from "./client-connection.js";
import { isFarewell, refuseWrite } from "./farewell.js";

/** `announced`: subscribers are told of the head, which is not out yet. */
type RequestState = "none" | "announced" | "head" | "complete";
type ResponseState = "awaited" | "complete" | "switched" | "gone";

/** The client's side of one request: where the request is written, and what feeds its delegate. */
export class ClientExchange implements HTTPConnection {
  readonly #connection: HTTP1ClientConnection;
  readonly #machine: HTTP1Machine;
  readonly #message: HTTPMessageDelegate;
  #request: RequestState = "none";
  #response: ResponseState = "awaited";

  constructor(connection: HTTP1ClientConnection, machine: HTTP1Machine, message: HTTPMessageDelegate) {
    this.#connection = connection;
    this.#machine = machine;
    this.#message = message;
  }

  get context(): ConnectionContext {
    return this.#connection;
  }

  get #time(): number {
    return this.#connection.stream.loop.time();
  }

  writeHeaders(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
    chunk?: BodyChunk,
  ): MaybePromise {
    if (this.#response === "gone") return refuseWrite(this.#connection.stream);
    if (this.#request !== "none") throw new HTTPOutputError("The head of this request was written already");
    if (!("method" in startLine)) throw new TypeError("A client asks with a request start line");
    const head = this.#machine.writeHead(startLine, headers);
    this.#request = "announced";
    if (channels.requestStart.hasSubscribers)
      channels.requestStart.publish({ connection: this, time: this.#time, startLine, headers });
    this.#request = "head";
    return this.#send(head, chunk ?? "");
  }

  write(chunk: BodyChunk): MaybePromise {
    const { stream } = this.#connection;
    if (this.#response === "gone") return refuseWrite(stream);
    if (this.#request !== "head")
      throw new HTTPOutputError("Cannot write a body: no head is out, or the request is complete");
    return this.#machine.bodyAllowed ? this.#send("", chunk) : afterDropping(stream);
  }

  writeFile(file: FileRange): MaybePromise {
    checkFileRange(file);
    const { stream } = this.#connection;
    if (this.#response === "gone") return refuseWrite(stream);
    if (this.#request !== "head")
      throw new HTTPOutputError("Cannot write a body: no head is out, or the request is complete");
    if (!this.#machine.bodyAllowed) return afterDropping(stream);
    let sent: Promise<void> | undefined;
    try {
      sent = sendFilePiece(stream, this.#machine, file);
    } catch (error) {
      this.abort(error);
      throw error;
    }
    const written = sent?.catch((error) => {
      if (isFileFault(error)) throw error;
    });
    written?.catch(ignore);
    return written;
  }

  #send(head: string, chunk: BodyChunk): MaybePromise {
    try {
      if (!sendPiece(this.#connection.stream, this.#machine, head, chunk)) return this.#connection.drained();
    } catch (error) {
      this.abort(error);
      throw error;
    }
  }

  finish(trailers?: HTTPHeaders): void {
    checkTrailers(trailers);
    if (this.#response === "gone" || this.#request === "complete") return;
    if (this.#request !== "head") throw new HTTPOutputError("Cannot finish: no head was written");
    try {
      const end = this.#machine.writeEnd(trailers);
      if (end !== "") this.#connection.stream.send(end);
    } catch (error) {
      this.abort(error);
      throw error;
    }
    this.#request = "complete";
    this.#completeIfBoth();
  }

  abort(reason?: unknown): void {
    this.#connection.stream.abort(reason);
  }

  /** Whether the server agreed to another protocol, and nobody has taken the stream yet. */
  get switched(): boolean {
    return this.#response === "switched";
  }

  /** From `headersReceived` with 101 on: yields the stream with what came behind the response. */
  detach(): IOStream {
    if (this.#response !== "switched") throw new HTTPOutputError("The server did not switch protocols");
    this.#response = "gone";
    const stream = this.#connection.handOver();
    if (channels.upgrade.hasSubscribers)
      channels.upgrade.publish({ connection: this, time: this.#time, stream });
    return stream;
  }

  /** Gives the delegate what the machine has. @throws HTTPInputError, or what the delegate threw */
  feed(): MaybePromise {
    while (this.#response === "awaited") {
      const event = this.#machine.next();
      if (event === undefined) return;
      let waiting: unknown;
      if (event.type === "information") {
        this.#observe(this.#message.informationReceived?.(startLineOf(event), event.headers));
      } else if (event.type === "response") {
        if (event.code === 101) this.#response = "switched";
        const startLine = startLineOf(event);
        const { headers } = event;
        if (channels.responseStart.hasSubscribers)
          channels.responseStart.publish({ connection: this, time: this.#time, startLine, headers });
        waiting = this.#message.headersReceived(startLine, headers);
      } else if (event.type === "data") waiting = this.#message.dataReceived(event.bytes);
      else if (event.type === "end") this.#received(event.trailers);
      else return;
      if (isPromiseLike(waiting)) return waiting as Promise<void>;
    }
  }

  #received(trailers: HTTPHeaders | undefined): void {
    if (trailers !== undefined) this.#observe(this.#message.trailersReceived?.(trailers));
    this.#response = "complete";
    if (channels.requestFinish.hasSubscribers)
      channels.requestFinish.publish({ connection: this, time: this.#time });
    this.#completeIfBoth();
    this.#observe(this.#message.finish());
  }

  /** A response may be complete before its request is: the connection is then of no further use. */
  #completeIfBoth(): void {
    if (this.#response !== "complete") return;
    if (this.#request === "complete") return this.#connection.completed();
    this.#response = "gone";
    this.#connection.stream.abort();
  }

  /** Nobody waits for this promise, but its rejection is an error of user code like any other. */
  #observe(result: unknown): void {
    if (!isPromiseLike(result)) return;
    result.then(undefined, (error) => {
      if (this.#response !== "gone" || !isFarewell(error)) this.#connection.failed(error);
    });
  }

  /** The stream is gone, or its peer broke the protocol. */
  peerGone(error: unknown): void {
    if (this.#response === "complete" || this.#response === "gone") return;
    this.#response = "gone";
    if (channels.requestError.hasSubscribers && this.#request !== "none") {
      const { context } = this;
      channels.requestError.publish({ connection: this, time: this.#time, context, error, status: 0 });
    }
    this.#observe(this.#message.onConnectionClose(error));
  }
}

function ignore(): void {}

function startLineOf(event: { version: string; code: number; reason: string }): ResponseStartLine {
  return { version: event.version, code: event.code, reason: event.reason };
}
