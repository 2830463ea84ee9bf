// Arguments of a request, decoded and cleaned as Tornado does.

import { argumentTexts, type RequestArguments } from "@tw/httputil";
import { MissingArgumentError } from "./errors.js";

/** How arguments are read. */
export interface ArgumentOptions {
  /** Takes blanks off both ends. @default true */
  readonly strip?: boolean;
}

/**
 * Every value of an argument, in order. Control characters become blanks.
 *
 * @throws HTTPInputError 400 when a value is not UTF-8
 */
export function argumentValues(all: RequestArguments, name: string, options: ArgumentOptions = {}): string[] {
  const { strip = true } = options;
  return argumentTexts(all, name).map((value) => {
    const text = value.replace(CONTROL, " ");
    return strip ? text.trim() : text;
  });
}

/** The last value of an argument. @throws MissingArgumentError when there is neither a value nor a default */
export function lastArgument<D>(
  values: readonly string[],
  name: string,
  rest: readonly [D?, unknown?],
): string | D {
  const last = values.at(-1);
  if (last !== undefined) return last;
  if (rest.length === 0) throw new MissingArgumentError(name);
  return rest[0] as D;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const CONTROL = /[\x00-\x08\x0e-\x1f]/g;
