// The head of an answer, as far as its status has a say in it: RFC 9110 §6.4.1, §8.6, §15.

import {
  type BodyChunk,
  HTTPHeaders,
  HTTPOutputError,
  type ResponseStartLine,
  reasonPhrase,
} from "@tw/httputil";

/** Without a reason phrase it is the registered one. */
export function startLineOf(status: number, reason: string | undefined): ResponseStartLine {
  if (status === 200 && reason === undefined) return OK;
  return { version: "HTTP/1.1", code: status, reason: reasonPhrase(status, reason) };
}

const OK: ResponseStartLine = Object.freeze({ version: "HTTP/1.1", code: 200, reason: "OK" });

/** HEAD, 204 and 304 have a head only, RFC 9110 §6.4.1. */
export function isBodiless(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/**
 * Takes fields out that describe a body where there cannot be one.
 *
 * @throws HTTPOutputError when `chunk` would be one
 */
export function fitHeaders(headers: HTTPHeaders, status: number, chunk: BodyChunk | undefined): HTTPHeaders {
  if (status !== 204 && status !== 205 && status !== 304) return headers;
  // A 304 answers for a body that is elsewhere, so that one written here is dropped; with 204 it is a mistake.
  if (status !== 304 && chunk !== undefined && chunk.length > 0) {
    throw new HTTPOutputError(
      `A response with status ${status} has no body, but ${chunk.length} were written`,
    );
  }
  const fields = ["Content-Encoding", "Content-Language", "Content-Type", "Transfer-Encoding"];
  // RFC 9110 §8.6: no Content-Length in a 204, and ours would not be that of the body a 304 stands for.
  for (const name of status === 205 ? fields : [...fields, "Content-Length"]) headers.delete(name);
  return headers;
}

/** The fields with a Content-Length behind them. The handler's own stay as they are. */
export function withLength(headers: HTTPHeaders, length: number): HTTPHeaders {
  return HTTPHeaders.fromValidated([...headers.rawFields, "Content-Length", String(length)]);
}
