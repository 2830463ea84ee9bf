// What can be wrong with content that was coded: the peer's mistakes, with the status that says so.

import { HTTPInputError } from "@tw/httputil";

/** `ERR_TW_CONTENT_CODING`, 400: what came is not what its Content-Encoding says. */
export function contentError(message: string, cause?: unknown): HTTPInputError {
  return new HTTPInputError(message, { code: "ERR_TW_CONTENT_CODING", cause });
}

/** `ERR_TW_BODY_TOO_LARGE`, 413: as a body that was too large before it was decoded. */
export function contentTooLarge(limit: number): HTTPInputError {
  return new HTTPInputError(`Body too large: more than ${limit} bytes when decoded`, {
    status: 413,
    code: "ERR_TW_BODY_TOO_LARGE",
  });
}
