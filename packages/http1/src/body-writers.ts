// The four ways in which a body is written, RFC 9112 §6.

import { type HTTPHeaders, HTTPOutputError } from "@tw/httputil";
import { fieldsOf } from "./head-writer.js";
import { isForbiddenTrailer } from "./trailers.js";

/** Frames one body. */
export interface BodyWriter {
  /** Whether body bytes go on the wire at all. */
  readonly bodyAllowed: boolean;
  /** What goes after each piece. */
  readonly suffix: "" | "\r\n";
  /** What goes before a piece of that many bytes. @throws HTTPOutputError past Content-Length */
  frame(byteLength: number): string;
  /** What goes after the last piece. @throws HTTPOutputError short of Content-Length */
  end(trailers: HTTPHeaders | undefined): string;
  /** Writes another body of the same kind and length. */
  another(): BodyWriter;
}

/** A body of as many bytes as Content-Length promised (S-09: neither more nor fewer). */
export class LengthWriter implements BodyWriter {
  readonly #length: number;
  #remaining: number;

  constructor(length: number) {
    this.#length = length;
    this.#remaining = length;
  }

  get bodyAllowed(): boolean {
    return true;
  }

  get suffix(): "" {
    return "";
  }

  frame(byteLength: number): string {
    // RFC 9112 §2.2 (5): every byte of the body counts, its last line end too.
    if (byteLength > this.#remaining) {
      const written = this.#length - this.#remaining + byteLength;
      throw new HTTPOutputError(`Wrote ${written} bytes, more than the Content-Length of ${this.#length}`, {
        code: "ERR_TW_BODY_TOO_LONG",
      });
    }
    this.#remaining -= byteLength;
    return "";
  }

  end(): string {
    if (this.#remaining > 0) {
      const written = this.#length - this.#remaining;
      throw new HTTPOutputError(`Wrote ${written} bytes, less than the Content-Length of ${this.#length}`, {
        code: "ERR_TW_BODY_TOO_SHORT",
      });
    }
    return "";
  }

  another(): LengthWriter {
    return new LengthWriter(this.#length);
  }
}

/** Chunks, RFC 9112 §7.1. An empty piece would be the last chunk, and is refused. */
export const CHUNKED_WRITER: BodyWriter = {
  bodyAllowed: true,
  suffix: "\r\n",
  frame(byteLength) {
    if (byteLength === 0) throw new RangeError("An empty chunk would end the body");
    // RFC 9110 §5.6.3 (1): no blank behind the size.
    return `${byteLength.toString(16)}\r\n`;
  },
  end(trailers) {
    if (trailers === undefined) return "0\r\n\r\n";
    const fields = fieldsOf(trailers);
    let text = "0\r\n";
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      // RFC 9110 §6.5.1 (1): what comes too late is not sent.
      if (isForbiddenTrailer(name)) throw new HTTPOutputError(`${name} cannot be a trailer field`);
      text += `${name}: ${fields[i + 1]}\r\n`;
    }
    return `${text}\r\n`;
  },
  another: () => CHUNKED_WRITER,
};

/** A body that ends with the connection, for peers of HTTP/1.0. */
export const UNTIL_CLOSE_WRITER: BodyWriter = {
  bodyAllowed: true,
  suffix: "",
  frame: () => "",
  end: () => "",
  another: () => UNTIL_CLOSE_WRITER,
};

/** No body: answers to HEAD, 1xx, 204, 304, most requests. What is written is dropped. */
export const NO_BODY_WRITER: BodyWriter = {
  bodyAllowed: false,
  suffix: "",
  frame: () => "",
  end: () => "",
  another: () => NO_BODY_WRITER,
};
