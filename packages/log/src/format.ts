// The two shapes of a record: Tornado's line for people, one JSON object a line for machines.

import { Budget, limitText } from "./budget.js";
import { escapeControls, escapeJson } from "./escape.js";
import { type LogRecord, read } from "./record.js";
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
const LETTERS = { trace: "T", debug: "D", info: "I", warn: "W", error: "E", fatal: "F" } as const;

/** Text that would not be read back as one name or one value: it is quoted. */
const AMBIGUOUS = /^$|[\s"=]/;

/** Printable ASCII that is JSON as it stands, which most texts are. */
const PLAIN = /^[ !#-[\]-~]*$/;

const OWN: ReadonlySet<string> = new Set(["time", "level", "name", "msg"]);

/**
 * `[I 261121 10:11:12 name] message key=value` in local time; the error of the record follows, each of its lines
 * indented by four, so that no text can pass for the beginning of a record.
 */
export function formatPretty(record: LogRecord, color: boolean): string {
  const { level, time, name, message, fields } = record;
  const head = `[${LETTERS[level]} ${stamp(time)} ${escapeControls(name)}]`;
  let line = `${color ? COLORS[level] + head + RESET : head} ${escapeControls(limitText(message))}`;
  const budget = new Budget();
  let trace = "";
  for (const key of keysOf(fields)) {
    const value = read(fields, key);
    if (value === undefined) continue;
    if (key === "err") trace = indented(value);
    else if (!budget.spent) {
      line += ` ${escapeControls(`${unambiguous(budget.text(key))}=${prettyValue(value, budget)}`)}`;
    }
  }
  return `${line}${trace}\n`;
}

/**
 * `{"time":…,"level":"info","name":…,"msg":…,…fields}`. Fields cannot replace the first four: one that is called as one
 * of them has a `_` behind its name, or as many as it takes to be the only one of that name.
 */
export function formatJson(record: LogRecord): string {
  const { time, level, name, message, fields } = record;
  let line = `{"time":${jsonValue(time)},"level":"${level}","name":${jsonText(name)},"msg":${jsonText(limitText(message))}`;
  const budget = new Budget();
  const keys = keysOf(fields);
  for (const key of keys) {
    const value = read(fields, key);
    if (value === undefined) continue;
    // An error has its own budget: long fields must not cost the stack.
    if (key === "err") line += `,"err":${jsonValue(value)}`;
    else if (!budget.spent) {
      const shown = OWN.has(key) ? otherName(key, keys) : key;
      line += `,${jsonText(budget.text(shown))}:${jsonValue(value, budget)}`;
    }
  }
  return `${line}}\n`;
}

function prettyValue(value: unknown, budget: Budget): string {
  const text = toText(value, budget);
  return typeof value === "string" ? unambiguous(text) : text;
}

function unambiguous(text: string): string {
  return AMBIGUOUS.test(text) ? JSON.stringify(text) : text;
}

function otherName(key: string, taken: readonly string[]): string {
  let name = `${key}_`;
  while (taken.includes(name)) name += "_";
  return name;
}

function indented(error: unknown): string {
  let text = "";
  for (const part of errorText(error, new Budget()).split("\n")) text += `\n    ${escapeControls(part)}`;
  return text;
}

function jsonValue(value: unknown, budget: Budget = new Budget()): string {
  if (typeof value === "string") return jsonText(budget.text(value));
  if (typeof value !== "number" || !Number.isFinite(value)) return escapeJson(toJson(value, budget));
  budget.pay();
  return String(value);
}

function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeJson(JSON.stringify(text));
}

function keysOf(fields: object): readonly string[] {
  try {
    return Object.keys(fields);
  } catch {
    return [];
  }
}

let stampedSecond = Number.NaN;
let stamped = "";

/** Local time; most records are of the second of the one before. */
function stamp(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== stampedSecond) {
    stamped = makeStamp(new Date(time));
    stampedSecond = second;
  }
  return stamped;
}

function makeStamp(at: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${two(at.getFullYear() % 100)}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
