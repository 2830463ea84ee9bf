// What a peer that broke the protocol is told, and how it is known that it did.

import { type HTTPInputError, reasonPhrase } from "@tw/httputil";
import { isTwError } from "@tw/util";

/** The whole answer; nobody made it, so there is nothing in it but the status. */
export function refusal(status: number, date: string): string {
  return `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\nConnection: close\r\nContent-Length: 0\r\nDate: ${date}\r\n\r\n`;
}

/** By brand and shape: another copy of @tw/httputil may have made it. */
export function isInputError(error: unknown): error is HTTPInputError {
  return isTwError(error) && typeof (error as Partial<HTTPInputError>).status === "number";
}
