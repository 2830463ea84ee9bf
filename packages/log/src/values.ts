// Any value as something that JSON can say, whatever it is: circular, huge, hostile. Nothing here throws.

import { Budget, said } from "./budget.js";
import { describeError, isError, peek } from "./error-text.js";

/** How deep objects are written; what lies deeper is named. */
export const MAX_DEPTH = 8;
/** How many entries of one object, list, map or set are written; the rest is counted. */
export const MAX_ENTRIES = 100;

/** JSON of one value. Errors with stacks and causes, BigInt as text, bytes as their number. */
export function toJson(value: unknown, budget: Budget = new Budget()): string {
  return JSON.stringify(plain(value, budget)) ?? "null";
}

/** One value as short text: strings as they are, everything else as JSON. */
export function toText(value: unknown, budget: Budget = new Budget()): string {
  return typeof value === "string" ? budget.text(value) : toJson(value, budget);
}

/** The text of an error, or of whatever was thrown in its place, with stack and causes. */
export function errorText(error: unknown, budget: Budget): string {
  return describeError(error, budget, (value) => toText(value, budget));
}

/** A copy of `value` made of nothing but plain objects, lists, texts and finite numbers. */
export function plain(value: unknown, budget: Budget, above: readonly object[] = []): unknown {
  switch (typeof value) {
    case "string":
      return budget.text(value);
    case "number":
      budget.pay();
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return budget.text(String(value));
    case "symbol":
      return budget.text(String(value));
    case "function":
      return budget.text(`[function ${said(() => value.name)}]`);
    case "object":
      return value === null ? null : plainObject(value, budget, above);
    default:
      budget.pay();
      return value;
  }
}

function plainObject(value: object, budget: Budget, above: readonly object[]): unknown {
  budget.pay();
  if (above.includes(value)) return "[circular]";
  if (above.length >= MAX_DEPTH) return `[${said(() => value.constructor.name)}]`;
  if (budget.spent) return "…";
  try {
    const path = [...above, value];
    if (isError(value)) return plainError(value, budget, path);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return plain(toJSON.call(value, ""), budget, path);
    if (Array.isArray(value)) return plainList(value, value.length, budget, path);
    if (value instanceof Map) return plainList(value, value.size, budget, path);
    if (value instanceof Set) return plainList(value, value.size, budget, path);
    return plainRecord(value, budget, path);
  } catch (error) {
    return budget.text(`[threw ${said(() => String(error))}]`);
  }
}

const SAID_ALREADY: ReadonlySet<string> = new Set([
  "name",
  "message",
  "stack",
  "cause",
  "errors",
  "code",
  "type",
]);

/** An error as an object: `type`, `code`, `message`, `stack` with all causes, and its own other properties. */
function plainError(error: Error, budget: Budget, path: readonly object[]): Record<string, unknown> {
  const code = peek(error, "code");
  return {
    type: budget.text(said(() => error.name)),
    ...(code === undefined ? {} : { code: toText(code, budget) }),
    message: budget.text(said(() => error.message)),
    stack: errorText(error, budget),
    ...plainRecord(error, budget, path, SAID_ALREADY),
  };
}

function plainList(
  list: Iterable<unknown>,
  size: number,
  budget: Budget,
  path: readonly object[],
): unknown[] {
  const copy: unknown[] = [];
  for (const entry of list) {
    if (copy.length >= MAX_ENTRIES || budget.spent) {
      copy.push(`… (${size - copy.length} more)`);
      break;
    }
    copy.push(plain(entry, budget, path) ?? null);
  }
  return copy;
}

/** The own enumerable properties of an object, each read for itself: one that throws costs only itself. */
function plainRecord(
  value: object,
  budget: Budget,
  path: readonly object[],
  skip?: ReadonlySet<string>,
): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null);
  const keys = Object.keys(value);
  let count = 0;
  for (const key of keys) {
    if (skip?.has(key)) continue;
    if (count >= MAX_ENTRIES || budget.spent) {
      copy["…"] = `(${keys.length - count} more)`;
      break;
    }
    count++;
    const name = budget.text(key);
    try {
      copy[name] = plain((value as Record<string, unknown>)[key], budget, path);
    } catch (error) {
      copy[name] = budget.text(`[threw ${said(() => String(error))}]`);
    }
  }
  return copy;
}
