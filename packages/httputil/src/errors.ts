// What can be wrong with a message: the peer broke the protocol, or we did.

import { TwError } from "@tw/util";

/** Options of {@link HTTPInputError}. */
export interface HTTPInputErrorOptions extends ErrorOptions {
  /** Status to answer with. @default 400 */
  readonly status?: number;
  /** Stable code. @default "ERR_TW_HTTP_INPUT" */
  readonly code?: string;
}

/** The peer broke the protocol or one of our limits; `status` is what a server answers with before it closes. */
export class HTTPInputError extends TwError {
  /** Status of the answer: 400, or 413 and 431 for limits. */
  readonly status: number;

  constructor(message: string, options: HTTPInputErrorOptions = {}) {
    super(options.code ?? "ERR_TW_HTTP_INPUT", message, options);
    this.status = options.status ?? 400;
  }
}

/** Options of {@link HTTPOutputError}. */
export interface HTTPOutputErrorOptions extends ErrorOptions {
  /** Stable code. @default "ERR_TW_HTTP_OUTPUT" */
  readonly code?: string;
}

/** We broke the protocol: headers twice, more or fewer bytes than Content-Length promised. Nothing wrong was sent. */
export class HTTPOutputError extends TwError {
  constructor(message: string, options: HTTPOutputErrorOptions = {}) {
    super(options.code ?? "ERR_TW_HTTP_OUTPUT", message, options);
  }
}

/** A field name or value that must not go on the wire; a `TypeError`, since it is a wrong argument, and a `TwError`. */
export class HTTPFieldError extends TypeError {
  /** `ERR_TW_FIELD_NAME` or `ERR_TW_FIELD_VALUE`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    Object.defineProperty(this, TW_ERROR, { value: true });
  }

  override get name(): string {
    return "HTTPFieldError";
  }
}

/** A cookie that a browser would not store, or that could inject; a `TypeError`, since it is a wrong argument. */
export class CookieError extends TypeError {
  /** `ERR_TW_COOKIE`. */
  readonly code: string = "ERR_TW_COOKIE";

  constructor(message: string) {
    super(message);
    Object.defineProperty(this, TW_ERROR, { value: true });
  }

  override get name(): string {
    return "CookieError";
  }
}

// What `isTwError` looks for, since no class can be a TypeError and extend TwError.
const TW_ERROR = Symbol.for("@tw/util.TwError");
