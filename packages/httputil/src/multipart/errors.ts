// What can be wrong with a multipart body.

import { TwError } from "@tw/util";
import { HTTPInputError } from "../errors.js";

/** The codes of a multipart body that is refused; the README says what each means. */
export type MultipartErrorCode =
  | "ERR_TW_MULTIPART_TYPE"
  | "ERR_TW_MULTIPART_BOUNDARY"
  | "ERR_TW_MULTIPART_SYNTAX"
  | "ERR_TW_MULTIPART_HEAD"
  | "ERR_TW_MULTIPART_TRUNCATED"
  | "ERR_TW_MULTIPART_TOO_MANY_PARTS"
  | "ERR_TW_MULTIPART_HEAD_TOO_LARGE"
  | "ERR_TW_MULTIPART_PART_TOO_LARGE"
  | "ERR_TW_MULTIPART_FIELDS_TOO_LARGE";

/** A multipart body that is refused. */
export function multipartError(code: MultipartErrorCode, message: string, status = 400): HTTPInputError {
  return new HTTPInputError(message, { code, status });
}

/** The program called at the wrong time. */
export function multipartMisuse(message: string): TwError {
  return new TwError("ERR_TW_MULTIPART_STATE", message);
}
