// Where an answer goes when the request came as a Web `Request`: a `Response` is made of it.
//
// The Response is made when the code that wrote the head has returned. By then most answers are complete and go in whole;
// one that is not becomes a stream, whose reader sets the pace.

import {
  type BodyChunk,
  type ConnectionContext,
  type HTTPConnection,
  type HTTPHeaders,
  HTTPOutputError,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { Deferred, rejected } from "@tw/util";
import { bytesOf, joinChunks } from "./body.js";
import { ClientGoneError, checkStatus } from "./errors.js";

/** Bytes that a stream holds before writing has to wait. */
const HIGH_WATER_MARK = 64 * 1024;

/** Where the answer stands: `whole` collects it, `stream` hands it on. */
type State = "none" | "whole" | "stream" | "complete" | "aborted";

interface Head {
  readonly startLine: ResponseStartLine;
  readonly headers: HTTPHeaders;
}

/** The connection of one Web request. It has no upgrade. */
export class FetchConnection implements HTTPConnection {
  readonly context: ConnectionContext;
  readonly #bodiless: boolean;
  readonly #deferred = new Deferred<Response>();
  #state: State = "none";
  #head: Head | undefined;
  #chunks: BodyChunk[] = [];
  #expected: number | undefined;
  #written = 0;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #drained: Deferred | undefined;
  readonly #onCancel: (reason: unknown) => void;
  readonly #nextTurn: () => Promise<void>;

  /** `onCancel` is told when the reader of the body gives up; `nextTurn` is what who answers without one waits for. */
  constructor(
    method: string,
    context: ConnectionContext,
    onCancel: (reason: unknown) => void,
    nextTurn: () => Promise<void>,
  ) {
    this.context = context;
    this.#nextTurn = nextTurn;
    this.#bodiless = method === "HEAD";
    this.#onCancel = onCancel;
  }

  /** Resolves when the head is there. */
  get response(): Promise<Response> {
    return this.#deferred.promise;
  }

  writeHeaders(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
    chunk?: BodyChunk,
  ): MaybePromise {
    if (this.#state === "aborted") return;
    if (this.#state !== "none") throw new HTTPOutputError("The head of this response was written already");
    if (!("code" in startLine)) throw new TypeError("A server answers with a response start line");
    checkStatus(startLine.code); // before anything has changed: another answer can still be given
    const length = headers.get("Content-Length");
    if (length !== null && !this.#headOnly(startLine.code)) this.#expected = Number(length);
    this.#head = { startLine, headers };
    this.#state = "whole";
    queueMicrotask(() => this.#beginStream());
    return chunk === undefined || this.#headOnly() ? undefined : this.write(chunk);
  }

  write(chunk: BodyChunk): MaybePromise {
    if (this.#state === "aborted") return rejected(new ClientGoneError());
    if (this.#state !== "whole" && this.#state !== "stream")
      throw new HTTPOutputError("Cannot write a body now");
    if (chunk.length === 0) return;
    // Who never ends would keep the loop otherwise.
    if (this.#headOnly()) return this.#nextTurn();
    const bytes = bytesOf(chunk);
    this.#written += bytes.length;
    if (this.#expected !== undefined && this.#written > this.#expected) {
      throw this.#mismatch(
        "ERR_TW_BODY_TOO_LONG",
        `more than the ${this.#expected} bytes of its Content-Length`,
      );
    }
    if (this.#state === "whole") return void this.#chunks.push(chunk);
    return this.#enqueue(bytes);
  }

  finish(): void {
    if (this.#state === "aborted") return;
    if (this.#state !== "whole" && this.#state !== "stream") throw new HTTPOutputError("Cannot finish now");
    if (this.#expected !== undefined && this.#written < this.#expected) {
      throw this.#mismatch(
        "ERR_TW_BODY_TOO_SHORT",
        `${this.#written} of the ${this.#expected} bytes of its Content-Length`,
      );
    }
    if (this.#state === "whole")
      this.#resolve(this.#chunks.length === 0 ? null : (joinChunks(this.#chunks) as Uint8Array<ArrayBuffer>));
    else this.#controller?.close();
    this.#state = "complete";
  }

  abort(reason?: unknown): void {
    if (this.#state === "aborted" || this.#state === "complete") return;
    const error = reason ?? new HTTPOutputError("The response was broken off");
    this.#state = "aborted";
    this.#controller?.error(error);
    this.#deferred.reject(error);
    this.#release();
  }

  /** HEAD, 204 and 304 have a head only, RFC 9110 §6.4.1; a Response has none with 205 either. */
  #headOnly(code: number = this.#head?.startLine.code ?? 200): boolean {
    return this.#bodiless || code === 204 || code === 205 || code === 304;
  }

  #beginStream(): void {
    if (this.#state !== "whole") return;
    this.#state = "stream";
    if (this.#headOnly()) return this.#resolve(null);
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#release(),
        cancel: (reason) => {
          this.#state = "aborted";
          this.#release();
          this.#onCancel(reason);
        },
      },
      { highWaterMark: HIGH_WATER_MARK, size: (chunk) => chunk?.length ?? 0 },
    );
    this.#resolve(body);
    for (const chunk of this.#chunks) this.#enqueue(bytesOf(chunk));
    this.#chunks = [];
  }

  #enqueue(bytes: Uint8Array): MaybePromise {
    // A reader may keep what it is given, and a writer may use its array again. `slice` of a Buffer would be a view.
    this.#controller?.enqueue(new Uint8Array(bytes));
    if ((this.#controller?.desiredSize ?? 1) > 0) return;
    this.#drained ??= new Deferred();
    return this.#drained.promise;
  }

  #release(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.resolve();
  }

  #resolve(body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null): void {
    const { startLine, headers } = this.#head as Head;
    const fields = new Headers();
    for (const [name, value] of headers.getAll()) fields.append(name, value);
    const init = { status: startLine.code, statusText: startLine.reason, headers: fields };
    this.#deferred.resolve(new Response(body, init));
  }

  /** The codes are those of the HTTP/1.1 machine: a handler is told the same, whatever drives it. */
  #mismatch(code: string, what: string): HTTPOutputError {
    const error = new HTTPOutputError(`The body has ${what}`, { code });
    this.abort(error);
    return error;
  }
}
