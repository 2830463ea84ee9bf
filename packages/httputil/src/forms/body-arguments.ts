// The arguments in a body that was collected whole, by its Content-Type.

import { trimBlanks } from "@tw/util";
import type { HTTPHeaders } from "../headers.js";
import { boundaryOf } from "../multipart/boundary.js";
import { NO_ARGUMENTS, parseQueryArguments } from "./arguments.js";
import { type ParseBodyConfig, resolveParseBodyConfig } from "./config.js";
import { formError } from "./form-errors.js";
import { type ParsedForm, parseMultipartFormData } from "./multipart-form-data.js";

/**
 * Reads a urlencoded or multipart body; any other type has no arguments (Tornado's `parse_body_arguments`).
 *
 * S-13: a form with a Content-Encoding is refused, not silently left unread. (Where the server decompresses requests,
 * the field is gone by now.)
 *
 * @throws HTTPInputError 400: `ERR_TW_FORM_ENCODING`, `ERR_TW_FORM_TOO_MANY_FIELDS`, or as {@link parseMultipartFormData}
 * @example
 * const { arguments: fields } = parseBodyArguments("application/x-www-form-urlencoded", body, headers);
 */
export function parseBodyArguments(
  contentType: string,
  body: Uint8Array,
  headers?: HTTPHeaders,
  config?: ParseBodyConfig,
): ParsedForm {
  const type = trimBlanks(contentType.split(";", 1)[0] as string).toLowerCase();
  if (type === "application/x-www-form-urlencoded") {
    refuseEncoded(headers);
    return { arguments: parseQueryArguments(body, config), files: NO_FILES };
  }
  if (type !== "multipart/form-data" || !resolveParseBodyConfig(config).multipart) return NO_FORM;
  refuseEncoded(headers);
  return parseMultipartFormData(boundaryOf(contentType), body, config);
}

/** S-13. @throws HTTPInputError 400 `ERR_TW_FORM_ENCODING` for what is compressed, or encoded in any other way */
export function refuseEncoded(headers: HTTPHeaders | undefined): void {
  const encoding = headers?.get("Content-Encoding");
  if (encoding === null || encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw formError("ERR_TW_FORM_ENCODING", `A form with Content-Encoding ${encoding}`);
}

const NO_FILES: ParsedForm["files"] = new Map();
/** What a body has that is no form. */
export const NO_FORM: ParsedForm = { arguments: NO_ARGUMENTS, files: NO_FILES };
