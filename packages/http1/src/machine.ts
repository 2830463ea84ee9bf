// HTTP/1.1 without I/O, for both roles, RFC 9112. The caller owns the connection: it offers what it received, pulls
// events until there are none, and sends the text that the writing methods return.
//
//   bytes ──receive()──► [ window │ section scanner │ head reader │ body reader ] ──next()──► events   reading-half.ts
//   text  ◄──────────── [ head writer │ body writer ] ◄── writeHead() frameData() writeEnd()           here
//
// One message is read and one is written in each cycle; which of them is the request is all that the role decides.
// Pipelined requests wait in the window until `startNextCycle()`.
//
// A machine is small, and idle it holds no buffer: servers keep tens of thousands.

import {
  type HTTPHeaders,
  HTTPOutputError,
  type RequestStartLine,
  type ResponseStartLine,
  trimBlanks,
} from "@tw/httputil";
import { misuse } from "./cycle.js";
import { opensTunnel } from "./framing.js";
import { listHas } from "./grammar.js";
import { requestHead, responseHead, switchHead, type WriteHeadOptions } from "./head-framing.js";
import { statusLine, writeFields } from "./head-writer.js";
import { limit } from "./options.js";
import { ReadingHalf } from "./reading-half.js";
import { READING, type ReadingState, type WritingState } from "./states.js";

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
export class HTTP1Machine extends ReadingHalf {
  /**
   * The head that was written last, as bytes, where it was written before and its bytes are at hand: the same for every
   * machine, and neither to be changed nor to be given away.
   */
  headBytes: Uint8Array | undefined = undefined;

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
    if (this.writing.head === undefined) throw misuse("writeHead", this.writing.name);
    if (options.contentLength !== undefined) limit("contentLength", options.contentLength);
    if ("code" in start) return this.#writeResponse(start, headers, options);
    return this.#writeRequest(start, headers, options);
  }

  /** Whether body bytes go on the wire, once the head is written; where not, the caller drops them. */
  get bodyAllowed(): boolean {
    return this.writer.bodyAllowed;
  }

  /**
   * What goes before `byteLength` bytes of the body. Empty pieces are not framed: the caller drops them.
   *
   * @throws HTTPOutputError for more than Content-Length promised, or before the head
   * @throws RangeError for an empty piece of a chunked body
   */
  frameData(byteLength: number): string {
    if (this.writing.data === undefined) throw misuse("frameData", this.writing.name);
    return this.writer.frame(byteLength);
  }

  /** What goes after each piece of the body. */
  get dataSuffix(): "" | "\r\n" {
    return this.writer.suffix;
  }

  /**
   * What goes after the body. Trailers go out where the body is chunked, and are dropped where there is no place for
   * them.
   *
   * @throws HTTPOutputError for fewer bytes than Content-Length promised, or before the head
   */
  writeEnd(trailers?: HTTPHeaders): string {
    const to = this.writing.end;
    if (to === undefined) throw misuse("writeEnd", this.writing.name);
    const text = this.writer.end(trailers);
    this.writing = to;
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
    if (this.writing.information === undefined || this.role === "client" || this.method === "") {
      throw misuse("writeInformation", this.writing.name);
    }
    // RFC 9110 §15.2 (1): HTTP/1.0 knows none.
    if (!this.peerIs11) return "";
    // RFC 9112 §6.1 (5), RFC 9110 §8.6 (3): no framing in a 1xx.
    return `${statusLine(code, "")}${headers === undefined ? "" : writeFields(headers, true).text}\r\n`;
  }

  override renew(): void {
    super.renew();
    this.headBytes = undefined;
  }

  #writeResponse(start: ResponseStartLine, headers: HTTPHeaders, options: WriteHeadOptions): string {
    // RFC 9110 §2.2 (3): a client has no status line.
    if (this.role === "client") throw misuse("writeHead", "client given a status line");
    const { code } = start;
    // Before a request is known there is nothing to answer, unless the answer ends the connection: 400, 408.
    if (this.method === "" && this.error === undefined && options.close !== true) {
      throw misuse("writeHead", "no request");
    }
    const switches = code === 101 || opensTunnel(this.method, code);
    // RFC 9110 §7.8 (7): behind the whole request, so that 100 went before.
    if (switches && this.reading.switch === undefined)
      throw misuse(`switch protocols (${code})`, this.reading.name);
    if (code === 101) checkSwitch(this.upgrade, headers);
    const head = switches
      ? switchHead(start, headers, options)
      : responseHead(start, headers, options, this.method, this.peerIs11, this.keepAlive);
    if (switches) this.reading = this.reading.switch as ReadingState;
    this.writing = (switches ? this.writing.switch : this.writing.head) as WritingState;
    this.writer = head.writer;
    this.headBytes = head.bytes;
    this.persists = head.persistent;
    return head.text;
  }

  #writeRequest(start: RequestStartLine, headers: HTTPHeaders, options: WriteHeadOptions): string {
    if (this.role === "server") throw misuse("writeHead", "server given a request line");
    // RFC 9112 §9.2 (1), RFC 9112 §9.3.2 (2): one request at a time. What came before it cannot be its answer.
    if (this.reading !== READING.idle || this.error !== undefined || this.buffered > 0)
      throw misuse("writeHead", this.reading.name);
    const head = requestHead(start, headers, options, this.peerIs11);
    this.writing = this.writing.head as WritingState;
    this.writer = head.writer;
    this.persists = head.persistent;
    this.method = start.method;
    this.upgrade = headers.get("Upgrade") ?? undefined;
    return head.text;
  }
}

/**
 * The protocols of a 101 are in its Upgrade, and the client named each of them.
 *
 * @param asked value of the request's Upgrade
 */
function checkSwitch(asked: string | undefined, headers: HTTPHeaders): void {
  if (asked === undefined) throw new HTTPOutputError("101 to a request without Upgrade");
  const agreed = headers.get("Upgrade");
  // RFC 9110 §7.8 (1), RFC 9110 §15.2.2 (1): a 101 says what comes next.
  if (agreed === null) throw new HTTPOutputError("101 without Upgrade");
  for (const protocol of agreed.split(",")) {
    // RFC 9110 §7.8 (2): which the client had named.
    if (!listHas(asked, trimBlanks(protocol).toLowerCase()))
      throw new HTTPOutputError(`101 to a protocol that was not asked for: ${JSON.stringify(agreed)}`);
  }
}

const NO_OPTIONS: WriteHeadOptions = Object.freeze({});
