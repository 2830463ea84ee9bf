// What a machine reports. A message is one head event, any number of data events and one end event, in this order;
// a client may see information events before the head.

import type { HTTPHeaders } from "@tw/httputil";

/** The head of a request (server role). */
export interface RequestEvent {
  readonly type: "request";
  readonly method: string;
  /** The request target as it came, RFC 9112 §3.2: origin, absolute, authority or asterisk form. */
  readonly target: string;
  /** `HTTP/1.0`, `HTTP/1.1`, or a later minor version, which is answered like 1.0. */
  readonly version: string;
  readonly headers: HTTPHeaders;
  /** Bytes of the body that Content-Length announces; undefined without that field. */
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  /** The client waits for `100 Continue` before it sends the body, RFC 9110 §10.1.1. */
  readonly expectContinue: boolean;
  /** The client expects something that is not defined, RFC 9110 §10.1.1; a server may answer with 417. */
  readonly expectsOther: boolean;
  /** Value of Upgrade, when Connection lists it and the version is 1.1, RFC 9110 §7.8. */
  readonly upgrade: string | undefined;
}

/** The head of the final response (client role). */
export interface ResponseEvent {
  readonly type: "response";
  readonly version: string;
  readonly code: number;
  readonly reason: string;
  readonly headers: HTTPHeaders;
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  /** Value of Upgrade in a `101` response. */
  readonly upgrade: string | undefined;
}

/** A 1xx response before the final one (client role). */
export interface InformationEvent {
  readonly type: "information";
  readonly version: string;
  readonly code: number;
  readonly reason: string;
  readonly headers: HTTPHeaders;
}

/** A piece of a body: a view of the input, valid until the machine is called again. */
export interface DataEvent {
  readonly type: "data";
  readonly bytes: Uint8Array;
}

/** The message is complete. */
export interface EndEvent {
  readonly type: "end";
  readonly trailers: HTTPHeaders | undefined;
}

/** The peer finished sending between two messages. */
export interface ClosedEvent {
  readonly type: "closed";
}

/** Whatever `next()` returns. */
export type HTTP1Event = RequestEvent | ResponseEvent | InformationEvent | DataEvent | EndEvent | ClosedEvent;

/** The end of a message without trailers; one object for all. */
export const END: EndEvent = Object.freeze({ type: "end", trailers: undefined });

/** One object for all. */
export const CLOSED: ClosedEvent = Object.freeze({ type: "closed" });
