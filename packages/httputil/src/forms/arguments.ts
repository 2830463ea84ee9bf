// Names and values of a request, as bytes: nothing says yet that they are text.

import { parseQsBytes } from "@tw/escape";
import { fromUtf8, quote } from "@tw/util";
import { type ParseBodyConfig, resolveParseBodyConfig } from "./config.js";
import { formError } from "./form-errors.js";

/** The values of each name, in the order they came (Tornado's `arguments`). */
export type RequestArguments = ReadonlyMap<string, readonly Uint8Array[]>;

/** No arguments. */
export const NO_ARGUMENTS: RequestArguments = new Map();

/**
 * Reads a query without its `?`, or a urlencoded body (Tornado's `qs_to_qsl`). Repeated names and empty values are
 * kept, pairs without a name are not; `;` separates nothing; `+` is a blank; `%zz` stays as it is. Linear time.
 *
 * @throws HTTPInputError 400 `ERR_TW_FORM_TOO_MANY_FIELDS`
 * @example
 * parseQueryArguments("a=1&a=&b=c;d"); // Map { "a" => [1, ""], "b" => ["c;d"] }, as bytes
 */
export function parseQueryArguments(query: string | Uint8Array, config?: ParseBodyConfig): RequestArguments {
  const { maxFields } = resolveParseBodyConfig(config);
  if (query.length === 0) return NO_ARGUMENTS;
  if (hasMoreFields(query, maxFields)) {
    throw formError("ERR_TW_FORM_TOO_MANY_FIELDS", `More than ${maxFields} arguments`);
  }
  return parseQsBytes(query);
}

/**
 * The values of `name` as text.
 *
 * @throws HTTPInputError 400 `ERR_TW_FORM_NOT_UTF8`
 */
export function argumentTexts(all: RequestArguments, name: string): string[] {
  return (all.get(name) ?? []).map((value) => decodeFormText(value, name));
}

/** The value of a field as text. @throws HTTPInputError 400 `ERR_TW_FORM_NOT_UTF8` */
export function decodeFormText(value: Uint8Array, name: string): string {
  try {
    return fromUtf8(value, { fatal: true });
  } catch (cause) {
    throw formError("ERR_TW_FORM_NOT_UTF8", `Argument ${quote(name)} is not UTF-8`, { cause });
  }
}

/** The values of both under each name, those of `first` first. */
export function joinArguments(first: RequestArguments, second: RequestArguments): RequestArguments {
  if (second.size === 0) return first;
  if (first.size === 0) return second;
  const all = new Map(first);
  for (const [name, values] of second) all.set(name, [...(all.get(name) ?? []), ...values]);
  return all;
}

/** Stops counting at the limit. */
function hasMoreFields(query: string | Uint8Array, max: number): boolean {
  let at = -1;
  for (let fields = 0; fields < max; fields++) {
    at = typeof query === "string" ? query.indexOf("&", at + 1) : query.indexOf(AMPERSAND, at + 1);
    if (at === -1) return false;
  }
  return true;
}

const AMPERSAND = 0x26;
