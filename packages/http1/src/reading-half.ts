// The half that reads, RFC 9112: bytes in, events out.
//
//   bytes ──receive()──► [ window │ section scanner │ head reader │ body reader ] ──next()──► events
//
// Normally nothing is copied: readers walk the caller's view, and only what a message leaves incomplete is retained.

import { HTTPInputError } from "@tw/httputil";
import { type BodyReader, LengthReader, truncated, UntilCloseReader } from "./body-readers.js";
import { ChunkedReader } from "./chunked-reader.js";
import { Cycle, misuse } from "./cycle.js";
import { CLOSED, END, type HTTP1Event, type RequestEvent, type ResponseEvent } from "./events.js";
import { opensTunnel } from "./framing.js";
import {
  checkResponseStart,
  type RequestHead,
  type ResponseHead,
  readRequestHead,
  readResponseHead,
} from "./head-reader.js";
import type { InputWindow } from "./input-window.js";
import { limit } from "./options.js";
import { lines } from "./section-lines.js";
import { scanSection } from "./section-scanner.js";
import { READING, type ReadingState, WRITING } from "./states.js";

/** 1xx responses before a final one. A server that sends more keeps the client waiting for ever. */
const MAX_INFORMATIONS = 32;

/** Reads requests (server) or responses (client). */
export abstract class ReadingHalf extends Cycle {
  /** There while the reading state is `body`. */
  #body: BodyReader | undefined = undefined;

  /**
   * Offers input. It is read by `next()`; what that leaves must be copied by `retain()` before the view is reused.
   * A caller that does not want to buffer without bound stops reading while `next()` returns undefined and
   * `buffered` is not 0 after a complete message.
   */
  receive(view: Uint8Array): void {
    if (this.error !== undefined || view.length === 0) return;
    this.input.push(view);
  }

  /** The peer finished sending. What that means, `next()` tells. */
  receiveEnd(): void {
    this.ended = true;
  }

  /**
   * The next event, or undefined when that takes more input, or the next cycle, or another protocol has taken over.
   * The bytes of a data event are a view of the input, valid until the machine is called again.
   *
   * @throws HTTPInputError when the peer broke the protocol; then the same error for ever
   */
  next(): HTTP1Event | undefined {
    if (this.error !== undefined) throw this.error;
    try {
      return this.#next();
    } catch (error) {
      // RFC 9112 §6.3 (7): nothing more is read.
      this.error = error;
      this.input.clear();
      this.#body = undefined;
      throw error;
    }
  }

  /** Copies what is left of the views, so that they may be reused. Bytes of earlier data events stay where they are. */
  retain(): void {
    if (this.input.length === 0) this.input.clear();
    else this.input.own();
  }

  /**
   * What came after the last message of HTTP, when another protocol has taken over (101, CONNECT): a copy. The machine
   * is done then.
   *
   * @throws HTTPOutputError when no other protocol has taken over
   */
  takeRest(): Uint8Array {
    if (this.reading !== READING.switched && this.reading !== READING.switching) {
      throw misuse("takeRest", this.reading.name);
    }
    const { buf, at, end } = this.input;
    const rest = new Uint8Array(buf.subarray(at, end));
    this.input.clear();
    return rest;
  }

  /** Sets the limit of the body of the message that is being read, and of that one only. @throws RangeError */
  setMaxBodySize(bytes: number): void {
    this.maxBodySize = limit("maxBodySize", bytes);
  }

