// What a request is called, so that the records of all that is done for it can be found.

import { randomBytes } from "node:crypto";
import {
  type AnswerObserver,
  type ConnectionContext,
  HTTPHeaders,
  isToken,
  type RequestStartLine,
  type ResponseStartLine,
} from "@tw/httputil";
import type { Logger } from "@tw/util";
import { loggedCall } from "./logged-call.js";

/** Makes the id of a request of its head; `undefined` where it knows none. */
export type MakeRequestId = (
  startLine: RequestStartLine,
  headers: HTTPHeaders,
  context: ConnectionContext,
) => string | undefined;

/** Where the id of a request comes from. */
export interface RequestIdOptions {
  /**
   * Takes the id from this field of the request, such as `X-Request-Id`. Anybody who can connect to us can write it, and
   * so appear in the records of other requests: only behind a proxy that sets it. An id that is not 1 to 128 of letters,
   * digits and `-._~:+/=@` is replaced by one of ours. @default from none
   */
  readonly requestHeader?: string;
  /**
   * Makes the id of a request that brought none. What it throws or rejects with is logged; for what is no id of the above
   * form, such as a promise, one of ours is made. @default `<random per process>-<count>`: unique, and easily guessed
   */
  readonly makeId?: MakeRequestId;
}

/** Characters of an id that is taken from outside. */
const MAX_REQUEST_ID_LENGTH = 128;

const SANE = /^[\w\-.~:+/=@]+$/;

/** Names requests. */
export class RequestIds {
  readonly #header: string | undefined;
  readonly #make: MakeRequestId | undefined;
  readonly #logger: Logger;

  /** @throws TypeError for options that are none */
  constructor({ requestHeader, makeId }: RequestIdOptions, logger: Logger) {
    if (makeId !== undefined && typeof makeId !== "function")
      throw new TypeError(`makeId must be a function, got ${typeof makeId}`);
    this.#header = checkFieldName("requestHeader", requestHeader);
    this.#make = makeId;
    this.#logger = logger;
  }

  of(startLine: RequestStartLine, headers: HTTPHeaders, context: ConnectionContext): string {
    const sent = this.#header === undefined ? null : headers.get(this.#header);
    if (isSane(sent)) return sent;
    const make = this.#make;
    const made =
      make === undefined
        ? undefined
        : loggedCall(this.#logger, "makeId", () => make(startLine, headers, context));
    return isSane(made) ? made : nextId();
  }
}

/** Puts an id into the head of an answer. */
export class IdAnswer implements AnswerObserver {
  readonly #name: string;
  readonly #id: string;

  constructor(name: string, id: string) {
    this.#name = name;
    this.#id = id;
  }

  /** @throws TypeError for what cannot be the name of a field */
  static checkName(name: string | undefined): string | undefined {
    return checkFieldName("responseHeader", name);
  }

  onAnswerHead(_startLine: ResponseStartLine, headers: HTTPHeaders): HTTPHeaders | undefined {
    if (headers.has(this.#name)) return undefined;
    return HTTPHeaders.fromValidated([...headers.rawFields, this.#name, this.#id]);
  }
}

function checkFieldName(option: string, name: string | undefined): string | undefined {
  if (name === undefined || (typeof name === "string" && isToken(name))) return name;
  throw new TypeError(`${option} must be the name of a header field, got ${JSON.stringify(name)}`);
}

function isSane(id: unknown): id is string {
  return typeof id === "string" && id.length <= MAX_REQUEST_ID_LENGTH && SANE.test(id);
}

/** Of this thread of this process. */
let prefix = "";
let count = 0;

/** No randomness per request: that costs more than the rest of it. */
function nextId(): string {
  if (prefix === "") prefix = randomBytes(6).toString("base64url");
  return `${prefix}-${(count++).toString(36)}`;
}
