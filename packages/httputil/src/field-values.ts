// Values of header fields, as a program may put them on the wire.

import { quote, trimBlanks } from "@tw/util";
import { HTTPFieldError } from "./errors.js";
import { isFieldText } from "./grammar.js";

/** The value without blanks around it. @throws HTTPFieldError (`ERR_TW_FIELD_VALUE`) for what must not go on the wire (S-22) */
export function cleanValue(name: string, value: string): string {
  return typeof value === "string" && value === lastValues[name.length] ? value : checkValue(name, value);
}

// The last value of a field whose name has that length, where nothing was to be taken off it. Programs use the same few
// constants again and again: one comparison of pointers usually tells that a value is good. Short ones only, since what
// one of them was cut out of lives on with it.
const MAX_LENGTH = 64;
const lastValues: (string | undefined)[] = new Array<string | undefined>(MAX_LENGTH).fill(undefined);

function checkValue(name: string, value: string): string {
  if (typeof value !== "string") {
    throw new HTTPFieldError("ERR_TW_FIELD_VALUE", `Header ${name} needs a string, got ${quote(value)}`);
  }
  // RFC 9112 §2.2 (2), RFC 9112 §5.2 (1): no CR and no LF goes out in a value.
  if (!isFieldText(value)) {
    throw new HTTPFieldError("ERR_TW_FIELD_VALUE", `Unsafe value for header ${name}: ${quote(value)}`);
  }
  const clean = trimBlanks(value);
  if (clean === value && name.length < MAX_LENGTH && value.length <= MAX_LENGTH)
    lastValues[name.length] = value;
  return clean;
}
