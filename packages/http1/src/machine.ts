// HTTP/1.1 without I/O, for both roles, RFC 9112. The caller owns the connection: it offers what it received, pulls
// events until there are none, and sends the text that the writing methods return.
//
//   bytes ──receive()──► [ window │ section scanner │ head reader │ body reader ] ──next()──► events
//   text  ◄──────────── [ head writer │ body writer ] ◄── writeHead() frameData() writeEnd()
//
// One message is read and one is written in each cycle; which of them is the request is all that the role decides.
// Pipelined requests wait in the window until `startNextCycle()`.
//
// A machine is small, and idle it holds no buffer: servers keep tens of thousands.

import {
  type HTTPHeaders,
  HTTPInputError,
  HTTPOutputError,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import { type BodyReader, LengthReader, truncated, UntilCloseReader } from "./body-readers.js";
import { type BodyWriter, NO_BODY_WRITER } from "./body-writers.js";
import { ChunkedReader } from "./chunked-reader.js";
import { CLOSED, END, type HTTP1Event, type RequestEvent, type ResponseEvent } from "./events.js";
import { opensTunnel, requestHead, responseHead, switchHead, type WriteHeadOptions } from "./head-framing.js";
import { type RequestHead, type ResponseHead, readRequestHead, readResponseHead } from "./head-reader.js";
import { statusLine, writeFields } from "./head-writer.js";
import { InputWindow } from "./input-window.js";
import { limit, type ResolvedHTTP1Options } from "./options.js";
import { lines, scanSection } from "./section-scanner.js";
import { READING, type ReadingState, WRITING, type WritingState } from "./states.js";

/** Whose end of the connection a machine is. */
export type HTTP1Role = "server" | "client";

/** 1xx responses before a final one. A server that sends more keeps the client waiting for ever. */
const MAX_INFORMATIONS = 32;

/**
 * One end of an HTTP/1.1 connection.
 *
 * @example
 * const machine = new HTTP1Machine("server", resolveHTTP1Options());
 * machine.receive(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
 * machine.next(); // { type: "request", method: "GET", target: "/", … }
 * machine.next(); // { type: "end", trailers: undefined }
 * machine.writeHead({ version: "HTTP/1.1", code: 200, reason: "OK" }, new HTTPHeaders(), { contentLength: 0 });
 * machine.writeEnd();
 * machine.startNextCycle();
 */
export class HTTP1Machine {
  readonly #role: HTTP1Role;
  readonly #options: ResolvedHTTP1Options;
  #input: InputWindow | undefined = undefined;
  #ended = false;
  #error: unknown = undefined;
  #reading: ReadingState = READING.idle;
  /** There while the reading state is `body`. */
  #body: BodyReader | undefined = undefined;
  #maxBodySize: number;
  #informations = 0;
  /** Method of the request of this cycle, whichever side sent it. */
  #method = "";
  /** The request of this cycle asked for an upgrade. */
  #upgradeAsked = false;
  #peerIs11 = true;
  #peerPersists = true;
  #writing: WritingState = WRITING.idle;
  #writer: BodyWriter = NO_BODY_WRITER;
  #persists = true;

  constructor(role: HTTP1Role, options: ResolvedHTTP1Options) {
    this.#role = role;
    this.#options = options;
    this.#maxBodySize = options.maxBodySize;
  }

  /**
   * Offers input. It is read by `next()`; what that leaves must be copied by `retain()` before the view is reused.
   * A caller that does not want to buffer without bound stops reading while `next()` returns undefined and
   * `buffered` is not 0 after a complete message.
   */
  receive(view: Uint8Array): void {
    if (this.#error !== undefined || view.length === 0) return;
    this.#window().push(view);
  }

  /** The peer finished sending. What that means, `next()` tells. */
  receiveEnd(): void {
    this.#ended = true;
  }

  /**
   * The next event, or undefined when that takes more input, or the next cycle, or another protocol has taken over.
   * The bytes of a data event are a view of the input, valid until the machine is called again.
   *
   * @throws HTTPInputError when the peer broke the protocol; then the same error for ever
   */
  next(): HTTP1Event | undefined {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.#next();
    } catch (error) {
      this.#error = error;
      this.#input = undefined;
      this.#body = undefined;
      throw error;
    }
  }

  /** Copies what is left of the views, so that they may be reused. Bytes of earlier data events stay where they are. */
  retain(): void {
    if (this.#input === undefined) return;
    if (this.#input.length === 0) this.#input = undefined;
    else this.#input.own();
  }

  /** Bytes received and not consumed. */
  get buffered(): number {
    return this.#input === undefined ? 0 : this.#input.length;
  }

  /**
   * What came after the last message of HTTP, when another protocol has taken over (101, CONNECT): a copy. The machine
   * is done then.
   *
   * @throws HTTPOutputError when no other protocol has taken over
   */
  takeRest(): Uint8Array {
    if (this.#reading !== READING.switched && this.#reading !== READING.switching) {
      throw misuse("takeRest", this.#reading.name);
    }
    const input = this.#input ?? new InputWindow();
    this.#input = undefined;
    return new Uint8Array(input.buf.subarray(input.at, input.end));
  }

  /** Sets the limit of the body of the message that is being read, and of that one only. @throws RangeError */
  setMaxBodySize(bytes: number): void {
    this.#maxBodySize = limit("maxBodySize", bytes);
  }

  /**
   * Goes on to the next request and response, when both of this cycle are complete. Pipelined input is kept.
   *
   * @throws HTTPOutputError when one of them is not, or when the connection is not to be used again
   */
  startNextCycle(): void {
    const { next: nextReading } = this.#reading;
    const { next: nextWriting } = this.#writing;
    if (nextReading === undefined || nextWriting === undefined || !this.keepAlive) {
      throw misuse("startNextCycle", `reading ${this.#reading.name}, writing ${this.#writing.name}`);
    }
    this.#reading = nextReading;
    this.#writing = nextWriting;
    this.#maxBodySize = this.#options.maxBodySize;
    this.#informations = 0;
    this.#method = "";
    this.#upgradeAsked = false;
    this.#writer = NO_BODY_WRITER;
  }

  /** Whether HTTP may go on after this cycle, as far as both sides have spoken; not where another protocol takes over. */
  get keepAlive(): boolean {
    return (
      this.#peerPersists &&
      this.#persists &&
      this.#error === undefined &&
      !(this.#ended && this.buffered === 0)
    );
  }

  /** Between messages: nothing is being read or written, and nothing of the next message came yet. */
  get idle(): boolean {
    const between = this.#reading === READING.idle || this.#reading === READING.head;
    return between && this.#writing === WRITING.idle && this.buffered === 0 && this.#error === undefined;
  }

  /**
   * Starts the message to write, and returns its head as latin1 text. Frames the body: the given Content-Length, else
   * chunks, else (for HTTP/1.0) the end of the connection. A request without Content-Length has a body only with
   * `Transfer-Encoding: chunked`, or with a method other than GET, HEAD, DELETE, OPTIONS, TRACE and CONNECT.
   *
   * @throws HTTPOutputError when it is not the time for a head, or the headers contradict themselves or the options
   * @throws TypeError, RangeError for a start line that must not go on the wire
   */
  writeHead(
    start: ResponseStartLine | RequestStartLine,
    headers: HTTPHeaders,
    options: WriteHeadOptions = NO_OPTIONS,
  ): string {
    if (this.#writing.head === undefined) throw misuse("writeHead", this.#writing.name);
    if (options.contentLength !== undefined) limit("contentLength", options.contentLength);
    if ("code" in start) return this.#writeResponse(start, headers, options);
    return this.#writeRequest(start, headers, options);
  }

  /** Whether body bytes go on the wire, once the head is written; where not, the caller drops them. */
  get bodyAllowed(): boolean {
    return this.#writer.bodyAllowed;
  }

  /**
   * What goes before `byteLength` bytes of the body. Empty pieces are not framed: the caller drops them.
   *
   * @throws HTTPOutputError for more than Content-Length promised, or before the head
   * @throws RangeError for an empty piece of a chunked body
   */
  frameData(byteLength: number): string {
    if (this.#writing.data === undefined) throw misuse("frameData", this.#writing.name);
    return this.#writer.frame(byteLength);
  }

  /** What goes after each piece of the body. */
  get dataSuffix(): "" | "\r\n" {
    return this.#writer.suffix;
  }

  /**
   * What goes after the body. Trailers go out where the body is chunked, and are dropped where there is no place for
   * them.
   *
   * @throws HTTPOutputError for fewer bytes than Content-Length promised, or before the head
   */
  writeEnd(trailers?: HTTPHeaders): string {
    const to = this.#writing.end;
    if (to === undefined) throw misuse("writeEnd", this.#writing.name);
    const text = this.#writer.end(trailers);
    this.#writing = to;
    return text;
  }

  /**
   * A 1xx response before the final one; `""` for a client of HTTP/1.0, which must not be sent one, RFC 9110 §15.2.
   *
   * @throws HTTPOutputError when it is not the time for one
   * @throws RangeError for a code that is not 1xx, and for 101, which ends HTTP: see `writeHead`
   */
  writeInformation(code: number, headers?: HTTPHeaders): string {
    if (!Number.isInteger(code) || code < 100 || code > 199 || code === 101) {
      throw new RangeError(`Not an informational status: ${String(code)}`);
    }
    if (this.#writing.information === undefined || this.#role === "client" || this.#method === "") {
      throw misuse("writeInformation", this.#writing.name);
    }
    if (!this.#peerIs11) return "";
    return `${statusLine(code, "")}${headers === undefined ? "" : writeFields(headers, true).text}\r\n`;
  }

  #next(): HTTP1Event | undefined {
    switch (this.#reading.name) {
      case "idle":
      case "head":
        return this.#readHead();
      case "body":
        return this.#readBody(this.#body as BodyReader);
      case "ending":
      case "switching":
        this.#step(this.#reading.end);
        return END;
      default:
        return this.#rest();
    }
  }

  /** Nothing can be read now. An idle machine lets go of the view it was given. */
  #rest(): undefined {
    if (this.buffered === 0) this.#input = undefined;
    return undefined;
  }

  #readHead(): HTTP1Event | undefined {
    const input = this.#input;
    if (input !== undefined && input.length > 0) {
      if (this.#role === "server") this.#skipBlankLine(input);
      else if (this.#writing === WRITING.idle) throw new HTTPInputError("Response without a request");
      const length = scanSection(input, this.#options.maxHeadSize, headTooLarge);
      if (length !== -1) return this.#takeHead(input, length);
    }
    if (!this.#ended) return this.#rest();
    if (this.buffered > 0) throw truncated("head incomplete");
    if (this.#role === "client" && this.#writing !== WRITING.idle) throw truncated("no response");
    this.#step(this.#reading.eof);
    return CLOSED;
  }

  /** RFC 9112 §2.2: at least one empty line before a request line SHOULD be ignored; here: exactly one is. */
  #skipBlankLine(input: InputWindow): void {
    const { buf, at } = input;
    if (this.#reading !== READING.idle || input.length < 2 || buf[at] !== 0x0d || buf[at + 1] !== 0x0a)
      return;
    input.at += 2;
    input.scanned = 0;
    this.#step(this.#reading.blankLine);
  }

  #takeHead(input: InputWindow, length: number): HTTP1Event {
    if (lines.count === 0) throw new HTTPInputError("Empty line instead of a start line");
    if (lines.count - 1 > this.#options.maxHeaderFields) throw headTooLarge();
    const { buf, at } = input;
    const text = this.#options.fromLatin1(buf, at, at + length);
    input.at = at + length;
    if (this.#role === "server") return this.#takeRequest(readRequestHead(buf, at, text));
    return this.#takeResponse(readResponseHead(buf, at, text));
  }

  #takeRequest({ event, persistent }: RequestHead): RequestEvent {
    this.#method = event.method;
    this.#upgradeAsked = event.upgrade !== undefined;
    this.#peerIs11 = event.version === "HTTP/1.1";
    this.#peerPersists = persistent;
    if (event.chunked) this.#startBody(new ChunkedReader(this.#options));
    else if (event.contentLength !== undefined && event.contentLength > 0) {
      this.#startBody(new LengthReader(event.contentLength));
    } else this.#step(this.#reading.bodiless);
    return event;
  }

  #takeResponse({ event, persistent }: ResponseHead): HTTP1Event {
    if (event.type === "information") {
      if (++this.#informations > MAX_INFORMATIONS) throw new HTTPInputError("Too many 1xx responses");
      return event;
    }
    this.#peerPersists = persistent;
    this.#readResponseBody(event);
    return event;
  }

  /** RFC 9112 §6.3, in its order. */
  #readResponseBody({ code, chunked, contentLength }: ResponseEvent): void {
    if (code === 101 && !this.#upgradeAsked) throw new HTTPInputError("101 to a request without Upgrade");
    if (code === 101 || opensTunnel(this.#method, code)) {
      this.#peerPersists = false;
      this.#step(this.#reading.upgraded);
    } else if (this.#method === "HEAD" || code === 204 || code === 304) this.#step(this.#reading.bodiless);
    else if (chunked) this.#startBody(new ChunkedReader(this.#options));
    else if (contentLength === undefined) {
      this.#peerPersists = false;
      this.#startBody(new UntilCloseReader());
    } else if (contentLength > 0) this.#startBody(new LengthReader(contentLength));
    else this.#step(this.#reading.bodiless);
  }

  #window(): InputWindow {
    this.#input ??= new InputWindow();
    return this.#input;
  }

  #startBody(body: BodyReader): void {
    this.#body = body;
    this.#step(this.#reading.bodied);
  }

  #readBody(body: BodyReader): HTTP1Event | undefined {
    const event = body.read(this.#window(), this.#maxBodySize) ?? (this.#ended ? body.readEnd() : undefined);
    if (event !== undefined && event.type === "end") {
      this.#body = undefined;
      this.#step(this.#reading.end);
    }
    return event;
  }

  #step(to: ReadingState | undefined): void {
    this.#reading = to as ReadingState;
  }

  #writeResponse(start: ResponseStartLine, headers: HTTPHeaders, options: WriteHeadOptions): string {
    if (this.#role === "client") throw misuse("writeHead", "client given a status line");
    const { code } = start;
    // Before a request is known there is nothing to answer, unless the answer ends the connection: 400, 408.
    if (this.#method === "" && this.#error === undefined && options.close !== true) {
      throw misuse("writeHead", "no request");
    }
    const switches = code === 101 || opensTunnel(this.#method, code);
    if (switches && this.#reading.switch === undefined)
      throw misuse(`switch protocols (${code})`, this.#reading.name);
    if (code === 101 && !this.#upgradeAsked) throw new HTTPOutputError("101 to a request without Upgrade");
    const head = switches
      ? switchHead(start, headers, options)
      : responseHead(start, headers, options, this.#method, this.#peerIs11, this.keepAlive);
    if (switches) this.#step(this.#reading.switch);
    this.#writing = (switches ? this.#writing.switch : this.#writing.head) as WritingState;
    this.#writer = head.writer;
    this.#persists = head.persistent;
    return head.text;
  }

  #writeRequest(start: RequestStartLine, headers: HTTPHeaders, options: WriteHeadOptions): string {
    if (this.#role === "server") throw misuse("writeHead", "server given a request line");
    if (this.#reading !== READING.idle || this.#error !== undefined)
      throw misuse("writeHead", this.#reading.name);
    const head = requestHead(start, headers, options);
    this.#writing = this.#writing.head as WritingState;
    this.#writer = head.writer;
    this.#persists = head.persistent;
    this.#method = start.method;
    this.#upgradeAsked = headers.has("Upgrade");
    return head.text;
  }
}

const NO_OPTIONS: WriteHeadOptions = Object.freeze({});

function misuse(what: string, state: string): HTTPOutputError {
  return new HTTPOutputError(`Cannot ${what} now: ${state}`, { code: "ERR_TW_HTTP_STATE" });
}

function headTooLarge(): HTTPInputError {
  return new HTTPInputError("Head too large", { status: 431, code: "ERR_TW_HEAD_TOO_LARGE" });
}
