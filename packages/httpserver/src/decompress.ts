// Bodies of requests that were compressed (Tornado's `decompress_request`): a delegate around the delegate.
//
//   exchange ──gzip──► DecompressMessage ──decoded──► the server's own delegate
//
// What comes out counts against `maxBodySize`, as it comes out (S-08). The delegate sees a request that was never
// compressed: no Content-Encoding, no Content-Length, and `X-Consumed-Content-Encoding` for who wants to know.

import { type ContentCoding, ContentDecoder, contentCodings, parseContentCodings } from "@tw/http1connection";
import {
  type HTTPConnection,
  HTTPHeaders,
  type HTTPMessageDelegate,
  type HTTPServerConnectionDelegate,
  type MaybePromise,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { checkInteger, isPromiseLike } from "@tw/util";
import { HeadFirstDelegate, HeadFirstMessage } from "./head-first.js";

/** Options of decompression. */
export interface DecompressOptions {
  /** The codings to undo; a request in another is answered with 415. @default all that this Node has: `contentCodings` */
  readonly encodings?: readonly ContentCoding[];
  /** Bytes of a decoded body; beyond it 413. @default the request's `maxBodySize` */
  readonly maxSize?: number;
}

/** The options, checked. */
interface Decompression {
  readonly codings: readonly ContentCoding[];
  readonly maxSize: number | undefined;
}

/** Hands requests on decoded. */
export class DecompressDelegate extends HeadFirstDelegate {
  readonly #decompression: Decompression;

  /** @throws TypeError, RangeError for options that are none */
  constructor(inner: HTTPServerConnectionDelegate, options: true | DecompressOptions) {
    super(inner);
    this.#decompression = checkOptions(options);
  }

  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    return new DecompressMessage(this.inner, connection, this.#decompression);
  }
}

class DecompressMessage extends HeadFirstMessage {
  readonly #decompression: Decompression;
  #codings: readonly ContentCoding[] = [];
  /** There from the first byte of a coded body on. */
  #decoder: ContentDecoder | undefined;
  #trailers: HTTPHeaders | undefined;
  /** All has come; what the decoder still has is on its way. */
  #finishing = false;
  /** The peer has gone, or finished sending, meanwhile. */
  #gone: { readonly error: unknown } | undefined;
  #over = false;

  constructor(
    delegate: HTTPServerConnectionDelegate,
    connection: HTTPConnection,
    decompression: Decompression,
  ) {
    super(delegate, connection);
    this.#decompression = decompression;
  }

  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise {
    const value = headers.get("Content-Encoding");
    // Only we say what was consumed.
    headers.delete(CONSUMED);
    if (value !== null) {
      const codings = parseContentCodings(value, this.#decompression.codings);
      if (codings === undefined) return this.#refuse();
      headers.delete("Content-Encoding");
      if (codings.length > 0) {
        headers.delete("Content-Length");
        headers.set(CONSUMED, value);
      }
      this.#codings = codings;
    }
    return this.begin(startLine, headers);
  }

  /** RFC 9110 §15.5.16: a 415 for a content coding says which ones would have been taken. */
  #refuse(): void {
    this.#over = true;
    const accepted = this.#decompression.codings.join(", ") || "identity";
    const headers = new HTTPHeaders({
      "Accept-Encoding": accepted,
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": String(UNSUPPORTED_BODY.length),
    });
    this.connection.writeHeaders(UNSUPPORTED, headers, UNSUPPORTED_BODY);
    this.connection.finish();
  }

  override dataReceived(chunk: Uint8Array): MaybePromise {
    if (this.#over) return;
    if (this.#codings.length === 0) return this.inner?.dataReceived(chunk);
    this.#decoder ??= this.#open();
    return this.#decoder.write(chunk).catch((error) => this.#failed(error));
  }

  #open(): ContentDecoder {
    const maxSize = this.#decompression.maxSize ?? this.connection.maxBodySize ?? Number.POSITIVE_INFINITY;
    return new ContentDecoder(this.#codings, (piece) => this.#decoded(piece), { maxSize });
  }

  #decoded(piece: Uint8Array): MaybePromise {
    try {
      const taking = this.inner?.dataReceived(piece);
      if (isPromiseLike(taking)) return Promise.resolve(taking).catch(asFault);
    } catch (error) {
      asFault(error);
    }
  }

  /** Trailers come behind the data, some of which may still be with the decoder. */
  override trailersReceived(trailers: HTTPHeaders): void {
    if (this.#decoder === undefined) return super.trailersReceived(trailers);
    this.#trailers = trailers;
  }

  override finish(): MaybePromise {
    if (this.#over) return;
    if (this.#decoder === undefined) return super.finish();
    this.#finishing = true;
    return this.#decoder.end().then(
      () => this.#finished(),
      (error) => this.#failed(error),
    );
  }

  #finished(): MaybePromise {
    if (this.#trailers !== undefined) this.#observe(super.trailersReceived(this.#trailers));
    this.#finishing = false;
    const finishing = super.finish();
    if (this.#gone !== undefined) this.#observe(this.onConnectionClose(this.#gone.error));
    return finishing;
  }

  /** Either the delegate failed; or the peer's content was none, which the peer is told, and then the delegate. */
  #failed(error: unknown): void {
    if (error instanceof DelegateFault) throw error.cause;
    if (this.#over) return;
    this.#over = true;
    this.#fail(error);
    this.#observe(super.onConnectionClose(error));
  }

  #fail(error: unknown): void {
    if (this.connection.fail === undefined) this.connection.abort(error);
    else this.connection.fail(error);
  }

  /** What the delegate is told later than its exchange would: nobody waits for it, but its rejection is an error of its own. */
  #observe(result: unknown): void {
    if (isPromiseLike(result)) result.then(undefined, (error) => this.#fail(error));
  }

  /** A client may finish sending behind its request, and wait for the answer: the request comes first. */
  override onConnectionClose(error?: unknown): void {
    if (this.#finishing) this.#gone = { error };
    else if (this.#end()) return super.onConnectionClose(error);
  }

  override onAnswerEnd(): void {
    if (this.#end()) return super.onAnswerEnd();
  }

  /** Lets the decoder and its memory go; false when there is nothing left to be told of. */
  #end(): boolean {
    this.#decoder?.close();
    const told = this.#over;
    this.#over = true;
    return !told;
  }
}

/** Tells what the delegate threw from what the decoder did. */
class DelegateFault extends Error {}

function asFault(cause: unknown): never {
  throw new DelegateFault("The delegate failed", { cause });
}

function checkOptions(options: true | DecompressOptions): Decompression {
  if (options === true) return { codings: contentCodings, maxSize: undefined };
  if (typeof options !== "object" || options === null)
    throw new TypeError("decompressRequest must be true or an object of options");
  const { encodings = contentCodings, maxSize } = options;
  if (!Array.isArray(encodings)) throw new TypeError("decompressRequest.encodings must be an array");
  for (const each of encodings as readonly ContentCoding[])
    if (!contentCodings.includes(each))
      throw new RangeError(
        `decompressRequest.encodings: ${JSON.stringify(each)} is none of ${contentCodings.join(", ")}`,
      );
  if (maxSize !== undefined && maxSize !== Number.POSITIVE_INFINITY)
    checkInteger("decompressRequest.maxSize", maxSize);
  return { codings: [...encodings], maxSize };
}

/** The field that says what was undone. */
export const CONSUMED = "X-Consumed-Content-Encoding";
const UNSUPPORTED: ResponseStartLine = { version: "HTTP/1.1", code: 415, reason: "Unsupported Media Type" };
const UNSUPPORTED_BODY = "Unsupported Media Type\n";
