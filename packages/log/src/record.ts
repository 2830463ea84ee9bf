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

/** The message and the fields of one call, in any of the shapes that a logger of ours takes. Never throws. */
export function readCall(
  first: unknown,
  second: unknown,
  rest: readonly unknown[],
  sources: readonly (LogFields | undefined)[],
): Pick<LogRecord, "message" | "fields"> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const source of sources) collect(fields, source);
  const asFields = typeof first === "object" && first !== null;
  const error = isError(first) ? first : undefined;
  if (error !== undefined) fields.err = error;
  else if (asFields) collect(fields, first);

  const template = asFields ? second : first;
  const args = asFields ? rest : second === undefined && rest.length === 0 ? rest : [second, ...rest];
  let message: string;
  if (template === undefined) message = error === undefined ? "" : said(() => error.message);
  else message = typeof template === "string" ? template : said(() => String(template));
  if (args.length === 0) return { message, fields };

  const { text, unused } = interpolate(message, args);
  // `log.error("it failed", error)` means the error, whatever the number of its %s.
  for (const arg of unused) if (isError(arg)) fields.err ??= arg;
  return { message: text, fields };
}

function collect(target: Record<string, unknown>, source: object | undefined): void {
  if (source === undefined) return;
  let keys: string[];
  try {
    keys = Object.keys(source);
  } catch {
    return;
  }
  for (const key of keys) {
    try {
      target[key] = (source as Record<string, unknown>)[key];
    } catch (error) {
      target[key] = `[threw ${said(() => String(error))}]`;
    }
  }
}
