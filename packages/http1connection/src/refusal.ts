// What a peer is told by an answer that nobody made, how it is known that it broke the protocol, and the errors of those
// that are too slow.

import { HTTPHeaders, HTTPInputError, reasonPhrase } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";
import { isTwError, TwError } from "@tw/util";

const TEXT = "text/plain; charset=utf-8";

/** The body: the status in words, and nothing of what the peer sent or of what failed. ASCII. */
export function refusalBody(status: number): string {
  return `${reasonPhrase(status)}\n`;
}

/** The fields that describe it. */
export function refusalHeaders(status: number): HTTPHeaders {
  return new HTTPHeaders({ "Content-Type": TEXT, "Content-Length": String(refusalBody(status).length) });
}

/** The whole answer to who is refused while a request arrives; that to HEAD is the same without the body. */
export function refusal(status: number, date: string, toHead: boolean): string {
  const body = refusalBody(status);
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nConnection: close\r\nContent-Type: ${TEXT}\r\n`;
  return `${head}Content-Length: ${body.length}\r\nDate: ${date}\r\n\r\n${toHead ? "" : body}`;
}

/** By brand and shape: another copy of @tw/httputil may have made it. */
export function isInputError(error: unknown): error is HTTPInputError {
  return isTwError(error) && typeof (error as Partial<HTTPInputError>).status === "number";
}

/** The peer did not send its request in time. */
export function requestTimeout(): HTTPInputError {
  return new HTTPInputError("The request did not come in time", {
    status: 408,
    code: "ERR_TW_REQUEST_TIMEOUT",
  });
}

/** The peer did not take its answer in time. */
export function writeTimeout({ unsentAmount }: IOStream): TwError {
  return new TwError("ERR_TW_WRITE_TIMEOUT", `The peer did not take ${unsentAmount} bytes in time`);
}
