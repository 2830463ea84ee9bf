// What can be wrong with the arguments of a request.

import { HTTPInputError } from "../errors.js";

/** The codes of arguments and forms that are refused; the README says what each means. */
export type FormErrorCode = "ERR_TW_FORM_ENCODING" | "ERR_TW_FORM_NOT_UTF8" | "ERR_TW_FORM_TOO_MANY_FIELDS";

/** A form that is refused with 400. */
export function formError(code: FormErrorCode, message: string, options?: ErrorOptions): HTTPInputError {
  return new HTTPInputError(message, { ...options, code });
}