  #next(): HTTP1Event | undefined {
    switch (this.reading.name) {
      case "idle":
      case "head":
        return this.#readHead();
      case "body":
        return this.#readBody(this.#body as BodyReader);
      case "ending":
      case "switching":
        this.#step(this.reading.end);
        return END;
      default:
        return this.#rest();
    }
  }

  /** Nothing can be read now. An idle machine lets go of the view it was given. */
  #rest(): undefined {
    if (this.buffered === 0) this.input.clear();
    return undefined;
  }

  #readHead(): HTTP1Event | undefined {
    const input = this.input;
    if (input.length > 0) {
      if (this.role === "server") this.#skipBlankLine(input);
      else this.#checkResponse(input);
      const tooLarge = this.role === "server" ? requestTooLarge : headTooLarge;
      const length = scanSection(input, this.options.maxHeadSize, tooLarge);
      // RFC 9110 §5.3 (3): nothing is told before the head is whole.
      if (length !== -1) return this.#takeHead(input, length);
    }
    if (!this.ended) return this.#rest();
    if (this.buffered > 0) throw truncated("head incomplete");
    if (this.role === "client" && this.writing !== WRITING.idle) throw truncated("no response");
    this.#step(this.reading.eof);
    return CLOSED;
  }

  /** RFC 9112 §2.2: at least one empty line before a request line SHOULD be ignored; here: exactly one is. */
  #skipBlankLine(input: InputWindow): void {
    const { buf, at } = input;
    if (this.reading !== READING.idle || input.length < 2 || buf[at] !== 0x0d || buf[at + 1] !== 0x0a) return;
    input.at += 2;
    input.scanned = 0;
    this.#step(this.reading.blankLine);
  }

  /** What can be said of a response before its head is whole. */
  #checkResponse({ buf, at, end }: InputWindow): void {
    // RFC 9112 §9.2 (2): nobody asked.
    if (this.writing === WRITING.idle) throw new HTTPInputError("Response without a request");
    checkResponseStart(buf, at, Math.min(end, at + this.options.maxHeadSize));
  }

  #takeHead(input: InputWindow, length: number): HTTP1Event {
    if (lines.count === 0) throw new HTTPInputError("Empty line instead of a start line");
    if (lines.count - 1 > this.options.maxHeaderFields) throw headTooLarge();
    const { buf, at } = input;
    // RFC 9112 §2.2 (1): octets, as characters of the same number.
    const text = input.text(at, at + length, this.options.fromLatin1);
    input.at = at + length;
    if (this.role === "server") return this.#takeRequest(readRequestHead(buf, at, text));
    return this.#takeResponse(readResponseHead(buf, at, text, this.method));
  }

  #takeRequest({ event, persistent }: RequestHead): RequestEvent {
    this.method = event.method;
    this.upgrade = event.upgrade;
    this.peerIs11 = event.version !== "HTTP/1.0";
    this.peerPersists = persistent;
    // RFC 9112 §6.1 (1), RFC 9112 §7.1 (1): chunks are read.
    if (event.chunked) this.#startBody(new ChunkedReader(this.options));
    else if (event.contentLength !== undefined && event.contentLength > 0) {
      this.#startBody(new LengthReader(event.contentLength));
    } else this.#step(this.reading.bodiless);
    return event;
  }

  #takeResponse({ event, persistent }: ResponseHead): HTTP1Event {
    if (event.type === "information") {
      // RFC 9110 §15.2 (2): any number that somebody sends who means well.
      if (++this.informations > MAX_INFORMATIONS) throw new HTTPInputError("Too many 1xx responses");
      return event;
    }
    this.peerPersists = persistent;
    this.peerIs11 = event.version !== "HTTP/1.0";
    this.#readResponseBody(event);
    return event;
  }

  /** RFC 9112 §6.3, in its order; RFC 9110 §6 (1): what it answers decides first. */
  #readResponseBody({ code, chunked, contentLength }: ResponseEvent): void {
    if (code === 101 && this.upgrade === undefined)
      throw new HTTPInputError("101 to a request without Upgrade");
    if (code === 101 || opensTunnel(this.method, code)) {
      this.peerPersists = false;
      this.#step(this.reading.upgraded);
    } else if (this.method === "HEAD" || code === 204 || code === 304) this.#step(this.reading.bodiless);
    else if (chunked) this.#startBody(new ChunkedReader(this.options));
    else if (contentLength === undefined) {
      this.peerPersists = false;
      this.#startBody(new UntilCloseReader());
    } else if (contentLength > 0) this.#startBody(new LengthReader(contentLength));
    else this.#step(this.reading.bodiless);
  }

  #startBody(body: BodyReader): void {
    this.#body = body;
    this.#step(this.reading.bodied);
  }

  #readBody(body: BodyReader): HTTP1Event | undefined {
    const event = body.read(this.input, this.maxBodySize) ?? (this.ended ? body.readEnd() : undefined);
    if (event !== undefined && event.type === "end") {
      this.#body = undefined;
      this.#step(this.reading.end);
    }
    return event;
  }

  #step(to: ReadingState | undefined): void {
    this.reading = to as ReadingState;
  }
}

/** RFC 9112 §3 (1): a request line that does not end is a target that is too long. Of responses nobody is told. */
function requestTooLarge(input: InputWindow): HTTPInputError {
  if (input.lineStart > 0) return headTooLarge();
  return new HTTPInputError("Request target too long", { status: 414, code: "ERR_TW_TARGET_TOO_LONG" });
}

function headTooLarge(): HTTPInputError {
  return new HTTPInputError("Head too large", { status: 431, code: "ERR_TW_HEAD_TOO_LARGE" });
}
