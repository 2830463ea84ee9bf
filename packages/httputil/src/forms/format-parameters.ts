// A field value with parameters, written: the way back from header-parameters.ts.

import { urlEscape } from "@tw/escape";
import { quote } from "@tw/util";
import { HTTPFieldError } from "../errors.js";
import { isFieldText, isToken } from "../grammar.js";

/**
 * Writes `value; name=token; name="quoted text"` (Tornado's `_encode_header`, but quoted). Text beyond ASCII becomes
 * `name*=UTF-8''…`, RFC 8187, which is what Content-Disposition wants for a file's name, RFC 6266 §4.3.
 *
 * @throws HTTPFieldError, a TypeError: `ERR_TW_FIELD_NAME` for a name that is no token, `ERR_TW_FIELD_VALUE` for CR, LF
 * and other controls; URIError for a lone surrogate, which has no UTF-8
 * @example
 * formatHeaderParameters("attachment", { filename: "€ rates.txt" });
 * // "attachment; filename*=UTF-8''%E2%82%AC%20rates.txt"
 */
export function formatHeaderParameters(value: string, parameters: Readonly<Record<string, string>>): string {
  if (!isFieldText(value)) throw new HTTPFieldError("ERR_TW_FIELD_VALUE", `Unsafe value: ${quote(value)}`);
  let text = value;
  for (const [name, each] of Object.entries(parameters)) {
    if (!isToken(name))
      throw new HTTPFieldError("ERR_TW_FIELD_NAME", `Not a parameter's name: ${quote(name)}`);
    if (!isFieldText(each.replace(WIDE, "")))
      throw new HTTPFieldError("ERR_TW_FIELD_VALUE", `Unsafe value for parameter ${name}: ${quote(each)}`);
    text += `; ${name}${formatValue(each)}`;
  }
  return text;
}

function formatValue(text: string): string {
  if (isToken(text)) return `=${text}`;
  if (!ASCII.test(text)) return `*=UTF-8''${urlEscape(text, { plus: false }).replaceAll("/", "%2F")}`;
  return `="${text.replace(/["\\]/g, "\\$&")}"`;
}

const ASCII = /^[\t\x20-\x7e]*$/;
const WIDE = /[^\0-\xff]/g;
