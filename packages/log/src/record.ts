// From the arguments of a call to a record. Nothing of what was passed is trusted: a getter may throw.

import type { LogFields } from "@tw/util";
import { said } from "./budget.js";
import { isError } from "./error-text.js";
import { interpolate } from "./interpolate.js";
import type { LogLevel } from "./levels.js";

/** What is written about: everything a line is made of. */
export interface LogRecord {
  readonly level: LogLevel;
  /** Wall-clock milliseconds since 1970. */
  readonly time: number;
  /** The name of the logger. */
  readonly name: string;
  readonly message: string;
  /** Of the context, of the logger and of the record, the later replacing the earlier. */
  readonly fields: LogFields;
}

/** What stands around a record: fields of the context, and of the logger. */
type Surroundings = LogFields | undefined;

/** The message and the fields of one call, in any of the shapes that a logger of ours takes. Never throws. */
export function readCall(
  first: unknown,
  second: unknown,
  rest: readonly unknown[],
  context?: Surroundings,
  bindings?: Surroundings,
): Pick<LogRecord, "message" | "fields"> {
  if (typeof first === "string" && second === undefined && rest.length === 0) {
    return { message: first, fields: merge(context, bindings, undefined) };
  }
  // `log.info(perhaps, "done")`, where there are no fields this time: the message is not lost with them.
  const isNothing = first === undefined || first === null;
  if (isNothing && second !== undefined && second !== null) {
    return readCall(second, rest[0], rest.slice(1), context, bindings);
  }
  const asFields = typeof first === "object" && first !== null;
  const error = asFields && isError(first) ? first : undefined;
  const fields = merge(
    context,
    bindings,
    error !== undefined ? { err: error } : asFields ? first : undefined,
  );
  const template = asFields ? second : first;
  const message = messageOf(template, error);
  const args = asFields ? rest : [second, ...rest];
  return args.length === 0 || (args.length === 1 && args[0] === undefined)
    ? { message, fields }
    : filled(message, args, fields);
}

/** A field, or that reading it threw. */
export function read(fields: object, key: string): unknown {
  try {
    return (fields as Record<string, unknown>)[key];
  } catch (error) {
    return `[threw ${said(() => String(error))}]`;
  }
}

function messageOf(template: unknown, error: Error | undefined): string {
  if (typeof template === "string") return template;
  if (template !== undefined) return said(() => String(template));
  return error === undefined ? "" : said(() => error.message);
}

function filled(
  template: string,
  args: readonly unknown[],
  fields: LogFields,
): Pick<LogRecord, "message" | "fields"> {
  const { text, unused } = interpolate(template, args);
  // `log.error("it failed", error)` means the error, whatever the number of its %s.
  const err = unused.find(isError);
  const known = err === undefined || read(fields, "err") !== undefined;
  return { message: text, fields: known ? fields : merge(fields, { err }, undefined) };
}

const NONE: LogFields = Object.freeze({});

/** The fields of all, the later replacing the earlier; those of one alone are not copied. */
function merge(context: Surroundings, bindings: Surroundings, own: object | undefined): LogFields {
  if (context === undefined && bindings === undefined) return (own as LogFields | undefined) ?? NONE;
  if (own === undefined && (context === undefined || bindings === undefined))
    return (context ?? bindings) as LogFields;
  const fields: Record<string, unknown> = {};
  for (const source of [context, bindings, own]) if (source !== undefined) collect(fields, source);
  return fields;
}

function collect(target: Record<string, unknown>, source: object): void {
  let keys: readonly string[];
  try {
    keys = Object.keys(source);
  } catch {
    return;
  }
  for (const key of keys) {
    const value = read(source, key);
    if (key === "__proto__")
      Object.defineProperty(target, key, { value, enumerable: true, configurable: true });
    else target[key] = value;
  }
}
