// What a peer that broke the protocol is told, how it is known that it did, and the errors of those that are too slow.

import { HTTPInputError, reasonPhrase } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";
import { isTwError, TwError } from "@tw/util";

/** The whole answer; nobody made it, so there is nothing in it but the status. */
export function refusal(status: number, date: string): string {
  return `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nConnection: close\r\nContent-Length: 0\r\nDate: ${date}\r\n\r\n`;
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
