// The two shapes of a record: Tornado's line for people, one JSON object a line for machines.

import type { LogFields } from "@tw/util";
import { escapeControls, escapeJson } from "./escape.js";
import type { LogLevel } from "./levels.js";
import { errorText, limitText, toJson, toText } from "./values.js";

/** What is written about: everything a line is made of. */
export interface LogRecord {
  readonly level: LogLevel;
  /** Wall-clock milliseconds since 1970. */
  readonly time: number;
  readonly name: string;
  readonly message: string;
  readonly fields: LogFields;
}

const COLORS = { debug: "\u001b[34m", info: "\u001b[32m", warn: "\u001b[33m", error: "\u001b[31m" } as const;
const RESET = "\u001b[0m";

/**
 * `[I 261121 10:11:12 name] message key=value` in local time; the error of the record follows, each of its lines
 * indented by four, so that no text can pass for the beginning of a record.
 */
export function formatPretty(record: LogRecord, color: boolean): string {
  const { err, ...fields } = record.fields;
  const head = `[${(record.level[0] as string).toUpperCase()} ${stamp(record.time)} ${escapeControls(record.name)}]`;
  let line = `${color ? COLORS[record.level] + head + RESET : head} ${escapeControls(limitText(record.message))}`;
  for (const [key, value] of Object.entries(fields)) line += ` ${escapeControls(`${key}=${toText(value)}`)}`;
  if (err !== undefined) {
    for (const part of errorText(err).split("\n")) line += `\n    ${escapeControls(part)}`;
  }
  return `${line}\n`;
}

/** `{"time":…,"level":"info","name":…,"msg":…,…fields}`; fields cannot replace the first four. */
export function formatJson(record: LogRecord): string {
  const { time, level, name, message } = record;
  const own = { time, level, name, msg: limitText(message) };
  let line = toJson(own).slice(0, -1);
  for (const [key, value] of Object.entries(record.fields)) {
    if (!Object.hasOwn(own, key) && value !== undefined) line += `,${toJson(key)}:${toJson(value)}`;
  }
  return `${escapeJson(line)}}\n`;
}

function stamp(time: number): string {
  const at = new Date(time);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${two(at.getFullYear() % 100)}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
