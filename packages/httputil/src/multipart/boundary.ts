// The boundary of a multipart body, RFC 2046 §5.1.1.

import { quote, trimBlanks } from "@tw/util";
import { parseHeaderParameters } from "../forms/header-parameters.js";
import { multipartError } from "./errors.js";

/**
 * The boundary that a Content-Type of `multipart/form-data` names, quoted or not.
 *
 * @throws HTTPInputError 415 `ERR_TW_MULTIPART_TYPE` for another type, 400 `ERR_TW_MULTIPART_BOUNDARY` when there is
 * none, two, or one that RFC 2046 does not allow
 * @example
 * boundaryOf('multipart/form-data; boundary="a b"'); // "a b"
 */
export function boundaryOf(contentType: string): string {
  const parsed = parseHeaderParameters(contentType);
  const type = trimBlanks(parsed?.value ?? contentType.split(";", 1)[0] ?? "").toLowerCase();
  if (type !== "multipart/form-data") {
    throw multipartError("ERR_TW_MULTIPART_TYPE", `Not multipart/form-data: ${quote(contentType)}`, 415);
  }
  const boundary = parsed?.parameters.get("boundary");
  if (boundary === undefined || !isBoundary(boundary)) {
    throw multipartError("ERR_TW_MULTIPART_BOUNDARY", `No valid boundary: ${quote(contentType)}`);
  }
  return boundary;
}

/** Tells whether `text` may be a boundary: 1 to 70 of RFC 2046's bchars, the last one no blank. */
export function isBoundary(text: string): boolean {
  return BOUNDARY.test(text);
}

const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;
