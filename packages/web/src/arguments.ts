// Arguments of a request, decoded and cleaned as Tornado does.

import { parseQsBytes } from "@tw/escape";
import { fromUtf8 } from "@tw/util";
import { HTTPError, MissingArgumentError } from "./errors.js";

/** How arguments are read. */
export interface ArgumentOptions {
  /** Takes blanks off both ends. @default true */
  readonly strip?: boolean;
}

/** Arguments by name, as bytes: each is decoded when asked for. */
export type RawArguments = ReadonlyMap<string, readonly Uint8Array[]>;

/** The arguments of a query string. */
export function queryArguments(query: string): RawArguments {
  return query === "" ? NONE : parseQsBytes(query);
}

/**
 * Every value of an argument, in order. Control characters become blanks.
 *
 * @throws HTTPError 400 when a value is not UTF-8
 */
export function argumentValues(all: RawArguments, name: string, options: ArgumentOptions = {}): string[] {
  const { strip = true } = options;
  return (all.get(name) ?? []).map((bytes) => {
    const text = decode(bytes, name).replace(CONTROL, " ");
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

const NONE: RawArguments = new Map();
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const CONTROL = /[\x00-\x08\x0e-\x1f]/g;

function decode(bytes: Uint8Array, name: string): string {
  try {
    return fromUtf8(bytes, { fatal: true });
  } catch (cause) {
    throw new HTTPError(400, `Argument ${JSON.stringify(name)} is not UTF-8`, { cause });
  }
}
