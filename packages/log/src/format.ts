// The two shapes of a record: Tornado's line for people, one JSON object a line for machines.

import { Budget, limitText } from "./budget.js";
import { escapeControls, escapeJson } from "./escape.js";
import type { LogRecord } from "./record.js";
import { errorText, toJson, toText } from "./values.js";

const COLORS = {
  trace: "\u001b[90m",
  debug: "\u001b[34m",
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
  fatal: "\u001b[35m",
} as const;
const RESET = "\u001b[0m";

/** Text that would not be read back as one value: it is quoted. */
const AMBIGUOUS = /^$|[\s"=]/;

/**
 * `[I 261121 10:11:12 name] message key=value` in local time; the error of the record follows, each of its lines
 * indented by four, so that no text can pass for the beginning of a record.
 */
export function formatPretty(record: LogRecord, color: boolean): string {
  const budget = new Budget();
  const { err, ...fields } = record.fields;
  const head = `[${letterOf(record)} ${stamp(record.time)} ${escapeControls(record.name)}]`;
  let line = `${color ? COLORS[record.level] + head + RESET : head} ${escapeControls(limitText(record.message))}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = toText(value, budget);
    const quoted = typeof value === "string" && AMBIGUOUS.test(text) ? JSON.stringify(text) : text;
    line += ` ${escapeControls(`${budget.text(key)}=${quoted}`)}`;
    if (budget.spent) break;
  }
  if (err !== undefined) {
    // An error has its own budget: long fields must not cost the stack.
    for (const part of errorText(err, new Budget()).split("\n")) line += `\n    ${escapeControls(part)}`;
  }
  return `${line}\n`;
}

/** `{"time":…,"level":"info","name":…,"msg":…,…fields}`; fields cannot replace the first four. */
export function formatJson(record: LogRecord): string {
  const { time, level, name, message } = record;
  const budget = new Budget();
  const own = { time, level, name, msg: limitText(message) };
  let line = JSON.stringify(own).slice(0, -1);
  for (const [key, value] of Object.entries(record.fields)) {
    if (Object.hasOwn(own, key) || value === undefined) continue;
    line += `,${JSON.stringify(budget.text(key))}:${toJson(value, key === "err" ? new Budget() : budget)}`;
    if (budget.spent) break;
  }
  return `${escapeJson(line)}}\n`;
}

function letterOf({ level }: LogRecord): string {
  return (level[0] as string).toUpperCase();
}

function stamp(time: number): string {
  const at = new Date(time);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${two(at.getFullYear() % 100)}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
